"""What every backbone is, and how foreign weights are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from andon.errors import WeightsError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tells a backbone from others, without its network.

    Attributes:
        channels, strides, local: as in `Backbone`.
        weights_sha256: its `fingerprint`.
        layers_sha256: of what its layers are, in hex.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    local: bool
    weights_sha256: str
    layers_sha256: str


class Backbone(nn.Module):
    """(B, 3, H, W) float32 RGB in [0, 1] -> one (B, C, h, w) feature map per stride, finest first.

    Attributes:
        channels: C of each map.
        strides: input pixels per position of each map.
        local: whether a feature sees its neighbourhood alone, as in a CNN, or all of the photo, as in a ViT.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
        *,
        local: bool = True,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.strides = strides
        self.local = local
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.features((x - self.mean) / self.std)

    def features(self, x: Tensor) -> list[Tensor]:
        """The feature maps of an input that is already normalised."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"strides={self.strides}"  # two backbones of one network with other maps are not the same

    def for_size(self, height: int, width: int) -> Backbone:
        """The same network for photos of this one size, to be converted by a compiler."""
        return self

    def identity(self) -> Identity:
        layers = hashlib.sha256(str(self).encode()).hexdigest()
        return Identity(
            channels=self.channels,
            strides=self.strides,
            local=self.local,
            weights_sha256=fingerprint(self),
            layers_sha256=layers,
        )

    def built(self) -> Backbone:
        """Itself, with its network."""
        return self

    def freeze(self) -> None:
        """Evaluation mode, no gradients."""
        self.eval().requires_grad_(False)


def fingerprint(module: nn.Module) -> str:
    """sha256 over the names and values of all weights and buffers, in hex."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or .pth file; a .pth is read with weights_only, so nothing in it is run.

    Raises:
        WeightsError: the file is missing, damaged, or of another kind.
    """
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}; give the path of a .safetensors or .pth file.")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        if path.suffix in (".pth", ".pt"):
            return _state_of(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged or foreign file makes the unpickler stumble over anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(f"{path} cannot be read as weights ({reason}); download it again.") from None
    raise WeightsError(f"{path} is not a weights file that Andon reads; expected .safetensors or .pth.")


def _state_of(content: object) -> dict[str, Tensor]:
    """The tensors by name, which some programs wrap as "state_dict".

    Raises:
        TypeError: there are none.
    """
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise TypeError("it holds no tensors by name")
    return dict(state)
