"""Frozen feature extractors: the embedded one, whose weights are in the package, and any CNN of timm by name."""

from __future__ import annotations

from dataclasses import dataclass

from andon.backbones._base import Backbone, fingerprint
from andon.errors import ConfigError

__all__ = ["Backbone", "BackboneConfig", "create", "fingerprint"]


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Which network gives the features.

    Attributes:
        name: "embedded", or any timm CNN such as "resnet18" or "wide_resnet50_2".
        weights: a .safetensors or .pth file; None for the package's own (embedded) or ImageNet weights from the hub.
        strides: the feature maps to use, by how many input pixels lie between two of their positions. 8 and 16 are
            layer2 and layer3 of a ResNet.
    """

    name: str = "embedded"
    weights: str | None = None
    strides: tuple[int, ...] = (8, 16)

    def __post_init__(self) -> None:
        if len(set(self.strides)) < len(self.strides):
            raise ConfigError(f"backbone.strides is {list(self.strides)}; name each stride once.")


def create(config: BackboneConfig, *, pretrained: bool = True) -> Backbone:
    """The frozen backbone, in evaluation mode.

    Args:
        pretrained: False leaves the weights random; for a model file that brings its own.

    Raises:
        ConfigError: there is no network of that name, or it has no feature map of that stride.
        WeightsError: the weights are missing or do not fit.
        MissingDependencyError: the network comes from timm, which is not installed.
    """
    if config.name == "embedded":
        from andon.backbones.embedded import EmbeddedBackbone

        return EmbeddedBackbone.load(config.weights, config.strides)
    from andon.backbones.cnn import load_cnn

    return load_cnn(config.name, config.weights, config.strides, pretrained=pretrained)
