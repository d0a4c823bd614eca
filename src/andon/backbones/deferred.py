"""A backbone that is built when its network is first needed.

On a CPU a model is inspected by a compiled copy of the network, which mostly lies in a cache already. Importing timm
and building the original for nothing would take longer than everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from torch import Tensor

from andon.backbones._base import Backbone, Identity


class DeferredBackbone(Backbone):
    """The backbone of `identity`, which `build` makes; it is called once, if at all, and may raise."""

    def __init__(self, identity: Identity, build: Callable[[], Backbone]) -> None:
        super().__init__(identity.channels, identity.strides, local=identity.local)
        self._identity = identity
        self._build = cache(build)

    def identity(self) -> Identity:
        return self._identity

    def built(self) -> Backbone:
        return self._build()

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.built().to(x.device)(x)
        return maps
