"""Why an OK photo is unlike the others, most likely: light, sharpness, colour, pose, or a spot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from andon.line.appearance import FEATURES, Appearance, Feature, layout_distances
from andon.line.guard import FLOORS, LAYOUT_FLOOR
from andon.line.promises import percent
from andon.robust import centre_and_spread
from andon.types import FloatMap, Frame

Values = NDArray[np.float64]

KINDS = {
    "size": "Size",
    "shape": "Size",
    "brightness": "Light",
    "contrast": "Light",
    "overexposed": "Light",
    "underexposed": "Light",
    "redness": "Colour",
    "yellowness": "Colour",
    "edges": "Sharpness",
    "sharpness": "Sharpness",
    "direction": "Pose",
}
ENOUGH = 3.0  # spreads from the others' median; less is no reason
COUNTS = 2.0  # spreads, from which on signs of one kind count together, as the root of the sum of their squares
LAYOUT_ENOUGH = 2.5  # times the usual distance of a layout to its nearest, as for the guard
MIDDLE = 2.563  # standard deviations that 80 % of a normal distribution are wide
HOT = 0.8  # of the map's peak: the hottest region
RIM = (0.5, 99.5)  # percentiles of a photo's pixels: its darkest and brightest, its greenest and reddest ...
OF_HOT = (2.0, 98.0)  # percentiles within the hottest region that are compared with these
RIM_FLOOR = 3.0  # in units of CIE L*a*b*
SMALL_SIDE = 256
SPOT_SHARE = 0.05  # of the part: a hot region is a spot up to this area
RIMS = (
    ("Light", "darker", "shadow or dirt does that"),
    ("Light", "brighter", "glare does that"),
    ("Colour", "greener", ""),
    ("Colour", "redder", "rust does that"),
    ("Colour", "bluer", ""),
    ("Colour", "yellower", ""),
)
"""By place in `_rims`: what a region beyond it is, and what makes it so."""


class Reason(NamedTuple):
    """A likely reason, in a word and in a sentence."""

    kind: str
    sentence: str


class _Evidence(NamedTuple):
    strength: float
    reason: Reason


@dataclass(frozen=True, eq=False)
class Looks:
    """What all OK photos of a set look like; `of` makes it.

    Attributes:
        usual, spread: (d,) of the features of `FEATURES`.
        layout_distances: (n, n) between the photos' layouts.
        rims, rim_spread: (6,) usual extremes of L*, a*, b* within a photo, see `_rims`.
    """

    appearances: Sequence[Appearance]
    usual: Values
    spread: Values
    layout_distances: FloatMap
    rims: Values
    rim_spread: Values

    @classmethod
    def of(cls, appearances: Sequence[Appearance], frames: Sequence[Frame]) -> Self:
        """Args:
        frames: as the detector sees the same photos.
        """
        usual, spread = _centre(np.array([one.values for one in appearances]), FLOORS)
        layouts = np.array([one.layout for one in appearances])
        rims, rim_spread = _centre(np.array([rims_of(frame) for frame in frames]), np.full(len(RIMS), RIM_FLOOR))
        return cls(appearances, usual, spread, layout_distances(layouts, layouts), rims, rim_spread)

    def nearest(self, number: int, most: int) -> list[int]:
        """The photos whose light and colour are laid out most alike, nearest first."""
        order = np.argsort(self.layout_distances[number], kind="stable")
        return [int(other) for other in order if other != number][:most]

    def reason(self, number: int, frame: Frame, heat: FloatMap) -> Reason:
        """Why the photo of that number is unlike the others.

        Args:
            frame: of the photo.
            heat: (H, W) its anomaly map in the frame's pixels.
        """
        evidence = [*self._of_the_whole(number), *self._of_the_hottest(frame, heat)]
        together = {one.reason.kind: 0.0 for one in evidence}
        for one in evidence:
            together[one.reason.kind] += one.strength**2 if one.strength >= COUNTS else 0.0
        kind = max(together, key=lambda name: together[name])
        if math.sqrt(together[kind]) >= ENOUGH:
            return max((one for one in evidence if one.reason.kind == kind), key=lambda one: one.strength).reason
        share = spot_share(frame, heat)
        if share <= SPOT_SHARE:
            return Reason(
                "Spot", f"the map is hot in one small place, {percent(share)} of the part, as a spot makes it."
            )
        return Reason(
            "Unclear", "neither light, sharpness, colour nor pose stands out; compare it with the photos beside it."
        )

    def _of_the_whole(self, number: int) -> list[_Evidence]:
        values = self.appearances[number].values
        signed = (values - self.usual) / self.spread
        evidence = []
        for (name, feature), z, value, usual in zip(FEATURES.items(), signed, values, self.usual, strict=True):
            says = feature.low if z < 0 else feature.high
            if says is not None:
                sentence = f"unlike the others, the photo {says} ({_shown(feature, value, usual)})."
                evidence.append(_Evidence(abs(float(z)), Reason(KINDS[name], sentence)))
        others = np.delete(self.layout_distances[number], number)
        far = float(others.min()) if len(others) else 0.0
        usually = max(LAYOUT_FLOOR, float(np.median(_nearest(self.layout_distances))))
        sentence = f"the scene is laid out unlike that of every other photo ({far:.0f} grey values from the nearest)."
        evidence.append(_Evidence(ENOUGH / LAYOUT_ENOUGH * far / usually, Reason("Pose", sentence)))
        return evidence

    def _of_the_hottest(self, frame: Frame, heat: FloatMap) -> list[_Evidence]:
        """Whether the map's hottest region is beyond what the others show anywhere."""
        lab, roi = _lab(frame)
        small = cv2.resize(heat, (roi.shape[1], roi.shape[0]), interpolation=cv2.INTER_AREA)
        hot = (small >= HOT * small.max()) & roi
        if not hot.any():
            return []
        beyond = (np.percentile(lab[hot], OF_HOT, axis=0).T.ravel() - self.rims) / self.rim_spread * np.tile((-1, 1), 3)
        evidence = []
        for z, (kind, says, cause) in zip(beyond, RIMS, strict=True):
            because = f"; {cause}" if cause else ""
            sentence = f"where the map is hottest, the photo is {says} than the others are anywhere{because}."
            evidence.append(_Evidence(float(z), Reason(kind, sentence)))
        return evidence


