"""Which photos train and which calibrate: a threshold needs OK photos that the model has not seen, nor any twin."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from andon.datasets._dataset import purpose
from andon.datasets._sessions import sessions_of
from andon.errors import DatasetError
from andon.types import Sample

HELD_OUT_SHARE = 5  # a fifth
MIN_CALIBRATION = 20
MIN_HELD_OUT = 2
MIN_SET_ASIDE = 2
MIN_LEARNING = 6  # where NG photos are there, fewer OK photos than that and the two to test are all needed to train
FOLDS = 5
LEAVE_ONE_OUT_BELOW = 10

Samples = tuple[Sample, ...]
Groups = Sequence[frozenset[Path]]
Cluster = list[Sample]  # one photo, or several that must stay together


@dataclass(frozen=True)
class Fold:
    """One round of k-fold calibration: a model that learned from `train` scores `held_out`."""

    train: Samples
    held_out: Samples


@dataclass(frozen=True)
class Partition:
    """The parts that the OK photos of a data set play in training one model.

    Attributes:
        train: what the final model learns from.
        calibration: what sets its threshold; empty where `folds` are used.
        folds: each training photo is held out in exactly one; empty where `calibration` is used.
        set_aside: OK photos of a set without splits, kept for testing.
        note: for the user, how the parts were found.
    """

    train: Samples
    calibration: Samples
    folds: tuple[Fold, ...]
    set_aside: Samples
    note: str


def split(samples: Iterable[Sample], seed: int, groups: Groups = (), folds: int = FOLDS) -> Partition:
    """Divide the OK photos of a data set; its test, NG and unlabelled photos have no part in this.

    OK photos of the calibration split calibrate, except those with a twin that trains. Where there are none, every OK
    photo trains the final model and calibration is by k-fold: `folds` models score the photos that they have not seen;
    below 10 photos one is left out at a time. Where the photos are of two or more capture sessions, whole sessions are
    held out, without the training photos that look like one of them. Where the photos have no split and there are NG
    photos to test with, a fifth of the OK photos, two at least, is first set aside for testing, unless fewer than six
    would be left.

    Args:
        groups: photos that must stay on one side, see `Duplicates.keep_together`.
        folds: how many models score the photos that they have not seen. With 1 a fifth is held out instead and does not
            train, for a detector whose training takes long.

    Raises:
        DatasetError: there are fewer than two different OK photos to learn from.
    """
    ordered = sorted(samples, key=lambda sample: sample.path)
    rng = random.Random(seed)
    clusters, set_aside = _set_aside(ordered, groups, rng)
    train = flat(clusters)
    given = [sample for sample in ordered if purpose(sample) == "calibrate"]
    calibration = without_twins(given, train, groups)
    tested = {sample.is_anomalous for sample in ordered if purpose(sample) == "test"}
    only_ng = not set_aside and tested == {True}
    remarks = _remarks(len(set_aside), len(given) - len(calibration), only_ng)
    if calibration:
        note = f"{len(calibration)} OK photos of the calibration split calibrate{_if_few(len(calibration))}."
        return Partition(train, calibration, (), set_aside, remarks + note)
    sessions = list(sessions_of(train).values())
    if folds == 1:
        learning, held_out = _sessions_apart(sessions, groups, rng) or _apart(clusters, rng)
        note = f"{len(held_out)} of {len(train)} OK photos (seed {seed}) are held out to calibrate"
        return Partition(learning, held_out, (), set_aside, f"{remarks}{note}{_if_few(len(held_out))}.")
    by_session = _session_folds(sessions, folds, groups, rng)
    rounds = by_session or _folds(clusters, folds, rng)
    if sessions[1:] and not by_session:
        remarks += "Photos of different sessions look alike, so no whole session can be held out. "
    unseen = f"its session ({len(sessions)} sessions)" if by_session else "it"
    note = (
        f"Each of the {len(train)} OK photos calibrates, scored by one of {len(rounds)} models that have not seen "
        f"{unseen}{_if_few(len(train))}."
    )
    return Partition(train, (), rounds, set_aside, remarks + note)


def _set_aside(ordered: list[Sample], groups: Groups, rng: random.Random) -> tuple[list[Cluster], Samples]:
    """The clusters to learn from and the photos to keep for testing."""
    learning = [sample for sample in ordered if purpose(sample) == "train"]
    if len(learning) < 2:
        found = "only one OK photo" if learning else "no OK photo"
        raise DatasetError(f"There is {found} to learn from; put at least 2, preferably 50, into train/good.")
    clusters = grouped(learning, groups)
    has_no_split = all(sample.split is None for sample in ordered)
    has_ng = any(sample.is_anomalous for sample in ordered)
    if not (has_no_split and has_ng) or len(learning) < MIN_LEARNING + MIN_SET_ASIDE:
        return clusters, ()
    return hold_out(clusters, max(len(learning) // HELD_OUT_SHARE, MIN_SET_ASIDE), rng)


def grouped(samples: list[Sample], groups: Groups) -> list[Cluster]:
    """The samples, those of one group in one cluster."""
    group_of = {path: group for group in groups for path in group}
    clusters: dict[frozenset[Path], Cluster] = {}
    for sample in samples:
        clusters.setdefault(group_of.get(sample.path, frozenset({sample.path})), []).append(sample)
    return list(clusters.values())


def count_different(samples: Sequence[Sample], groups: Groups) -> int:
    """How many different pictures the samples show; those of one group show the same."""
    return len(grouped(list(samples), groups))


def flat(clusters: Iterable[Cluster]) -> Samples:
    """The clusters' samples, sorted by path."""
    return tuple(sorted((sample for cluster in clusters for sample in cluster), key=lambda sample: sample.path))


