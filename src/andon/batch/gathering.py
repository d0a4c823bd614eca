"""What the page of a batch tells, read from its parts one after another: memory does not grow with the photos."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from andon.batch.manifest import Manifest
from andon.batch.part import READERS, PartInfo, read_part
from andon.batch.place import Place
from andon.batch.timeline import NOWHERE, Timeline, Times, seconds
from andon.errors import InputError
from andon.ordered_map import ordered_map
from andon.rows import PART_VERDICTS, VERDICTS

COLUMNS = ("path", "sha256", "verdict", "score", "reasons", "error", "inspected_at")
WORST, INVALID = 100, 12
RESERVOIR = 2000  # scores of a bar, of which its quantiles are taken
EXAMPLES = 5  # of each reason
REASONS = 100

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Entry:
    """A photo that is worth a look.

    Attributes:
        row: of the shard's part, counted from 0.
    """

    shard: int
    row: int
    path: str
    sha256: str
    verdict: str
    score: float
    reasons: tuple[str, ...]


@dataclass
class Highest:
    """The entries with the highest scores, the highest first; of equals those that came first."""

    most: int
    entries: list[Entry] = field(default_factory=list)

    def add(self, shard: int, table: pa.Table, scores: Scores, wanted: NDArray[np.bool_]) -> None:
        """Take in the rows of a part that are `wanted`.

        Args:
            table: the part's n rows, with `COLUMNS`.
            scores: (n,) of these.
            wanted: (n,)
        """
        least = self.entries[-1].score if len(self.entries) == self.most else -np.inf
        rows = np.flatnonzero(wanted & (scores > least))
        rows = rows[np.argsort(-scores[rows], kind="stable")[: self.most]]
        found = [
            Entry(shard, row, one["path"], one["sha256"], one["verdict"], one["score"], tuple(one["reasons"]))
            for row, one in zip(rows.tolist(), table.take(rows).to_pylist(), strict=True)
        ]
        self.entries = heapq.nlargest(self.most, chain(self.entries, found), key=lambda entry: entry.score)


@dataclass
class Reservoir:
    """A sample of many scores, each as likely as any other to be kept; all of them where they are few.

    Attributes:
        kept: the sample.
        keys: a random number for each of these; those with the lowest keys of all stay.
    """

    kept: Scores = field(default_factory=lambda: np.empty(0))
    keys: Scores = field(default_factory=lambda: np.empty(0))

    def add(self, scores: Scores, rng: np.random.Generator) -> None:
        """Draw keys for these scores, and keep the `RESERVOIR` lowest of all."""
        self.kept = np.concatenate([self.kept, scores])
        self.keys = np.concatenate([self.keys, rng.random(len(scores))])
        if len(self.kept) > RESERVOIR:
            lowest = np.argpartition(self.keys, RESERVOIR)[:RESERVOIR]
            self.kept, self.keys = self.kept[lowest], self.keys[lowest]


@dataclass
class Reason:
    """Why photos could not be inspected.

    Attributes:
        text: in a sentence; figures that differ from photo to photo are "…".
        paths: of the first ones.
    """

    text: str
    count: int = 0
    paths: list[str] = field(default_factory=list)


@dataclass
class Host:
    """What the workers of a computer did.

    Attributes:
        seconds: of all its workers together.
    """

    shards: int = 0
    photos: int = 0
    seconds: float = 0.0


class Gathered:
    """Sums over all parts that were added.

    Attributes:
        counts: (bars, verdicts) photos, in the order of `VERDICTS`.
        scores: of the photos of parts, a sample for each bar.
        without_time: photos that belong to no bar.
        worst, invalid: the highest scores of photos of parts, and of photos that were found to show none.
        attempts: shards by how many they took.
        first, last: when the first and the last photo was inspected.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.counts = np.zeros((timeline.bars, len(VERDICTS)), dtype=np.int64)
        self.scores = [Reservoir() for _ in range(timeline.bars)]
        self.without_time = 0
        self.worst, self.invalid = Highest(WORST), Highest(INVALID)
        self.reasons: dict[str, Reason] = {}
        self.hosts: dict[str, Host] = {}
        self.attempts = Counter[int]()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._rng = np.random.default_rng(0)

    def add(self, first: int, info: PartInfo, table: pa.Table, times: Times) -> None:
        """Take in a part.

        Args:
            first: the number of its first photo within the batch, counted from 0.
            table: its n rows, with `COLUMNS`.
            times: (n,)
        """
        verdicts = pc.index_in(table["verdict"], pa.array(VERDICTS)).to_numpy()
        scores = table["score"].to_numpy()
        bars = self.timeline.bars_of(first, times)
        has_part = (verdicts < len(PART_VERDICTS)) & np.isfinite(scores)
        self.without_time += int((bars == NOWHERE).sum())
        np.add.at(self.counts, (bars[bars != NOWHERE], verdicts[bars != NOWHERE]), 1)
        for bar in np.unique(bars[has_part & (bars != NOWHERE)]):
            self.scores[bar].add(scores[has_part & (bars == bar)], self._rng)
        self.worst.add(info.shard, table, scores, has_part)
        self.invalid.add(info.shard, table, scores, verdicts == VERDICTS.index("invalid"))
        self._add_failures(table.filter(pa.array(verdicts == VERDICTS.index("error"))))
        self._add_work(info, table)

    def _add_failures(self, failures: pa.Table) -> None:
        for one in failures.select(["path", "error"]).to_pylist():
            text = reason_of(one["path"], one["error"])
            key = re.sub(r"\d[\d.,]*", "…", text)
            if key not in self.reasons and len(self.reasons) >= REASONS:
                key = text = "Other reasons."
            reason = self.reasons.setdefault(key, Reason(text))
            reason.text = text if reason.text == text else key
            reason.count += 1
            if len(reason.paths) < EXAMPLES:
                reason.paths.append(one["path"])

    def _add_work(self, info: PartInfo, table: pa.Table) -> None:
        self.attempts[info.attempt] += 1
        host = self.hosts.setdefault(info.host, Host())
        host.shards, host.photos, host.seconds = host.shards + 1, host.photos + info.total, host.seconds + info.seconds
        ends = pc.min_max(table["inspected_at"]).as_py()
        self.first = min(filter(None, (self.first, ends["min"])), default=None)
        self.last = max(filter(None, (self.last, ends["max"])), default=None)


def gather(place: Place, manifest: Manifest) -> Gathered:
    """All that the parts of a batch hold, whose count is right.

    Raises:
        InputError: a part is gone.
        PlaceError: the batch cannot be read.
    """

    def read(shard: int) -> tuple[PartInfo, pa.Table]:
        part = read_part(place, manifest, shard, COLUMNS)
        if part is None:
            raise InputError(f"A part of {place.url} has changed since it was counted; give the same command again.")
        return part

    gathered = Gathered(Timeline.of(place, manifest))
    parts = ordered_map(read, range(manifest.shards), workers=READERS)
    for (info, table), times in zip(parts, manifest.read_column(place, "modified"), strict=True):
        gathered.add(info.shard * manifest.shard_size, info, table, seconds(times))
    return gathered


def reason_of(path: str, error: str) -> str:
    """Why a photo could not be inspected, without its name.

    Args:
        error: a sentence that may begin with the path.
    """
    rest = error.removeprefix(path)
    if rest == error:
        return error
    if not rest.startswith(":"):
        return f"The photo{rest}"
    reason = rest.removeprefix(":").strip()
    return reason[:1].upper() + reason[1:]