def rims_of(frame: Frame) -> Values:
    """(6,) low and high extremes of L*, a* and b* within the part."""
    lab, roi = _lab(frame)
    return np.asarray(np.percentile(lab[roi] if roi.any() else lab.reshape(-1, 3), RIM, axis=0).T.ravel())


def spot_share(frame: Frame, heat: FloatMap) -> float:
    """The area of the region around the map's peak that is above half of it, as a share of the part."""
    inside = heat[frame.roi]
    middle = (float(np.median(inside)) + float(heat.max())) / 2 if inside.size else 0.0
    _, labels = cv2.connectedComponents((heat >= middle).astype(np.uint8))
    at_peak = labels[np.unravel_index(int(heat.argmax()), heat.shape)]
    return float((labels == at_peak).sum()) / max(1, int(frame.roi.sum()))


def _lab(frame: Frame) -> tuple[FloatMap, NDArray[np.bool_]]:
    """The frame in CIE L*a*b*, and its part, with at most `SMALL_SIDE` pixels a side."""
    height, width = frame.size
    scale = min(1.0, SMALL_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    roi = cv2.resize(frame.roi.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), dtype=np.float32), roi


def _centre(values: Values, floors: Values) -> tuple[Values, Values]:
    """Median and spread of each column: the scaled median deviation, no smaller than its floor.

    Where half of the photos are alike and others differ, as white backgrounds do from grey ones, that is nearly 0; so
    the width of the middle 80 % counts, too. As many as one in ten photos may be odd.
    """
    usual, deviation = centre_and_spread(values)
    low, high = np.percentile(values, [10, 90], axis=0)
    return usual, np.maximum(np.maximum(deviation, (high - low) / MIDDLE), floors)


def _nearest(distances: FloatMap) -> FloatMap:
    """(n,) of each photo to the nearest other."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    return np.asarray(others.min(axis=1), dtype=np.float32)


def _shown(feature: Feature, value: float, usual: float) -> str:
    return f"{feature.meaning}: {feature.show(float(value))}, usually {feature.show(float(usual))}"
