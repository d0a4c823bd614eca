"""Photos as a detector is taught with them: preprocessed, in batches, as often as it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from andon import images
from andon.detectors import Batch
from andon.errors import ImageError
from andon.parallel import ordered_map
from andon.pipeline import run_steps, to_batch
from andon.preprocess import Step
from andon.progress import track
from andon.recipes import Recipe
from andon.types import Frame

CACHE_BYTES = 2**30


def settle_steps(steps: dict[str, Step], photos: Sequence[Path]) -> dict[str, Step]:
    """The steps with their open parameters settled from the OK photos, each as the steps before it leave them."""
    settled: dict[str, Step] = {}
    for name, step in steps.items():
        before = tuple(settled.values())
        frames = (run_steps(before, Frame.whole(images.read(photo)), photo) for photo in photos)
        settled[name] = step.fit(frames)
    return settled


class Batches:
    """OK photos, or their tiles, as the detector takes them, the same at each iteration; kept in memory while they fit.

    They come as torch tensors: x (B, 3, H, W) float32 RGB in [0, 1] and roi (B, H, W) bool. A seeded share of them is
    enhanced, as `recipe.training.enhanced_share` says.
    """

    def __init__(
        self, photos: Sequence[Path], recipe: Recipe, what: str, refuses: Callable[[Frame], str | None] | None = None
    ) -> None:
        self._photos = photos
        self._refuses = refuses
        self._steps = tuple(recipe.steps.values())
        self._plain_steps = tuple(step for step in self._steps if not step.enhances)
        self._enhanced = draw(photos, recipe.training.enhanced_share, recipe.training.seed)
        self._tiling = recipe.tiling
        self._batch_size = recipe.training.batch_size
        self._what = what
        self._kept: dict[Path, Frame] = {}
        self._room = CACHE_BYTES

    def __iter__(self) -> Iterator[Batch]:
        frames: Iterator[Frame] = track(ordered_map(self._frame, self._photos), self._what, len(self._photos))
        if self._tiling is not None:
            frames = (tile.frame for whole in map(self._tiling.cut, frames) for tile in whole)
        while batch := list(islice(frames, self._batch_size)):
            x, roi = to_batch(batch)
            yield torch.from_numpy(x), torch.from_numpy(roi)

    def _frame(self, photo: Path) -> Frame:
        if photo in self._kept:
            return self._kept[photo]
        steps = self._steps if photo in self._enhanced else self._plain_steps
        frame = run_steps(steps, Frame.whole(images.read(photo)), photo)
        if self._refuses and (reason := self._refuses(frame)):
            raise ImageError(f"{photo} {reason}")
        self._room -= frame.image.nbytes + frame.roi.nbytes
        if self._room >= 0:
            self._kept[photo] = frame
        return frame


def draw(photos: Sequence[Path], share: float, seed: int) -> frozenset[Path]:
    """A share of the photos, rounded to whole photos; the same for the same seed."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return frozenset(photos[index] for index in order[: round(share * len(photos))])
