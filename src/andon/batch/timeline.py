"""The bars over which a batch is counted: stretches of time, or of the photos' order where their times say nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from andon.batch.manifest import Manifest
from andon.batch.place import Place

HOUR, DAY = 3600, 86_400
LENGTHS = {600: "10 minutes", HOUR: "hour", 8 * HOUR: "8 hours", DAY: "day", 7 * DAY: "week", 28 * DAY: "4 weeks"}
"""Of a bar, in seconds."""
MOST = 80  # bars, so that each can be seen on a phone
LEAST_PHOTOS = 10  # of a bar, where they are in the photos' order
MONDAY = 4 * DAY  # the first one after the beginning of 1970, when the seconds begin
SAMPLE = 200_000  # photos whose times settle the bars
OUTER = 0.001  # of the photos at either end may lie far off, as of a camera whose clock was never set
NOWHERE = -1

Times = NDArray[np.float64]
"""Seconds since 1970 in UTC, nan where the time is not known."""


class Stretch(NamedTuple):
    """Of times in seconds since 1970: bars of this length, the first of which begins at `start`."""

    start: int
    length: int
    bars: int

    @classmethod
    def over(cls, first: float, last: float) -> Stretch:
        """The shortest bars that are few enough."""
        for length in LENGTHS:
            start = int((first - MONDAY) // length) * length + MONDAY
            bars = int((last - start) // length) + 1
            if bars <= MOST:
                break
        return cls(start, length, min(bars, MOST))


@dataclass(frozen=True)
class Timeline:
    """Which bar a photo belongs to.

    Attributes:
        photos: in the batch.
        stretch: of time; None where the bars follow the photos' order.
        reaches_back, reaches_on: whether the first bar holds all that is earlier, and the last all that is later.
    """

    photos: int
    stretch: Stretch | None
    reaches_back: bool = False
    reaches_on: bool = False

    @classmethod
    def of(cls, place: Place, manifest: Manifest) -> Timeline:
        """The bars of a batch, settled by the times in its manifest.

        Raises:
            PlaceError: the manifest cannot be read.
        """
        step = -(-manifest.photos // SAMPLE)
        return cls.over([seconds(times)[::step] for times in manifest.read_column(place, "modified")], manifest.photos)

    @classmethod
    def over(cls, times: Iterable[Times], photos: int) -> Timeline:
        """The bars for such times; in the photos' order where half of them have none, or all fall into one bar."""
        every = np.concatenate([*times, np.empty(0)])
        known = every[np.isfinite(every)]
        if 2 * len(known) <= len(every):
            return cls(photos, None)
        first, last = float(known.min()), float(known.max())
        inner_first, inner_last = map(float, np.quantile(known, [OUTER, 1 - OUTER], method="nearest"))
        whole, inner = Stretch.over(first, last), Stretch.over(inner_first, inner_last)
        stretch = whole if whole.length == inner.length else inner
        if stretch.bars < 2:
            return cls(photos, None)
        end = stretch.start + stretch.length * stretch.bars
        return cls(photos, stretch, first < stretch.start, last >= end)

    @property
    def bars(self) -> int:
        """How many."""
        return max(1, min(MOST, self.photos // LEAST_PHOTOS)) if self.stretch is None else self.stretch.bars

    @property
    def unit(self) -> str:
        """What a bar is: "day"; "" where the bars follow the photos' order."""
        return "" if self.stretch is None else LENGTHS[self.stretch.length]

    def bars_of(self, first: int, times: Times) -> NDArray[np.int64]:
        """(n,) the bar of each photo, counted from 0; `NOWHERE` for one whose time is not known.

        Args:
            first: the number of the first of these photos within the batch, counted from 0.
            times: (n,)
        """
        if self.stretch is None:
            return (first + np.arange(len(times), dtype=np.int64)) * self.bars // self.photos
        known = np.isfinite(times)
        found = (np.where(known, times, 0) - self.stretch.start) // self.stretch.length
        return np.where(known, np.clip(found, 0, self.bars - 1), NOWHERE).astype(np.int64)

    def label(self, bar: int) -> str:
        """When it begins, in UTC, or which photos it holds."""
        if self.stretch is None:
            ends = (-(-one * self.photos // self.bars) for one in (bar, bar + 1))
            return "photos {:,} to {:,}".format(*(end + add for end, add in zip(ends, (1, 0), strict=True)))
        begins = self.stretch.start + bar * self.stretch.length
        time = datetime.fromtimestamp(begins, UTC)
        label = f"{time:%Y-%m-%d}" if self.stretch.length >= DAY else f"{time:%Y-%m-%d %H:%M}"
        if bar == 0 and self.reaches_back:
            return f"{label} and before"
        return f"{label} and after" if bar == self.bars - 1 and self.reaches_on else label


def seconds(times: pa.ChunkedArray) -> Times:
    """Times as the manifest holds them, in seconds."""
    microseconds = times.cast(pa.int64()).to_numpy()  # float64 with nan where one is missing
    return np.asarray(microseconds, dtype=np.float64) / 1e6