def without_twins(samples: list[Sample], others: Samples, groups: Groups) -> Samples:
    """The samples that are in no group with any of `others`."""
    paths = {sample.path for sample in others}
    twins = frozenset().union(*(group for group in groups if not group.isdisjoint(paths)))
    return tuple(sample for sample in samples if sample.path not in twins)


def hold_out(clusters: list[Cluster], n: int, rng: random.Random) -> tuple[list[Cluster], Samples]:
    """The rest, and at most `n` photos chosen by chance, whole clusters at a time."""
    rest: list[Cluster] = []
    held_out: list[Cluster] = []
    room = n
    for cluster in rng.sample(clusters, len(clusters)):
        fits = len(cluster) <= room
        (held_out if fits else rest).append(cluster)
        room -= len(cluster) if fits else 0
    return rest, flat(held_out)


def _apart(clusters: list[Cluster], rng: random.Random) -> tuple[Samples, Samples]:
    """What learns, and a fifth that calibrates, two photos at least."""
    n = sum(map(len, clusters))
    rest, held_out = hold_out(clusters, max(n // HELD_OUT_SHARE, MIN_HELD_OUT), rng)
    return flat(rest), held_out


def _sessions_apart(sessions: list[Cluster], groups: Groups, rng: random.Random) -> tuple[Samples, Samples] | None:
    """The same by whole sessions: a fifth of the photos, or the smallest session; None where that cannot be."""
    if len(sessions) < 2:
        return None
    learning, held_out = _apart(sessions, rng)
    if not held_out:
        smallest = min(sessions, key=len)
        learning, held_out = flat(one for one in sessions if one is not smallest), flat([smallest])
    held_out = without_twins(list(held_out), learning, groups)
    return (learning, held_out) if len(held_out) >= MIN_HELD_OUT else None


def _session_folds(sessions: list[Cluster], folds: int, groups: Groups, rng: random.Random) -> tuple[Fold, ...]:
    """Folds of whole sessions; none where there are fewer than two, or where twins tie them together."""
    if len(sessions) < 2:
        return ()
    dealt = _deal(sorted(rng.sample(sessions, len(sessions)), key=len, reverse=True), min(folds, len(sessions)))
    rounds = []
    for part in dealt:
        held_out = flat(part)
        others = flat(cluster for other in dealt if other is not part for cluster in other)
        rounds.append(Fold(without_twins(list(others), held_out, groups), held_out))
    return tuple(rounds) if all(len(fold.train) > 1 for fold in rounds) else ()


def _folds(clusters: list[Cluster], folds: int, rng: random.Random) -> tuple[Fold, ...]:
    """Folds of nearly the same size, made of whole clusters."""
    samples = flat(clusters)
    if len(clusters) < 2:
        raise DatasetError(f"All {len(samples)} OK photos show the same picture; at least 2 different ones are needed.")
    k = len(clusters) if len(samples) < LEAVE_ONE_OUT_BELOW else min(folds, len(clusters))
    parts = _deal(sorted(rng.sample(clusters, len(clusters)), key=len, reverse=True), k)
    return tuple(
        Fold(train=flat(cluster for other in parts if other is not part for cluster in other), held_out=flat(part))
        for part in parts
    )


def _deal(clusters: Iterable[Cluster], k: int) -> list[list[Cluster]]:
    """The clusters in `k` parts of nearly the same size: each goes to the smallest so far."""
    parts: list[list[Cluster]] = [[] for _ in range(k)]
    for cluster in clusters:
        min(parts, key=lambda part: sum(map(len, part))).append(cluster)
    return parts


def deal(samples: Iterable[Sample], k: int, seed: int, groups: Groups = ()) -> tuple[Samples, ...]:
    """The photos in `k` parts of nearly the same size, by chance, with as much of each kind of defect in every part.

    Args:
        groups: photos that must stay in one part, see `Duplicates.keep_together`.
    """
    clusters = grouped(sorted(samples, key=lambda sample: sample.path), groups)
    shuffled = random.Random(seed).sample(clusters, len(clusters))
    by_kind = sorted(shuffled, key=lambda cluster: cluster[0].defect or "")
    return tuple(flat(part) for part in _deal(by_kind, k))


def _remarks(n_set_aside: int, n_left_out: int, only_ng: bool) -> str:
    remarks = ""
    if n_set_aside:
        remarks += f"{n_set_aside} OK photos are set aside for testing, as the set has no test split. "
    if only_ng:
        remarks += "There is no OK photo to test with, so an evaluation can count escapes but not false rejects. "
    if n_left_out:
        photos = "photo is" if n_left_out == 1 else "photos are"
        remarks += f"{n_left_out} calibration {photos} left out, because a photo that looks alike trains. "
    return remarks


def _if_few(n: int) -> str:
    return f"; with {MIN_CALIBRATION} or more the threshold would be steadier" if n < MIN_CALIBRATION else ""
