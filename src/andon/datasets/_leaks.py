"""Test photos that the model knows already, whose figures would be too good."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from andon import images
from andon.datasets._dataset import purpose
from andon.datasets._duplicates import Duplicates, Group
from andon.errors import DatasetError, ImageError
from andon.types import Sample

MAX_LISTED = 10


def check_leaks(duplicates: Duplicates, allow_identical: bool = False) -> list[str]:
    """Remarks for the user on test photos that are identical to photos that train or calibrate, or look like them.

    Raises:
        DatasetError: some are identical and `allow_identical` is False; the message lists them.
    """
    identical = [group for group in duplicates.identical if _leaks(group)]
    if identical and not allow_identical:
        listed = "; ".join(" = ".join(str(path) for path in group.paths) for group in identical[:MAX_LISTED])
        more = f"; and {len(identical) - MAX_LISTED} more" if len(identical) > MAX_LISTED else ""
        raise DatasetError(
            f"{_are(_tested(identical), 'identical')} to photos that the model learns from "
            f"({listed}{more}); remove them from one side, or pass --allow-duplicates."
        )
    same = _tested(identical)
    near = _tested(group for group in duplicates.near if _leaks(group)) - same
    too_good = "so that figures measured on them are too good; 'andon data verify' lists them."
    remarks = [f"{_are(same, 'identical')} to photos that the model learns from, {too_good}"] if same else []
    if near:
        look = "1 test photo looks" if len(near) == 1 else f"{len(near)} test photos look"
        remarks.append(f"{look} like photos that the model learns from, {too_good}")
    return remarks


def _leaks(group: Group) -> bool:
    purposes = {purpose(sample) for sample in group.samples}
    return "test" in purposes and bool(purposes & {"train", "calibrate"})


def _tested(groups: Iterable[Group]) -> set[Path]:
    return {sample.path for group in groups for sample in group.samples if purpose(sample) == "test"}


def _are(photos: Collection[Path], kind: str) -> str:
    return f"1 test photo is {kind}" if len(photos) == 1 else f"{len(photos)} test photos are {kind}"


def samples_to_evaluate(
    samples: Iterable[Sample],
    seen: Collection[str],
    set_threshold: Collection[str] = (),
    excluded: Collection[str] = (),
) -> tuple[list[Sample], str]:
    """The photos that may test a model, and a remark for the user, empty where there is nothing to say.

    They are the labelled photos of the test split. NG photos that it learned from are left out, and of the photos
    without a split those that it has seen. Photos that had a say in the threshold are left out, test photos too.

    Args:
        seen: sha256 of the files that the model learned from or was calibrated with, in hex.
        set_threshold: of those that set the threshold.
        excluded: of those that the user left out of the training; of the photos without a split they do not test.

    Raises:
        DatasetError: all of them had a say in the threshold.
    """
    chosen = []
    n_seen = n_calibrated = n_excluded = 0
    for sample in samples:
        if sample.is_anomalous is None or sample.split not in ("test", None):
            continue
        digest = _sha256(sample) if set_threshold or sample.split is None or sample.is_anomalous else ""
        if digest in set_threshold:
            n_calibrated += 1
        elif (sample.split is None or sample.is_anomalous) and digest in seen:
            n_seen += 1
        elif sample.split is None and digest in excluded:
            n_excluded += 1
        else:
            chosen.append(sample)
    if n_calibrated and not chosen:
        raise DatasetError(
            f"All {n_calibrated} photos had a say in the model's threshold, so they cannot show whether it holds; "
            "evaluate other photos, or give --keep-calibrated to evaluate these nevertheless."
        )
    remarks = [f"{n_seen} photos are not evaluated, as the model learned from them."] if n_seen else []
    if n_calibrated:
        remarks.append(f"{n_calibrated} photos are not evaluated, as they had a say in the model's threshold.")
    if n_excluded:
        remarks.append(f"{n_excluded} photos are not evaluated, as they were left out of the training by hand.")
    return chosen, " ".join(remarks)


def count_of(samples: Iterable[Sample], digests: Collection[str]) -> int:
    """How many of the photos are among those with these sha256."""
    return sum(_sha256(sample) in digests for sample in samples) if digests else 0


def _sha256(sample: Sample) -> str:
    """Of the file, in hex; empty where it cannot be read, so that the inspection reports it."""
    try:
        return images.sha256(images.read_bytes(sample.path))
    except ImageError:
        return ""
