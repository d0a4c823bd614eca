"""Any CNN of timm: its feature maps at given strides."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from andon.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from andon.errors import ConfigError


class CnnBackbone(Backbone):
    """The part of a timm network that leads to the feature maps at `strides`."""

    def __init__(self, name: str, network: Any, strides: tuple[int, ...]) -> None:
        config = network.pretrained_cfg
        if config.get("fixed_input_size"):
            height, width = config["input_size"][1:]
            raise ConfigError(f"{name} takes photos of {width} x {height} only; choose a CNN or a plain ViT.")
        info = list(network.feature_info)
        index_of = {entry["reduction"]: index for index, entry in enumerate(info)}
        missing = [stride for stride in strides if stride not in index_of]
        if missing or not strides:
            raise ConfigError(
                f"{name} has feature maps at strides {sorted(index_of)}, but {list(strides)} was asked for."
            )
        strides = tuple(sorted(strides))
        self._indices = [index_of[stride] for stride in strides]
        super().__init__(
            tuple(info[index]["num_chs"] for index in self._indices),
            strides,
            tuple(config.get("mean", IMAGENET_MEAN)),
            tuple(config.get("std", IMAGENET_STD)),
        )
        network.prune_intermediate_layers(self._indices, prune_norm=True, prune_head=True)
        self.network = network

    def features(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.network.forward_intermediates(x, indices=self._indices, intermediates_only=True)
        return maps
