"""Any ViT of timm: the patch tokens of some of its blocks as feature maps (Dosovitskiy et al., arXiv 2010.11929)."""

from __future__ import annotations

import copy
from typing import Any, Self

import torch.nn.functional as F
from torch import Tensor

from andon.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from andon.errors import ConfigError


class VitBackbone(Backbone):
    """The blocks of a timm ViT up to the last of `blocks`.

    A map has one position per patch, so its stride is the patch size whatever the block. Class and register tokens are
    dropped, tokens pass the network's last norm and get length 1. The position embedding is interpolated to the photo's
    grid of patches. A photo whose sides are not multiples of the patch is first resized to the nearest ones, so that
    the map covers the photo and nothing else.
    """

    def __init__(self, name: str, network: Any, blocks: tuple[int, ...]) -> None:
        info = list(network.feature_info)
        self._patch = info[0]["reduction"]
        if not blocks or not all(-len(info) <= block < len(info) for block in blocks):
            raise ConfigError(
                f"{name} has blocks 0 to {len(info) - 1}, or -{len(info)} to -1 from its end, but {list(blocks)} was "
                "asked for."
            )
        self._blocks = sorted({block % len(info) for block in blocks})
        config = network.pretrained_cfg
        super().__init__(
            tuple(info[block]["num_chs"] for block in self._blocks),
            (self._patch,) * len(self._blocks),
            tuple(config.get("mean", IMAGENET_MEAN)),
            tuple(config.get("std", IMAGENET_STD)),
            local=False,
        )
        network.prune_intermediate_layers(self._blocks, prune_norm=False, prune_head=True)
        self.network = network

    def features(self, x: Tensor) -> list[Tensor]:
        height, width = int(x.shape[2]), int(x.shape[3])  # tensors while the network is converted
        if (whole := self._whole_patches(height, width)) != (height, width):
            x = F.interpolate(x, size=whole, mode="bilinear")
        maps = self.network.forward_intermediates(x, indices=self._blocks, norm=True, intermediates_only=True)
        return [F.normalize(tokens, dim=1) for tokens in maps]

    def for_size(self, height: int, width: int) -> Self:
        """The position embedding is interpolated here, once, and not by another library's bicubic filter."""
        settled = copy.deepcopy(self)
        settled.network.set_input_size(self._whole_patches(height, width))
        return settled

    def _whole_patches(self, height: int, width: int) -> tuple[int, int]:
        patch = self._patch
        return max(1, round(height / patch)) * patch, max(1, round(width / patch)) * patch

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, blocks={self._blocks}"
