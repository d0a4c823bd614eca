"""A backbone that sees each photo once, for all the models of a training."""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor

from andon import resources
from andon.backbones import Backbone

SHARE_OF_MEMORY = 0.15


class RememberingBackbone(Backbone):
    """The same backbone. It keeps the feature maps of the photos that it has seen, as long as there is room.

    What is kept is found by the photo's pixels, so it does not matter who asks, in which batch, or in which order.

    Args:
        room: bytes; a share of the memory that is available, unless given.
    """

    def __init__(self, backbone: Backbone, room: int | None = None) -> None:
        super().__init__(backbone.channels, backbone.strides, local=backbone.local)
        self._original = [backbone]  # in a list, so that its weights are not this module's
        self._kept: dict[bytes, list[Tensor]] = {}
        self._room = int(SHARE_OF_MEMORY * resources.available_memory()) if room is None else room

    def forget(self) -> None:
        """Make room."""
        self._room += sum(part.nbytes for maps in self._kept.values() for part in maps)
        self._kept.clear()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> one (B, C, h, w) per stride."""
        photos = [self._maps_of(photo) for photo in torch.split(x, 1)]
        return [torch.cat(maps) for maps in zip(*photos, strict=True)] if len(photos) > 1 else photos[0]

    def _maps_of(self, photo: Tensor) -> list[Tensor]:
        key = blake2b(photo.contiguous().numpy().data, digest_size=16).digest()
        if key not in self._kept:
            maps: list[Tensor] = self._original[0](photo)
            size = sum(part.nbytes for part in maps)
            if size > self._room:
                return maps
            self._room -= size
            self._kept[key] = maps
        return list(self._kept[key])
