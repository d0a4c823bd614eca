"""Which photos train, which judge the methods, and which stay untouched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from andon import datasets
from andon.datasets import Dataset, Duplicates, purpose, samples_to_evaluate
from andon.errors import DatasetError
from andon.types import Sample

Samples = tuple[Sample, ...]


@dataclass(frozen=True)
class Round:
    """One model of each method: what it is trained with, and what it then judges."""

    teach: Samples
    judge: Samples


@dataclass(frozen=True)
class Plan:
    """The same for every method.

    Attributes:
        rounds: one, or one per fold; no photo is judged in two.
        is_test: whether the photos that judge are the test photos.
        untouched: labelled photos that had no part in the comparison, for the last word on the method that is chosen.
        in_words: what the photos are used for.
        remarks: what may make the figures wrong.
    """

    dataset: Dataset
    rounds: tuple[Round, ...]
    is_test: bool
    untouched: Samples
    in_words: str
    remarks: tuple[str, ...]

    @property
    def judged(self) -> list[Sample]:
        """The photos of all rounds, in the rounds' order."""
        return [sample for one in self.rounds for sample in one.judge]


def plan(dataset: Dataset, folds: int | None, seed: int, *, allow_duplicates: bool = False) -> Plan:
    """Compare on the test photos, or, with `folds`, on photos that train, each held out once.

    Raises:
        DatasetError: too few photos, or test photos that are identical to training photos.
    """
    duplicates = datasets.find_duplicates(dataset.samples)
    remarks = [*dataset.remarks, *datasets.check_leaks(duplicates, allow_duplicates)]
    remarks += [f"{path} is left out: {why}" for path, why in duplicates.unreadable.items()]
    readable = [sample for sample in dataset.samples if sample.path not in duplicates.unreadable]
    if folds is None:
        made = _on_test_photos(dataset, readable, seed, duplicates, remarks)
    else:
        made = _on_folds(dataset, readable, folds, seed, duplicates, remarks)
    if not made.judged:
        raise DatasetError(
            f"{dataset.root} holds no labelled photos to compare on; add test photos that are known as OK or NG."
        )
    return made


def _on_test_photos(
    dataset: Dataset, samples: list[Sample], seed: int, duplicates: Duplicates, remarks: list[str]
) -> Plan:
    parts = datasets.split(samples, seed, duplicates.keep_together)
    taught = {duplicates.sha256[s.path] for s in (*parts.train, *parts.calibration)}
    judge, remark = samples_to_evaluate(samples, taught)
    words = (
        f"Each method is trained once and judges {_count(judge)} of the test set. A method that is chosen by this "
        "comparison is picked on the test set, so its figures here flatter it; an honest last word needs photos that "
        "had no part in the choice. --folds 3 compares on the photos that train and leaves test photos untouched."
    )
    one = Round(tuple(samples), tuple(judge))
    return Plan(dataset, (one,), True, (), words, (*remarks, *([remark] if remark else [])))


def _on_folds(
    dataset: Dataset, samples: list[Sample], k: int, seed: int, duplicates: Duplicates, remarks: list[str]
) -> Plan:
    groups = duplicates.keep_together
    parts = datasets.split(samples, seed, groups)
    ok = [s for s in samples if purpose(s) in ("train", "calibrate") and s not in parts.set_aside]
    if len(ok) < 2 * k:
        raise DatasetError(f"{len(ok)} OK photos are too few for {k} folds; use fewer folds, or add OK photos.")
    tested = [s for s in samples if s.is_anomalous is not None and s.split in ("test", None) and s not in ok]
    ng, source = [s for s in samples if s.is_anomalous and s not in tested], "those outside the test split"
    if not ng:
        ng = list(datasets.deal([s for s in tested if s.is_anomalous], 2, seed, groups)[0])
        source = "half of those in the test split, as none are labelled outside it"
    untouched = tuple(s for s in tested if s not in ng)
    teaches = [*ok, *(replace(s, split="train") for s in ng)]  # NG photos train the detectors that want them
    rounds = []
    for good, bad in zip(datasets.deal(ok, k, seed, groups), datasets.deal(ng, k, seed, groups), strict=True):
        held_out = {sample.path for sample in (*good, *bad)}
        rounds.append(Round(tuple(s for s in teaches if s.path not in held_out), (*good, *bad)))
    words = (
        f"Each method is trained {k} times. The {len(ok)} OK photos to learn from and {len(ng)} NG photos ({source}) "
        f"are dealt into {k} folds; each photo is judged once, by a model that has not seen it. {_count(untouched)} "
        "are left untouched: train the method that you choose with 'andon train' and evaluate it on these in the end."
    )
    return Plan(dataset, tuple(rounds), False, untouched, words, tuple(remarks))


def _count(samples: Sequence[Sample]) -> str:
    n_ng = sum(bool(sample.is_anomalous) for sample in samples)
    return f"{len(samples) - n_ng} OK and {n_ng} NG photos"
