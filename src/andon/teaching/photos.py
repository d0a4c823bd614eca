"""Photos as a detector is fitted on them: preprocessed, in batches, as often as it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, islice
from pathlib import Path

import numpy as np
import torch

from andon import resources
from andon.detectors import Batch
from andon.errors import ImageError
from andon.images import OpenedPhotos
from andon.line.appearance import Appearance, appearance_of
from andon.line.pipeline import Prepared, run_steps, to_batch
from andon.ordered_map import ordered_map
from andon.preprocess import Step
from andon.progress import track
from andon.recipes import Recipe
from andon.types import Frame

SHARE_OF_MEMORY = 0.15
MOST_BYTES = 2**30


def settle_steps(steps: dict[str, Step], photos: Sequence[Path], opened: OpenedPhotos) -> dict[str, Step]:
    """The steps with their open parameters settled from the OK photos, each as the steps before it leave them."""
    settled: dict[str, Step] = {}
    for name, step in steps.items():
        before = tuple(settled.values())
        frames = (run_steps(before, Frame.whole(opened.open(photo).image), photo) for photo in photos)
        settled[name] = step.fit(frames)
    return settled


class Frames:
    """Photos as the steps leave them. They are kept in memory while they fit, for all the models that they train.

    Args:
        room: bytes; a share of the memory that is available, unless given.
    """

    def __init__(self, steps: Iterable[Step], opened: OpenedPhotos, room: int | None = None) -> None:
        self._steps = tuple(steps)
        self._opened = opened
        self._kept: dict[tuple[Path, bool], Frame] = {}
        self._appearances: dict[Path, Appearance] = {}
        self._room = min(MOST_BYTES, int(SHARE_OF_MEMORY * resources.available_memory())) if room is None else room

    def read(self, photo: Path, *, enhanced: bool = True) -> Frame:
        """The photo after all steps, or after those that do not merely enhance it.

        Raises:
            ImageError: the photo cannot be read, or a step cannot use it.
        """
        key = (photo, enhanced)
        if key in self._kept:
            return self._kept[key]
        steps = [step for step in self._steps if enhanced or not step.enhances]
        read = self._opened.open(photo).photo
        if photo not in self._appearances:
            self._appearances[photo] = appearance_of(read.image)
        frame = run_steps(steps, Frame.whole(read.image, read.notes), photo)
        self._room -= frame.image.nbytes + frame.roi.nbytes
        if self._room >= 0:
            self._kept[key] = frame
        return frame

    def appearance(self, photo: Path) -> Appearance:
        """How the photo looks before any step; one that was read before is not opened again.

        Raises:
            ImageError: the photo cannot be read.
        """
        if photo not in self._appearances:
            self._appearances[photo] = appearance_of(self._opened.open(photo).image)
        return self._appearances[photo]

    def prepared(self, photo: Path) -> Prepared:
        """The photo as a pipeline with the same steps prepares it, to be scored.

        Raises:
            ImageError: see `read`.
        """
        return Prepared(str(photo), self._opened.sha256(photo), self.read(photo), {})


class Batches:
    """OK photos, or their tiles, as the detector takes them, the same at each iteration.

    They come as torch tensors: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool. A seeded share of them is
    enhanced, as `recipe.training.enhanced_share` says.

    Args:
        what: what is being done with them, for the progress bar.
        refuses: says why a detector cannot use a frame, if so.
        frames: has the photos that were prepared before, with the same steps.
        enhanced: those of the photos that are enhanced, where they are a part of the photos that the share is of.

    Attributes:
        counts: how many frames each photo gave in the last iteration, so far.
    """

    def __init__(
        self,
        photos: Sequence[Path],
        recipe: Recipe,
        what: str,
        refuses: Callable[[Frame], str | None] | None = None,
        frames: Frames | None = None,
        enhanced: frozenset[Path] | None = None,
    ) -> None:
        self._photos = photos
        self._refuses = refuses
        self._frames = frames or Frames(recipe.steps.values(), OpenedPhotos())
        share, seed = recipe.training.enhanced_share, recipe.training.seed
        self._enhanced = draw(photos, share, seed) if enhanced is None else enhanced
        self._tiling = recipe.tiling
        self._batch_size = recipe.training.batch_size
        self._what = what
        self.counts: list[int] = []

    def __iter__(self) -> Iterator[Batch]:
        self.counts.clear()
        photos: Iterator[Frame] = track(ordered_map(self._frame, self._photos), self._what, len(self._photos))
        frames = (frame for photo in photos for frame in self._counted(photo))
        while batch := list(islice(frames, self._batch_size)):
            yield to_tensors(batch)

    def places_of(self, folds: Iterable[Sequence[Path]]) -> list[frozenset[int]]:
        """Of each fold, the numbers that its photos, or their tiles, have in the order of iteration."""
        counts = [1 if self._tiling is None else len(self._tiling.cut(self._frame(photo))) for photo in self._photos]
        ends = dict(zip(self._photos, accumulate(counts), strict=True))
        begins = {photo: end - count for (photo, end), count in zip(ends.items(), counts, strict=True)}
        return [frozenset(place for photo in fold for place in range(begins[photo], ends[photo])) for fold in folds]

    def _counted(self, photo: Frame) -> list[Frame]:
        frames = [photo] if self._tiling is None else [tile.frame for tile in self._tiling.cut(photo)]
        self.counts.append(len(frames))
        return frames

    def _frame(self, photo: Path) -> Frame:
        frame = self._frames.read(photo, enhanced=photo in self._enhanced)
        if self._refuses and (reason := self._refuses(frame)):
            raise ImageError(f"{photo} {reason}")
        return frame


def to_tensors(frames: Sequence[Frame]) -> Batch:
    """What a detector takes.

    Raises:
        ConfigError: the frames differ in size.
    """
    photos, roi = to_batch(frames)
    return torch.from_numpy(photos).permute(0, 3, 1, 2).contiguous().float() / 255, torch.from_numpy(roi)


def draw(photos: Sequence[Path], share: float, seed: int) -> frozenset[Path]:
    """A share of the photos, rounded to whole photos; the same for the same seed."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return frozenset(photos[index] for index in order[: round(share * len(photos))])
