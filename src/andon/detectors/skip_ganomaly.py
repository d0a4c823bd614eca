"""Skip-GANomaly: a U-Net, trained against a discriminator, reconstructs OK photos; what it fails on is anomalous.

Akçay, Atapour-Abarghouei & Breckon, "Skip-GANomaly: Skip Connected and Adversarially Trained Encoder-Decoder Anomaly
Detection", IJCNN 2019 (arXiv 1901.08954).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam, Optimizer

from andon.backbones import Backbone
from andon.detectors._augmentation import paint_over, rotate_and_flip, shine
from andon.detectors._base import Batch, Capabilities, Detector, require
from andon.detectors._shapes import Shape
from andon.detectors._skip_ganomaly_network import Discriminator, Generator, initialise
from andon.detectors._training import GradientConfig, seeded, train
from andon.errors import ConfigError

BETAS = (0.5, 0.999)  # of Adam, as in the paper and in DCGAN
MIN_ERROR = 1e-6  # parts without any grain, such as drawn ones, may be given back without one


@dataclass(frozen=True, kw_only=True)
class SkipGanomalyConfig(GradientConfig):
    """Attributes:
    alpha: share of the reconstruction error in the image score, in [0, 1]; the rest is the latent error (equation 9).
        Each error is first divided by its mean over the training photos, where the paper scales scores to those
        of the test set, which a single photo does not have.
    width: channels of the finest scale; a scale has twice those of the one before, up to eight times `width`.
    depth: scales; the photo's height and width must be multiples of 2**depth.
    adversarial_weight, contextual_weight, latent_weight: of the three losses (equation 4). The paper's are 1, 40 and 1:
        the same proportions, which is nearly all that Adam sees of them.
    learning_rate: of both networks in the first epoch; it falls linearly to zero with the epochs.
    rotation: photos are turned at random by up to this many degrees to either side in training.
    flip: photos are mirrored at random in training.
    painted: side of the largest rectangles that are painted over in training, as a share of the photo's side; the
        generator must restore what was there, so that it learns to repair rather than to copy. 0 is the paper's way.
    glare: how far towards white the middle of a soft spot of light may be, one of which falls on each photo in
        training; the generator learns to reconstruct it. 0 is the paper's way.
    """

    alpha: float = 0.9
    width: int = 16
    depth: int = 4
    adversarial_weight: float = 0.1
    contextual_weight: float = 4.0
    latent_weight: float = 0.1
    epochs: int = 300
    patience: int = 100
    learning_rate: float = 2e-4
    rotation: float = 180.0
    flip: bool = True
    painted: float = 0.0
    glare: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.alpha <= 1, "alpha", self.alpha, "from 0 to 1")
        require(self.width >= 1, "width", self.width, "1 or more")
        require(2 <= self.depth <= 8, "depth", self.depth, "from 2 to 8")
        for name in ("adversarial_weight", "contextual_weight", "latent_weight"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        require(0 <= self.rotation <= 180, "rotation", self.rotation, "from 0 to 180")
        require(0 <= self.painted < 1, "painted", self.painted, "at least 0 and below 1")
        require(0 <= self.glare <= 1, "glare", self.glare, "from 0 to 1")


class SkipGanomaly(Detector[SkipGanomalyConfig]):
    """The patch scores are the reconstruction error of each pixel. The backbone is not used.

    Attributes:
        error_scale_: (2,) mean reconstruction and latent error of the training photos.
    """

    Config = SkipGanomalyConfig
    capabilities = Capabilities(exports=True, learns_by_gradient=True, terms=("reconstruction", "latent"))
    error_scale_: Tensor

    def __init__(self, config: SkipGanomalyConfig, backbone: Backbone) -> None:
        super().__init__(config, backbone)
        self.generator = Generator(config.width, config.depth)
        self.discriminator = Discriminator(config.width, config.depth)
        self.register_buffer("error_scale_", None)

    def shapes(self) -> dict[str, Shape]:
        return {"error_scale_": Shape((2,))}

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        config = self.config
        with seeded(generator):
            initialise(self.generator)
            initialise(self.discriminator)
        of_generator = Adam(self.generator.parameters(), config.learning_rate, BETAS)
        of_discriminator = Adam(self.discriminator.parameters(), config.learning_rate, BETAS)

        def step(x: Tensor, roi: Tensor) -> dict[str, float]:
            x, roi = rotate_and_flip(_to_networks(x), roi, config.rotation, config.flip, generator)
            x = shine(x, config.glare, generator)
            restored = self._restore(x, roi, paint_over(x, config.painted, generator))
            logits, features = self.discriminator(restored)
            adversarial = F.softplus(-logits).mean()
            contextual = _mean_in_roi((restored - x).abs().mean(dim=1), roi).mean()
            latent = (features - self.discriminator(x)[1].detach()).square().mean()
            loss = (
                config.adversarial_weight * adversarial
                + config.contextual_weight * contextual
                + config.latent_weight * latent
            )
            _descend(of_generator, loss)
            real, fake = self.discriminator(x)[0], self.discriminator(restored.detach())[0]
            discriminating = (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2
            _descend(of_discriminator, discriminating)
            return {
                "adversarial": adversarial.item(),
                "contextual": contextual.item(),
                "latent": latent.item(),
                "discriminator": discriminating.item(),
            }

        def validate(x: Tensor, roi: Tensor) -> float:
            x = _to_networks(x)
            return float(_mean_in_roi((self._restore(x, roi, x) - x).abs().mean(dim=1), roi).mean())

        self.history = train(
            batches,
            modules={"generator": self.generator, "discriminator": self.discriminator},
            optimisers={"generator": of_generator, "discriminator": of_discriminator},
            step=step,
            validate=validate,
            epochs=config.epochs,
            patience=config.patience,
            generator=generator,
            decays=True,
            checkpoint=self.checkpoint,
        )
        with torch.inference_mode():
            errors = [self._errors(x * roi.unsqueeze(1), roi)[1] for x, roi in batches]
            self.error_scale_ = torch.cat(errors).mean(dim=0).clamp(min=MIN_ERROR)

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        patches, errors = self._errors(x, roi)
        terms = errors / self.error_scale_
        shares = errors.new_tensor([self.config.alpha, 1 - self.config.alpha])
        return (terms * shares).sum(dim=1), patches, terms

    def _errors(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        """The reconstruction error of each pixel (B, H, W); its mean and the latent error of each photo (B, 2).

        Args:
            x: in [0, 1], blanked outside the ROI.
        """
        x = _to_networks(x)
        restored = self._restore(x, roi, x)
        pixels = (restored - x).abs().mean(dim=1)
        latent = (self.discriminator(restored)[1] - self.discriminator(x)[1]).square().mean(dim=1)
        return pixels, torch.stack([_mean_in_roi(pixels, roi), _mean_in_roi(latent, roi)], dim=1)

    def _restore(self, x: Tensor, roi: Tensor, seen: Tensor) -> Tensor:
        """The photo x with what the generator makes of `seen` inside the ROI."""
        _require_size(x.shape[2], x.shape[3], 2**self.config.depth)
        return torch.where(roi.unsqueeze(1), self.generator(seen), x)


def _to_networks(x: Tensor) -> Tensor:
    """[0, 1] to [-1, 1]."""
    return 2 * x - 1


def _mean_in_roi(errors: Tensor, roi: Tensor) -> Tensor:
    """(B,) mean of the errors (B, h, w), each weighted by the share of its place that lies in the ROI (B, H, W)."""
    inside = F.interpolate(roi.unsqueeze(1).float(), errors.shape[1:], mode="area").squeeze(1)
    return (errors * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1e-6)


def _descend(optimiser: Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _require_size(h: int, w: int, multiple: int) -> None:
    if h % multiple or w % multiple:
        near_h, near_w = (multiple * max(1, round(side / multiple)) for side in (h, w))
        raise ConfigError(
            f"Photos are {w} x {h} pixels after preprocessing, but the network takes multiples of {multiple} only; set "
            f"steps.resize.canvas=[{near_h}, {near_w}] (height, width), or a smaller detector.depth."
        )


DETECTOR = SkipGanomaly
