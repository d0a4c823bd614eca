"""The layouts that there are, and what each has to offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from andon.datasets._dataset import Reading
from andon.datasets._tree import PhotoTree
from andon.plugins import Parts
from andon.types import Sample

PARTS = Parts("layout", "andon.datasets", ("LOOKS_LIKE", "SPECIFICITY", "recognises", "read"), group="andon.layouts")


class Layout(Protocol):
    """What the module of a layout offers."""

    LOOKS_LIKE: str
    SPECIFICITY: int

    def recognises(self, tree: PhotoTree) -> bool:
        """Whether the folder looks like this layout."""

    def read(self, tree: PhotoTree) -> Reading | Sequence[Sample]:
        """Every photo of the folder, in a settled order; a `Reading` where the user must know something of it."""


def names() -> list[str]:
    """The names of all layouts, the one that demands most first."""
    return sorted(PARTS.names(), key=lambda name: -layout(name).SPECIFICITY)


def layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        ConfigError: there is none.
    """
    return cast(Layout, PARTS.load(name))
