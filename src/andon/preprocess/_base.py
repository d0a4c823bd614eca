"""What every preprocessing step is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from andon.types import Frame


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """A frozen dataclass whose fields are its parameters; calling it takes a frame to a new frame.

    A step changes the image, narrows the ROI, or moves image, ROI and `to_original` together. What it cannot do on a
    photo it leaves undone and says in `Frame.notes`; a photo that it cannot use it refuses with an ImageError. It
    never changes the arrays it was given.

    Attributes:
        enhances: it only makes marks easier to see, so that a model may also be trained with photos without it; see
            `training.enhanced_share` of a recipe.
    """

    enhances: ClassVar[bool] = False

    @property
    def needs_torch(self) -> bool:
        """Whether it runs a network in torch, as it is set up."""
        return False

    def fit(self, frames: Iterable[Frame]) -> Self:
        """A step whose open parameters are settled from the OK photos, as the steps before it leave them.

        Most steps have none and do not look at `frames`.
        """
        del frames
        return self

    @abstractmethod
    def __call__(self, frame: Frame) -> Frame:
        """The frame after this step."""
