"""Photos that show the same twice: identical ones, and ones that look alike ("twins").

Identical photos have the same pixels, whatever their files. Twins are one picture that was saved, scaled, brightened,
mirrored or turned by quarters once more, or one part photographed twice without being moved. A model that learned one
of them knows the other, so that a threshold or a figure from it is too good. Twins need not be the same picture: a
part that was scorched all over has the structure of the sound one. Whether they are is for their pixels to
say, with brightness and colour as they are (`_same_picture`).

Twins are found by correlating the photos' fine structure (`Fingerprint.detail`). How high a correlation tells twins
from different parts depends on the set: parts under a fixed camera are all alike. So two photos are twins only if
they share nearly all structure AND differ far less than the photos of this set usually do. Crops and shifts of more
than a few pixels are not recognised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from andon.datasets._fingerprints import DETAIL_SIDE, Fingerprint, fingerprints
from andon.images import OpenedPhotos
from andon.types import Sample

MIN_CORRELATION = 0.98
MAX_SHARE_OF_USUAL_DIFFERENCE = 1 / 15
MIN_PHOTOS_FOR_USUAL = 5
ROWS_AT_ONCE = 512

Twins = tuple[Path, Path]


@dataclass(frozen=True)
class Group:
    """Two or more photos that are identical or look alike."""

    samples: tuple[Sample, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The photos' files, sorted."""
        return tuple(sample.path for sample in self.samples)

    @property
    def spans_splits(self) -> bool:
        """Whether its photos lie in more than one split."""
        return len({sample.split for sample in self.samples}) > 1

    @property
    def has_both_labels(self) -> bool:
        """Whether one of its photos is labelled OK and another NG."""
        return {True, False} <= {sample.is_anomalous for sample in self.samples}


@dataclass(frozen=True)
class Duplicates:
    """The repeated pictures of a data set.

    Attributes:
        identical: groups with the same pixels.
        near: groups of twins; an identical photo of a twin is in its group.
        sizes: (H, W) of every photo that can be read.
        unreadable: the reason for every photo that cannot.
        sha256: of every file that can be read, in hex.
    """

    identical: tuple[Group, ...]
    near: tuple[Group, ...]
    sizes: dict[Path, tuple[int, int]]
    unreadable: dict[Path, str]
    sha256: dict[Path, str] = field(default_factory=dict)

    @property
    def all_groups(self) -> tuple[Group, ...]:
        """The groups of twins and those of identical photos without a further twin; no photo is in two."""
        covered = {path for group in self.near for path in group.paths}
        return (*self.near, *(group for group in self.identical if group.paths[0] not in covered))

    @property
    def keep_together(self) -> tuple[frozenset[Path], ...]:
        """The photos that must stay on one side of a split, for `split`."""
        return tuple(frozenset(group.paths) for group in self.all_groups)


def find_duplicates(samples: Sequence[Sample], opened: OpenedPhotos | None = None) -> Duplicates:
    """The groups of identical photos and of twins among `samples`, sorted by path; every file is read once.

    Args:
        opened: keeps the photos, for whatever needs them again.
    """
    prints, unreadable = fingerprints(sorted({sample.path for sample in samples}), opened or OpenedPhotos())
    return duplicates_of(samples, prints, unreadable, twins_among(prints))


def duplicates_of(
    samples: Sequence[Sample], prints: Sequence[Fingerprint], unreadable: dict[Path, str], twins: Iterable[Twins]
) -> Duplicates:
    """`find_duplicates`, of photos whose fingerprints were taken.

    Args:
        prints: by ascending path.
        unreadable: why the other photos have none.
        twins: what `twins_among` gave of them, all at once or some at a time.
    """
    by_path = {sample.path: sample for sample in samples}
    same = _same_pixels(prints)
    index_of = {one.path: index for index, copies in enumerate(same) for one in copies}

    def group(members: Iterable[Fingerprint]) -> Group:
        return Group(tuple(by_path[path] for path in sorted(member.path for member in members)))

    groups = _connected((index_of[first], index_of[second]) for first, second in twins)
    return Duplicates(
        identical=tuple(group(copies) for copies in same if len(copies) > 1),
        near=tuple(group(member for index in indices for member in same[index]) for indices in groups),
        sizes={one.path: one.size for one in prints},
        unreadable=unreadable,
        sha256={one.path: one.sha256 for one in prints},
    )


def twins_among(prints: Sequence[Fingerprint]) -> list[Twins]:
    """The pairs of photos that look alike; of identical photos the first alone is looked at."""
    same = _same_pixels(prints)
    details = np.array([copies[0].detail for copies in same], dtype=np.float32)
    pairs = _twins(details.reshape(-1, DETAIL_SIDE * DETAIL_SIDE))
    return [(same[i][0].path, same[j][0].path) for i, j in sorted(pairs)]


def _same_pixels(prints: Iterable[Fingerprint]) -> list[list[Fingerprint]]:
    """The photos, identical ones together."""
    by_pixels: dict[str, list[Fingerprint]] = defaultdict(list)
    for one in prints:
        by_pixels[one.pixels].append(one)
    return list(by_pixels.values())


def _connected(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The numbers in the pairs, grouped by being in one pair, directly or through others."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for i, j in pairs:
        neighbours[i].add(j)
        neighbours[j].add(i)
    groups: list[list[int]] = []
    grouped: set[int] = set()
    for start in sorted(neighbours):
        if start not in grouped:
            group = _reached_from(start, neighbours)
            groups.append(sorted(group))
            grouped |= group
    return groups


def _reached_from(start: int, neighbours: Mapping[int, set[int]]) -> set[int]:
    """`start`, its neighbours, theirs, and so on."""
    group, to_visit = {start}, [start]
    while to_visit:
        found = neighbours[to_visit.pop()] - group
        group |= found
        to_visit += found
    return group


def _twins(details: NDArray[np.float32]) -> set[tuple[int, int]]:
    """The pairs (i, j), i < j, of rows that are twins."""
    limit = np.minimum(1 - MIN_CORRELATION, MAX_SHARE_OF_USUAL_DIFFERENCE * _usual_difference(details))
    pairs = set()
    for moved in mirrored_and_turned(details.reshape(-1, DETAIL_SIDE, DETAIL_SIDE)):
        for start, difference in _differences(details, moved.reshape(details.shape)):
            rows = slice(start, start + len(difference))
            first, second = np.nonzero(difference <= np.minimum.outer(limit[rows], limit))
            pairs |= {(i, j) for i, j in zip((first + start).tolist(), second.tolist(), strict=True) if i < j}
    return pairs


def _usual_difference(details: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each photo, its median difference from the others (n,); 1, as for unrelated photos, in a tiny set."""
    if len(details) < MIN_PHOTOS_FOR_USUAL:
        return np.ones(len(details), dtype=np.float32)
    return np.concatenate([np.median(difference, axis=1) for _, difference in _differences(details, details)])


def _differences(a: NDArray[np.float32], b: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """1 - correlation of every row of `a` with every row of `b`, some rows of `a` at a time, with the first's index."""
    for start in range(0, len(a), ROWS_AT_ONCE):
        yield start, 1 - a[start : start + ROWS_AT_ONCE] @ b.T


def mirrored_and_turned(pictures: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The eight ways to lay pictures (n, height, width, ...) down."""
    for quarters in range(4):
        turned = np.rot90(pictures, quarters, axes=(1, 2))
        yield from (turned, turned[:, :, ::-1])
