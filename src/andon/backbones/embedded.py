"""The embedded backbone: a small network of ours whose weights are in the package, so that nothing is downloaded.

It was trained to predict the feature maps that an ImageNet ResNet-18 has at strides 4, 8 and 16. Its batch norms are
folded into the convolutions.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Self

import torch.nn.functional as F
from torch import Tensor, nn

from andon.backbones._base import Backbone, read_weights
from andon.errors import ConfigError, WeightsError

WEIGHTS = Path(__file__).with_name("embedded.safetensors")
CHANNELS = {4: 64, 8: 128, 16: 256}


class Block(nn.Module):
    """Residual block of two 3 x 3 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class Stage(nn.Sequential):
    """Halve the resolution, then residual blocks."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels_in, channels, 3, stride=2, padding=1)
        self.add_module("0", Block(channels))
        self.add_module("1", Block(channels))

    def forward(self, x: Tensor) -> Tensor:
        down, first, second = self.children()
        return second(first(F.relu(down(x))))  # type: ignore[no-any-return]


class EmbeddedBackbone(Backbone):
    """Feature maps of 64, 128 and 256 channels at strides 4, 8 and 16."""

    def __init__(self, strides: tuple[int, ...]) -> None:
        if not strides or Counter(strides) - Counter(CHANNELS.keys()):
            raise ConfigError(
                f"The embedded backbone has strides {sorted(CHANNELS)}, but {list(strides)} was asked for."
            )
        strides = tuple(sorted(strides))
        super().__init__(tuple(CHANNELS[stride] for stride in strides), strides)
        self.stem = nn.ModuleList([nn.Conv2d(3, 24, 3, stride=2, padding=1), nn.Conv2d(24, 48, 3, stride=2, padding=1)])
        self.stage1 = nn.Sequential(Block(48))
        self.stage2 = Stage(48, 96)
        self.stage3 = Stage(96, 192)
        self.head4 = nn.Conv2d(48, 64, 1)
        self.head8 = nn.Conv2d(96, 128, 1)
        self.head16 = nn.Conv2d(192, 256, 1)

    @classmethod
    def load(cls, weights: str | None, strides: tuple[int, ...]) -> Self:
        """The frozen backbone with the weights of the package, or those of the file `weights`.

        Raises:
            ConfigError: a stride that it does not have.
            WeightsError: the file is not for this network.
        """
        backbone = cls(strides)
        path = WEIGHTS if weights is None else Path(weights)
        try:
            # strict but for the two normalisation buffers, which are constants
            missing, unexpected = backbone.load_state_dict(read_weights(path), strict=False)
        except RuntimeError:
            missing, unexpected = ["shapes"], []
        if unexpected or set(missing) - {"mean", "std"}:
            raise WeightsError(
                f"{path} does not fit the embedded backbone; leave --weights out to use the package's own."
            )
        backbone.freeze()
        return backbone

    def features(self, x: Tensor) -> list[Tensor]:
        for convolution in self.stem:
            x = F.relu(convolution(x))
        at4 = self.stage1(x)
        at8 = self.stage2(at4)
        maps = {4: (self.head4, at4), 8: (self.head8, at8)}
        if 16 in self.strides:
            maps[16] = (self.head16, self.stage3(at8))
        return [head(features) for head, features in (maps[stride] for stride in self.strides)]
