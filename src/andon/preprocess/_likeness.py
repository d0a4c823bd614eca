"""How alike the frames of OK photos are, by where their edges lie: a step judges itself by it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from andon.preprocess._part_masks import edge_strength
from andon.types import FloatMap, Frame

CELLS = 32  # along each side: a step must bring edges into the same cell, not onto the same pixel


def unlikeness(frames: Sequence[Frame]) -> float:
    """Mean absolute deviation of the frames from their median, of the edges within the ROI, in L*a*b* per pixel."""
    cells = np.stack([_edges_per_cell(frame) for frame in frames])
    return float(np.abs(cells - np.median(cells, axis=0)).mean())


def _edges_per_cell(frame: Frame) -> FloatMap:
    """(CELLS, CELLS) mean strength of the edges, of the outline too."""
    strength = edge_strength(np.where(frame.roi[:, :, None], frame.image, np.uint8(0)))
    return np.asarray(cv2.resize(strength, (CELLS, CELLS), interpolation=cv2.INTER_AREA), dtype=np.float32)
