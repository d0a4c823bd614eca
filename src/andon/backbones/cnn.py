"""Any CNN of timm: its feature maps at given strides."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from torch import Tensor

from andon.backbones._base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from andon.errors import ConfigError


class Map(NamedTuple):
    """A feature map that a network offers, and timm's number for it."""

    stride: int
    channels: int
    number: int


class CnnBackbone(Backbone):
    """The part of a timm network that leads to the feature maps at `strides`."""

    def __init__(self, name: str, network: Any, strides: tuple[int, ...]) -> None:
        config = network.pretrained_cfg
        if config.get("fixed_input_size"):
            height, width = config["input_size"][1:]
            raise ConfigError(f"{name} takes photos of {width} x {height} only; choose a CNN or a plain ViT.")
        offered, wanted = _maps(network), Counter(strides)
        if not wanted or wanted - Counter(each.stride for each in offered):
            has = [each.stride for each in offered]
            raise ConfigError(f"{name} has feature maps at strides {has}, but {list(strides)} was asked for.")
        maps = [each for stride in sorted(wanted) for each in _last(wanted[stride], stride, offered)]
        self._options: dict[str, Any] = {"indices": [each.number for each in maps]}
        if _is_efficientnet(network):
            self._options["extra_blocks"] = True
        super().__init__(
            tuple(each.channels for each in maps),
            tuple(each.stride for each in maps),
            tuple(config.get("mean", IMAGENET_MEAN)),
            tuple(config.get("std", IMAGENET_STD)),
        )
        network.prune_intermediate_layers(prune_norm=True, prune_head=True, **self._options)
        self.network = network

    def features(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.network.forward_intermediates(x, intermediates_only=True, **self._options)
        return maps


def _maps(network: Any) -> list[Map]:
    """The maps, finest first; every stage of an EfficientNet, where timm lists only the last one of each stride."""
    info = list(network.feature_info)
    if not _is_efficientnet(network):
        return [Map(each["reduction"], each["num_chs"], index) for index, each in enumerate(info)]
    return [
        Map(
            next(each["reduction"] for each in info if each["stage"] >= number),
            stage[-1].feature_info("bottleneck")["num_chs"],
            number,
        )
        for number, stage in enumerate(network.blocks, start=1)
    ]


def _last(n: int, stride: int, maps: list[Map]) -> list[Map]:
    return [each for each in maps if each.stride == stride][-n:]


def _is_efficientnet(network: Any) -> bool:
    return type(network).__name__ == "EfficientNet"
