"""Test photos that the model knows already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from andon import images
from andon.datasets import Duplicates, Group, check_leaks, samples_to_evaluate
from andon.errors import DatasetError
from andon.types import Sample, Split


def sample(name: str, split: Split | None, is_anomalous: bool | None = False) -> Sample:
    return Sample(Path(name), is_anomalous=is_anomalous, split=split)


def duplicates(identical: Sequence[tuple[Sample, ...]], near: Sequence[tuple[Sample, ...]] = ()) -> Duplicates:
    return Duplicates(tuple(map(Group, identical)), tuple(map(Group, near)), {}, {})


TRAIN = sample("train/good/a.png", "train")
TRAIN_NG = sample("train/bad/a.png", "train", True)
CALIBRATION = sample("valid/good/b.png", "calibration")
TEST = sample("test/good/c.png", "test")
TEST_NG = sample("test/rust/d.png", "test", True)
FREE_OK = sample("ok/e.png", None)
FREE_NG = sample("ng/f.png", None, True)


@pytest.mark.parametrize(
    "pair",
    [(TRAIN, TEST), (TRAIN, TEST_NG), (CALIBRATION, TEST), (FREE_OK, FREE_NG)],
    ids=lambda pair: str(pair[1].path),
)
def test_a_test_photo_identical_to_one_that_teaches_is_refused_with_its_name(pair: tuple[Sample, Sample]) -> None:
    with pytest.raises(DatasetError) as caught:
        check_leaks(duplicates([pair]))
    assert str(pair[0].path) in str(caught.value) and str(pair[1].path) in str(caught.value)
    assert str(caught.value).startswith("1 test photo is identical") and "--allow-duplicates" in str(caught.value)


def test_identical_photos_can_be_allowed_and_are_remarked() -> None:
    (remark,) = check_leaks(duplicates([(TRAIN, TEST)]), allow_identical=True)
    assert remark.startswith("1 test photo is identical to photos that the model learns from")


def test_photos_that_look_alike_are_a_remark_with_the_count() -> None:
    (remark,) = check_leaks(duplicates([], [(TRAIN, TEST), (CALIBRATION, TEST_NG)]))
    assert remark.startswith("2 test photos look like photos that the model learns from")


def test_an_identical_photo_is_not_counted_as_one_that_looks_alike_too() -> None:
    remarks = check_leaks(duplicates([(TRAIN, TEST)], [(TRAIN, TEST, TEST_NG)]), allow_identical=True)
    assert [remark.split(" photos ")[0] for remark in remarks] == [
        "1 test photo is identical to",
        "1 test photo looks like",
    ]


@pytest.mark.parametrize("pair", [(TRAIN, CALIBRATION), (TRAIN, TRAIN_NG), (TRAIN_NG, TEST_NG), (TEST, TEST_NG)])
def test_other_repetitions_are_no_leaks(pair: tuple[Sample, Sample]) -> None:
    assert check_leaks(duplicates([pair], [pair])) == []


def test_a_long_list_is_cut() -> None:
    pairs = [(TRAIN, sample(f"test/good/{i}.png", "test")) for i in range(14)]
    with pytest.raises(DatasetError, match=r"^14 test photos are identical .*; and 4 more\); remove"):
        check_leaks(duplicates(pairs))


def test_photos_that_taught_the_model_do_not_test_it(tmp_path: Path) -> None:
    seen = set()
    samples = []
    for i in range(6):
        path = tmp_path / f"{i}.png"
        images.write(path, np.full((20, 30, 3), 40 * i, dtype=np.uint8))
        if i < 3:
            seen.add(images.sha256(path.read_bytes()))
        samples.append(Sample(path, is_anomalous=i == 5))
    chosen, remark = samples_to_evaluate(samples, seen)
    assert chosen == samples[3:]
    assert remark == "3 photos are not evaluated, as the model learned from them."


def test_a_test_split_is_evaluated_as_it_is() -> None:
    unlabelled = sample("test/x.png", "test", None)
    chosen, remark = samples_to_evaluate([TRAIN, CALIBRATION, TEST, TEST_NG, unlabelled], seen=set())
    assert chosen == [TEST, TEST_NG]
    assert remark == ""


def test_a_photo_that_disappeared_is_left_to_the_inspection(tmp_path: Path) -> None:
    gone = Sample(tmp_path / "gone.png", is_anomalous=False)
    assert samples_to_evaluate([gone], seen=set()) == ([gone], "")
