"""Whether two photos that look alike are one picture: their pixels have to agree, brightness and colour included."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from andon import images
from andon.datasets._duplicates import Group, mirrored_and_turned
from andon.types import RgbImage

MAX_DIFFERENCE = 32  # grey levels, anywhere
MAX_MEAN_DIFFERENCE = 3
BLUR = 5  # pixels over which both are averaged, so that noise and what JPEG leaves at edges do not count
MAX_PAIRS = 100


def contradictions(group: Group) -> list[tuple[Path, Path]]:
    """The pairs of an OK and an NG photo of the group that are one picture; of many pairs, only the first are tried."""
    ok = [sample.path for sample in group.samples if sample.is_anomalous is False]
    ng = [sample.path for sample in group.samples if sample.is_anomalous]
    pairs = [(a, b) for a in ok for b in ng][:MAX_PAIRS]
    found = [pair for pair in pairs if same_picture(images.read(pair[0]), images.read(pair[1]))]
    return [(a, b) if a < b else (b, a) for a, b in found]


def same_picture(a: RgbImage, b: RgbImage) -> bool:
    """Whether one is a copy of the other: saved again, scaled, mirrored or turned by quarters.

    A brighter or yellower photo is not a copy, nor is one with a spot that is larger than a few pixels.
    """
    return any(_agree(a, np.ascontiguousarray(moved[0])) for moved in mirrored_and_turned(b[None]))


def _agree(a: RgbImage, b: RgbImage) -> bool:
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    first, second = (
        cv2.blur(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), (BLUR, BLUR)).astype(np.int16)
        for photo in (a, b)
    )
    difference = np.abs(first - second)
    return bool(difference.mean() <= MAX_MEAN_DIFFERENCE and difference.max() <= MAX_DIFFERENCE)
