"""A backbone that OpenVINO computes on a CPU."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from andon.backbones import Backbone
from andon.inference._openvino import convert_model, ov
from andon.inference.compiled import Networks, Size
from andon.scorers.convert import code_identity, convert


class CompiledBackbone(Backbone):
    """A backbone that OpenVINO computes, photo by photo; torch does where OpenVINO does not support a layer.

    It is compiled at its first photo of each size.

    Args:
        streams: how many photos are computed at once, by different threads; they share the cores.
    """

    def __init__(self, backbone: Backbone, precision: str, streams: int = 1) -> None:
        super().__init__(backbone.channels, backbone.strides, local=backbone.local)
        self._original = [backbone]  # in a list, so that its weights are not this module's
        self._networks = Networks(precision, streams)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> one (B, C, h, w) per stride."""
        backbone, size = self._original[0], (x.shape[2], x.shape[3])
        requests = self._networks.for_size(size, lambda: _converted(backbone, size), lambda: _identity(backbone, size))
        if requests is None:
            return backbone(x)  # type: ignore[no-any-return]
        photos = [requests.infer([photo[None].numpy()]) for photo in x.contiguous()]
        return [torch.from_numpy(np.concatenate(maps)) for maps in zip(*photos, strict=True)]


def _identity(backbone: Backbone, size: Size) -> list[str]:
    """A model file may claim what its network is. That is believed only until the network is built.

    Then it is compared (`models.trained`), before anything is kept under this identity.
    """
    return [str(backbone.identity()), str(size), *code_identity()]


@lru_cache(maxsize=1)  # the same network is compiled for one photo and for several
def _converted(backbone: Backbone, size: Size) -> ov.Model | None:
    """The network for OpenVINO; None where it cannot be converted."""
    shape = (1, 3, *size)
    network = backbone.built().for_size(*size)
    return convert(lambda: convert_model(network, example_input=torch.zeros(shape), input=[shape]))
