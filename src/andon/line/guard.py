"""Whether a photo shows the part at all, as the OK photos did: else it gets no verdict on the part, but "invalid".

A blank frame, an empty fixture, another product, a blurred, over-exposed, turned or cropped photo has a score like any
other, and a detector may well find nothing wrong with it. The guard looks at the photo as a whole (`appearance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from andon.config import Tree, convert
from andon.line.appearance import FEATURES, LAYOUT_SIDE, Appearance, Feature, layout_distances
from andon.robust import centre_and_spread
from andon.types import RgbImage

Values = NDArray[np.float64]

MIN_PHOTOS = 5
FOLDS = 25
LAYOUT = "layout"
LAYOUT_SHAPE = (LAYOUT_SIDE, LAYOUT_SIDE, 3)
NAMES = (*FEATURES, LAYOUT)
FLOORS = np.array([feature.floor for feature in FEATURES.values()])
LAYOUT_FLOOR = 8.0  # grey values
MOST_LAYOUTS = 256  # are kept; the nearest of so many is near enough
LEAST = np.array([4.0] * len(FEATURES) + [2.5])  # floors; within so many lies nothing worth an alarm
MARGINS = (1.4, 1.7, 2.0, 3.0)  # times the OK photos' own largest deviations
FALSE_ALARMS = 0.01  # share of OK photos that may lie outside, one photo at least
FORGIVEN_FROM = 20  # photos: of so many the oddest one does not widen the limits
SMALL_SET = 12.0  # photos: the limits of n photos are 1 + 12 / n times as wide, as so few do not show their spread
BEYOND_DOUBT = np.array([1.5 if feature.by_camera else 3.5 for feature in FEATURES.values()] + [3.5])
"""Times the limit, at which a photo is invalid although its score is not OK: a rusted part looks strange, too."""
MOST_REASONS = 3
WORTH_SAYING = 0.4  # times the strangest


class Oddity(NamedTuple):
    """A way in which a photo is unlike the OK photos.

    Attributes:
        name: of the feature, or "layout".
        times: its deviation in multiples of the limit, above 1.
        sentence: for people.
        is_beyond_doubt: no part, however damaged, makes a photo so odd.
    """

    name: str
    times: float
    sentence: str
    is_beyond_doubt: bool


@dataclass(frozen=True, eq=False)
class Guard:
    """What photos of the part look like; `learn` makes it.

    Attributes:
        usual, spread: (d,) median and scaled median deviation of each feature of the OK photos, in the order of
            `FEATURES`.
        layouts: (m, side, side, 3) uint8 RGB of OK photos.
        layout_spread: the usual distance of an OK photo's layout to the nearest other, in grey values.
        limits: (d + 1,) how far a photo may lie from the usual, in spreads; the layout last.
        n_photos: OK photos that it was learnt from.
        n_outside: of these, those outside the limits that the others give.
    """

    usual: Values
    spread: Values
    layouts: RgbImage = field(repr=False)
    layout_spread: float
    limits: Values
    n_photos: int
    n_outside: int

    def oddities(self, appearance: Appearance) -> list[Oddity]:
        """In what the photo is unlike the OK photos, the strangest first; none for a photo of the part."""
        nearest = float(layout_distances(appearance.layout[None], self.layouts).min())
        signed = np.append((appearance.values - self.usual) / self.spread, nearest / self.layout_spread)
        times = _deviations(signed) / self.limits
        return [
            Oddity(
                NAMES[place],
                float(times[place]),
                self._sentence(NAMES[place], appearance, nearest),
                bool(times[place] > BEYOND_DOUBT[place]),
            )
            for place in np.argsort(-times)
            if times[place] > 1
        ]

    def _sentence(self, name: str, appearance: Appearance, nearest: float) -> str:
        if name == LAYOUT:
            most = self.limits[-1] * self.layout_spread
            return (
                f"The photo shows another scene than every OK photo (it differs from the nearest by {nearest:.0f} grey "
                f"values, and {most:.0f} is the limit): the part is missing, moved, turned, or another one."
            )
        feature, place = FEATURES[name], NAMES.index(name)
        value, usual = appearance[name], self.usual[place]
        reach = self.limits[place] * self.spread[place]
        says = feature.low if value < usual else feature.high
        between = _allowed(feature, usual, reach)
        return f"The photo {says}, unlike OK photos ({feature.meaning}: {feature.show(value)}, allowed {between})."

    def to_tree(self) -> Tree:
        """Plain values; the layouts are an array."""
        columns = zip(FEATURES, self.usual.tolist(), self.spread.tolist(), self.limits.tolist(), strict=False)
        return {
            "features": {name: [usual, spread, limit] for name, usual, spread, limit in columns},
            LAYOUT: [self.layout_spread, float(self.limits[-1])],
            "n_photos": self.n_photos,
            "n_outside": self.n_outside,
        }

    @classmethod
    def from_tree(cls, tree: Tree, layouts: NDArray[np.generic] | None) -> Self:
        """What `to_tree` gave. A feature that it did not know then has no limit.

        Raises:
            ConfigError, KeyError, ValueError: something is missing, of another type, or out of range.
        """
        numbers = tuple[float, float, float]
        known = {name: convert(row, numbers, f"guard.{name}") for name, row in tree["features"].items()}
        if unknown := known.keys() - FEATURES.keys():
            raise ValueError(f"its guard looks at {min(unknown)!r}, which this Andon does not know.")
        rows = [known.get(name, (0.0, 1.0, np.inf)) for name in FEATURES]
        layout_spread, layout_limit = convert(tree[LAYOUT], tuple[float, float], "guard.layout")
        if layouts is None or layouts.dtype != np.uint8 or layouts.shape[1:] != LAYOUT_SHAPE or not len(layouts):
            raise ValueError("the layouts of its guard are missing; copy it again or train it again.")
        usual, spread, limits = np.array(rows).T
        limits = np.append(limits, layout_limit)
        if min(spread.min(), layout_spread, limits.min()) <= 0:
            raise ValueError("a spread or a limit of its guard is not above 0; train it again.")
        counts = (convert(tree[name], int, f"guard.{name}") for name in ("n_photos", "n_outside"))
        return cls(usual, spread, layouts.astype(np.uint8), layout_spread, limits, *counts)

    def summary(self) -> Tree:
        """For people: what each feature may be, and in words."""
        edges = zip(FEATURES.items(), self.usual, self.spread * self.limits[:-1], strict=True)
        allowed = {
            f"{name} ({feature.meaning})": _allowed(feature, usual, reach) for (name, feature), usual, reach in edges
        }
        return {"allowed": allowed, "in_words": self.describe()}

    def describe(self) -> str:
        """One sentence on what it rests on and how often it is wrong."""
        return (
            f"Guard: a photo unlike the {self.n_photos} OK photos is invalid. It aims at no more than "
            f"{100 * FALSE_ALARMS:.0f} % of good photos; of these, each held out in turn, {self.n_outside} would be."
        )


def _allowed(feature: Feature, usual: float, reach: float) -> str:
    low, high = feature.show(usual - reach), feature.show(usual + reach)
    if feature.high is None:
        return f"at least {low}"
    return f"at most {high}" if feature.low is None else f"{low} to {high}"


def invalid_because(oddities: Sequence[Oddity], *, is_ok: bool) -> tuple[str, ...]:
    """Why a photo gets no verdict, in sentences, strangest first; () where it is to be judged.

    A photo whose score is NG or for review is not taken for OK, so it stays so until it is odd beyond doubt.

    Args:
        is_ok: whether the verdict would be OK.
    """
    if not is_ok and not any(oddity.is_beyond_doubt for oddity in oddities):
        return ()
    return sentences(oddities)


def sentences(oddities: Sequence[Oddity]) -> tuple[str, ...]:
    """The few that matter, of oddities that come strangest first."""
    return tuple(
        oddity.sentence for oddity in oddities[:MOST_REASONS] if oddity.times >= WORTH_SAYING * oddities[0].times
    )


def learn(appearances: Sequence[Appearance], groups: Sequence[int] | None = None) -> Guard | None:
    """The guard of OK photos; None where there are too few.

    Each photo is measured against the photos of the other folds. The limits are the largest deviations seen so, those
    of the oddest photo left out, with a margin. The margin is the smallest at which, with limits from the other folds
    alone, no more photos lie outside than `FALSE_ALARMS` promises.

    Args:
        groups: a number for each photo; those of one number, such as copies, are held out together.
    """
    n = len(appearances)
    if n < MIN_PHOTOS:
        return None
    folds = _folds(np.arange(n) if groups is None else np.asarray(groups))
    values = np.array([appearance.values for appearance in appearances])
    kept = np.linspace(0, n - 1, min(n, MOST_LAYOUTS)).round().astype(int)
    all_layouts = np.array([appearance.layout for appearance in appearances])
    nearest = _nearest_of_other_folds(all_layouts, kept, folds)
    layout_spread = max(LAYOUT_FLOOR, float(np.median(nearest)))
    deviations = np.empty((n, len(NAMES)))
    for fold in np.unique(folds):
        held_out = folds == fold
        usual, spread = _centre(values[~held_out])
        signed = np.column_stack([(values[held_out] - usual) / spread, nearest[held_out] / layout_spread])
        deviations[held_out] = _deviations(signed)
    usual, spread = _centre(values)
    least = LEAST * np.append(FLOORS / spread, LAYOUT_FLOOR / layout_spread)
    for margin in MARGINS:
        n_outside = _outside(deviations, folds, margin, least)
        if n_outside <= max(1, FALSE_ALARMS * n):
            break
    limits = _limits(deviations, margin, least)
    return Guard(usual, spread, all_layouts[kept], layout_spread, limits, n, n_outside)


def _folds(groups: NDArray[np.int_]) -> NDArray[np.int_]:
    """(n,) the fold of each photo; groups stay together, unless there are too few of them."""
    numbers = np.unique(groups, return_inverse=True)[1]
    return np.asarray((numbers if numbers.max() + 1 >= MIN_PHOTOS else np.arange(len(groups))) % FOLDS)


def _centre(values: Values) -> tuple[Values, Values]:
    """Median and spread of each column, no smaller than its floor."""
    usual, spread = centre_and_spread(values)
    return usual, np.maximum(spread, FLOORS)


def _deviations(signed: Values) -> Values:
    """(..., d + 1) how far each feature lies on the sides that mean something."""
    means_low = np.array([feature.low is not None for feature in FEATURES.values()] + [True])
    means_high = np.array([feature.high is not None for feature in FEATURES.values()] + [True])
    return np.maximum(np.where(means_low, -signed, 0), np.where(means_high, signed, 0))


def _nearest_of_other_folds(layouts: RgbImage, kept: NDArray[np.int_], folds: NDArray[np.int_]) -> Values:
    """(n,) distance of each layout to the nearest of the kept ones that is not of its own fold."""
    distances = layout_distances(layouts, layouts[kept]).astype(np.float64)
    distances[folds[:, None] == folds[kept]] = np.inf
    return np.asarray(distances.min(axis=1))


def _limits(deviations: Values, margin: float, least: Values) -> Values:
    """(d + 1,) the largest deviations, the oddest photos' left out, with the margin."""
    n = len(deviations)
    forgiven = max(1, int(FALSE_ALARMS * n)) if n >= FORGIVEN_FROM else 0
    by_oddity = np.argsort((deviations / LEAST).max(axis=1), kind="stable")
    largest = deviations[by_oddity[: n - forgiven]].max(axis=0)
    return np.asarray(np.maximum(least, margin * largest) * (1 + SMALL_SET / n))


def _outside(deviations: Values, folds: NDArray[np.int_], margin: float, least: Values) -> int:
    """How many photos lie outside the limits that the other folds give."""
    return sum(
        int((deviations[folds == fold] > _limits(deviations[folds != fold], margin, least)).any(axis=1).sum())
        for fold in np.unique(folds)
    )
