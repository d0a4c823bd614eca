"""A scorer without torch: OpenVINO computes the network and what follows it, numpy settles the search in a bank."""

from __future__ import annotations

import copy
import os
from typing import Self

import numpy as np

from andon import resources
from andon.errors import AndonError
from andon.inference.compiled import Array
from andon.inference.graph import Graph, Source
from andon.inference.memory_bank import MemoryBank
from andon.inference.patches import patches_in_roi
from andon.inference.workers import over_cores
from andon.types import Frame, Mask, Measured, Nearest, RgbImage, Scores


class GraphScorer:
    """A `line.scorer.Scorer`. A single photo is scored by all cores; several are scored side by side, each by one core.

    Args:
        source: of a network that gives queries (1, h, w, D) for the memory bank or, where there is none, the image
            score (1,), the patch scores (1, h, w) and the terms (1, k).

    Attributes:
        batch_size: how many photos at once it is fastest with.
        precision: "f32" or "bf16": what the network computes in. All else is float32.
    """

    def __init__(self, source: Source, memory: MemoryBank | None, precision: str, batch_size: int = 8) -> None:
        self.batch_size = max(batch_size, 2 * resources.cpus())
        self.precision = precision
        self.memory = memory
        self._on_all_cores = Graph(source, precision, streams=1)
        self._on_one_core = Graph(source, precision, streams=resources.cpus())

    def of(self, memory: MemoryBank) -> Self:
        """The same scorer with another memory bank; nothing is compiled again."""
        other = copy.copy(self)
        other.memory = memory
        return other

    def __call__(self, photos: Array, roi: Mask) -> Scores:
        require_threads()
        if len(photos) == 1:
            each = [self._score(self._on_all_cores, photos[0], roi[0])]
        else:
            each = over_cores(lambda *photo: self._score(self._on_one_core, *photo), photos, roi)
        images, patches, terms = zip(*each, strict=True)
        return Scores(np.array(images, np.float32), np.stack(patches), np.stack(terms))

    def most_like(self, photos: Array, roi: Mask) -> Nearest:
        """For each patch, the nearest patch of the OK photos; for a detector that keeps patches."""
        if self.memory is None:
            raise NotImplementedError("this detector keeps no patches")
        found = [self.memory.most_like(self._on_all_cores(*photo)[0]) for photo in zip(photos, roi, strict=True)]
        return Nearest(np.stack([distance for distance, _ in found]), np.stack([origin for _, origin in found]))

    def refuses(self, frame: Frame) -> str | None:
        """Why the detector cannot score this frame: those that can be converted score any."""
        del frame
        return None

    def measure(self, frame: Frame) -> Measured:
        """What the detector measures on this frame beside its scores: nothing, where it can be converted."""
        del frame
        return Measured()

    def _score(self, graph: Graph, photo: RgbImage, roi: Mask) -> tuple[float, Array, Array]:
        outputs = graph(photo, roi)
        if self.memory is None:
            image, patches, terms = outputs
            return float(image), patches, terms
        (queries,) = outputs
        return *self.memory.score(queries, patches_in_roi(roi, queries.shape[:2])), np.empty(0, np.float32)


_first_process: int | None = None


def require_threads() -> None:
    """Refuse to wait forever: a process that is forked after an inspection lacks the threads that compute.

    Raises:
        AndonError: this is such a process.
    """
    global _first_process
    _first_process = _first_process or os.getpid()
    if _first_process != os.getpid():
        raise AndonError(
            "This process was forked after an inspection, which leaves it without the threads that compute; start "
            "processes with multiprocessing's 'spawn', or load the model in each of them and not before."
        )
