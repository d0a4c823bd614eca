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
N_BLOCKS = 3


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

    def __init__(self, channels_in: int, channels: int, n_blocks: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels_in, channels, 3, stride=2, padding=1)
        for number in range(n_blocks):
            self.add_module(str(number), Block(channels))

    def forward(self, x: Tensor) -> Tensor:
        down, *blocks = self.children()
        x = F.relu(down(x))
        for block in blocks:
            x = block(x)
        return x


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
        self.stage2 = Stage(48, 96, N_BLOCKS)
        self.stage3 = Stage(96, 192, N_BLOCKS)
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
        trunk = self.trunk(x, max(self.strides))
        return [self.head(trunk, stride) for stride in self.strides]

    def trunk(self, x: Tensor, coarsest: int = 16) -> dict[int, Tensor]:
        """The maps below the heads, by stride."""
        for convolution in self.stem:
            x = F.relu(convolution(x))
        at4 = self.stage1(x)
        at8 = self.stage2(at4)
        return {4: at4, 8: at8} | ({16: self.stage3(at8)} if coarsest == 16 else {})

    def head(self, trunk: dict[int, Tensor], stride: int) -> Tensor:
        """The prediction of the teacher's map, which is never negative, as the teacher's is not."""
        return F.relu(self.get_submodule(f"head{stride}")(trunk[stride]))
