"""Linear probe: logistic regression on the pooled features of labelled OK and NG photos.

Not an OK-only method: it learns the defects that it is shown, and may overlook every other kind. Its anomaly map is
the class activation map of Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016
(arXiv 1512.04150), equation 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from andon.backbones import Backbone
from andon.detectors._base import Batch, Capabilities, Detector, LabelledBatches, map_size, patches_in_roi, require
from andon.detectors._embedding import embed
from andon.detectors._shapes import Shape
from andon.errors import DatasetError

MAX_ITERATIONS = 10_000


@dataclass(frozen=True, kw_only=True)
class LinearProbeConfig:
    """Attributes:
    regularisation: strength of the L2 penalty on the weights of standardised features: 1 / C of scikit-learn.
    """

    regularisation: float = 10.0

    def __post_init__(self) -> None:
        require(self.regularisation > 0, "regularisation", self.regularisation, "above 0")


class LinearProbe(Detector[LinearProbeConfig]):
    """The image score is the log-odds of NG: 0 where both are as likely, as if OK and NG photos were equally frequent.

    The log-odds are linear, so that of the photo is the mean of those of its patches in the ROI. A patch's score is
    softplus(log-odds) = -log(probability of OK): never negative, and about the log-odds where NG is likely.

    Attributes:
        weights_: (C,) of each channel of the embedding.
        bias_: (1,).
    """

    Config = LinearProbeConfig
    capabilities = Capabilities(needs_ng=True, exports=True)
    weights_: Tensor
    bias_: Tensor

    def __init__(self, config: LinearProbeConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        for name in ("weights_", "bias_"):
            self.register_buffer(name, None)

    def shapes(self) -> dict[str, Shape]:
        return {"weights_": Shape((sum(self.backbone.channels),)), "bias_": Shape((1,))}

    @torch.inference_mode()
    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        ng_batches = batches.ng if isinstance(batches, LabelledBatches) else ()
        ok, ng = self._pooled(batches), self._pooled(ng_batches)
        scaler = StandardScaler()
        features = scaler.fit_transform(np.concatenate([ok, ng]))
        is_ng = np.repeat([False, True], [len(ok), len(ng)])
        probe = LogisticRegression(
            C=1 / self.config.regularisation, class_weight="balanced", max_iter=MAX_ITERATIONS
        ).fit(features, is_ng)
        weights = probe.coef_[0] / scaler.scale_  # for features that are not standardised
        self.weights_ = torch.from_numpy(weights).float()
        self.bias_ = torch.from_numpy(probe.intercept_ - weights @ scaler.mean_).float()

    def _pooled(self, batches: Iterable[Batch]) -> NDArray[np.float64]:
        """(photos, C): the mean over the patches in the ROI of each photo.

        Raises:
            DatasetError: there are no photos.
        """
        pooled = [_mean_in_roi(embed(self.backbone, x * roi.unsqueeze(1)), roi) for x, roi in batches]
        if not pooled:
            raise DatasetError(
                "The detector linear_probe learns to tell OK from NG photos, but it was given only one kind; "
                "add labelled photos of the other kind, or choose a detector that needs none, such as patchcore."
            )
        return torch.cat(pooled).double().numpy()

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        embedding = embed(self.backbone, x)
        image = _mean_in_roi(embedding, roi) @ self.weights_ + self.bias_
        log_odds = torch.einsum("bchw,c->bhw", embedding, self.weights_) + self.bias_
        return image, F.softplus(log_odds) * patches_in_roi(roi, map_size(embedding))


def _mean_in_roi(embedding: Tensor, roi: Tensor) -> Tensor:
    """(B, C, h, w) and roi (B, H, W) -> (B, C)."""
    inside = patches_in_roi(roi, map_size(embedding)).unsqueeze(1)
    return (embedding * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1)


DETECTOR = LinearProbe
