"""Who teaches and who calibrates."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from andon.datasets import Partition, split
from andon.errors import DatasetError
from andon.types import Sample, Split


def ok(n: int, which: Split | None = "train", start: int = 0) -> list[Sample]:
    return [Sample(Path(f"{which}/ok/{i:04d}.png"), is_anomalous=False, split=which) for i in range(start, start + n)]


def ng(n: int, which: Split | None = "test") -> list[Sample]:
    return [Sample(Path(f"{which}/ng/{i:04d}.png"), is_anomalous=True, split=which, defect="ng") for i in range(n)]


def group(*samples: Sample) -> frozenset[Path]:
    return frozenset(sample.path for sample in samples)


def used(partition: Partition) -> set[Sample]:
    everything = {*partition.train, *partition.calibration, *partition.set_aside}
    return everything.union(*(fold.train + fold.held_out for fold in partition.folds))


def test_given_calibration_photos_calibrate() -> None:
    train, calibration = ok(30), ok(25, "calibration")
    partition = split(train + calibration, seed=0)
    assert partition.train == tuple(train)
    assert partition.calibration == tuple(calibration)
    assert partition.folds == () and partition.set_aside == ()
    assert partition.note == "25 OK photos of the calibration split calibrate."


def test_few_given_calibration_photos_are_remarked() -> None:
    assert "with 20 or more the threshold would be steadier" in split(ok(30) + ok(3, "calibration"), seed=0).note


def test_with_one_fold_a_fifth_is_held_out_and_the_note_says_so() -> None:
    partition = split(ok(103), seed=7, folds=1)
    assert (len(partition.train), len(partition.calibration)) == (83, 20)
    assert not set(partition.train) & set(partition.calibration)
    assert partition.folds == ()
    assert partition.note == "20 of 103 OK photos (seed 7) are held out to calibrate."


@pytest.mark.parametrize(("n", "k"), [(500, 5), (99, 5), (54, 5), (10, 5), (9, 9), (2, 2)])
def test_every_photo_trains_and_is_held_out_once(n: int, k: int) -> None:
    samples = ok(n)
    partition = split(samples, seed=0)
    assert partition.train == tuple(samples) and partition.calibration == ()
    assert len(partition.folds) == k
    assert sorted(sample.path for fold in partition.folds for sample in fold.held_out) == [s.path for s in samples]
    for fold in partition.folds:
        assert set(fold.train) == set(samples) - set(fold.held_out)
        assert abs(len(fold.held_out) - n / k) < 1
    assert f"scored by one of {k} models" in partition.note


def test_folds_are_as_many_as_the_recipe_says() -> None:
    assert len(split(ok(40), seed=0, folds=8).folds) == 8


def test_test_photos_ng_and_unlabelled_ones_have_no_part() -> None:
    others = ok(40, "test") + ng(9) + ng(9, "train") + ng(9, "calibration")
    others += [Sample(Path("train/x.png"), split="train"), Sample(Path("calibration/x.png"), split="calibration")]
    train, calibration = ok(30), ok(25, "calibration")
    assert used(split(train + calibration + others, seed=0)) == {*train, *calibration}
    assert used(split(ok(120) + others, seed=0)) == set(ok(120))
    assert used(split(train + others, seed=0)) == set(train)


def test_a_calibration_photo_with_a_twin_that_teaches_is_left_out() -> None:
    train, calibration = ok(30), ok(25, "calibration")
    partition = split(train + calibration, 0, [group(train[3], calibration[4]), group(calibration[7], calibration[8])])
    assert set(partition.calibration) == set(calibration) - {calibration[4]}
    assert len(partition.train) == 30
    assert partition.note.startswith("1 calibration photo is left out, because a photo that looks alike trains. 24 OK")


def test_if_no_calibration_photo_is_left_the_training_photos_are_divided() -> None:
    train, calibration = ok(30), ok(1, "calibration")
    partition = split(train + calibration, 0, [group(train[0], calibration[0])])
    assert partition.calibration == () and len(partition.folds) == 5


@given(seed=st.integers(0, 1000), n=st.sampled_from([12, 60, 150]), data=st.data())
def test_twins_stay_on_one_side(seed: int, n: int, data: st.DataObject) -> None:
    samples = ok(n)
    cuts = sorted(data.draw(st.sets(st.integers(2, n - 2), min_size=1, max_size=n // 4)))
    order = random.Random(seed).sample(samples, n)
    groups = [group(*order[a:b]) for a, b in zip([0, *cuts], [*cuts, n], strict=True) if b - a > 1]
    partition, once = split(samples, seed, groups), split(samples, seed, groups, folds=1)
    sides = [(once.train, once.calibration)] if once.calibration else []
    sides += [(fold.train, fold.held_out) for fold in partition.folds]
    assert partition.folds
    for learnt, held_out in sides:
        assert learnt and held_out and len(learnt) + len(held_out) == n
        for twins in groups:
            assert not (twins & group(*learnt) and twins & group(*held_out))


def test_folds_stay_balanced_with_large_groups() -> None:
    samples = ok(50)
    groups = [group(*samples[start : start + 5]) for start in range(0, 50, 5)]
    assert {len(fold.held_out) for fold in split(samples, 0, groups).folds} == {10}


def test_folds_stay_balanced_with_one_large_group() -> None:
    samples = ok(50)
    assert {len(fold.held_out) for fold in split(samples, 0, [group(*samples[:10])]).folds} == {10}


def test_two_groups_of_twins_make_two_folds() -> None:
    samples = ok(200)
    partition = split(samples, 0, [group(*samples[:100]), group(*samples[100:])])
    assert partition.calibration == () and [len(fold.held_out) for fold in partition.folds] == [100, 100]


def test_the_seed_decides_and_nothing_else() -> None:
    samples = ok(150) + ng(5)
    shuffled = random.Random(3).sample(samples, len(samples))
    assert split(samples, seed=1) == split(shuffled, seed=1)
    assert split(samples, seed=1).folds != split(samples, seed=2).folds
    assert split(samples, seed=1, folds=1) == split(shuffled, seed=1, folds=1)
    assert split(samples, seed=1, folds=1).calibration != split(samples, seed=2, folds=1).calibration


def test_a_set_without_splits_keeps_some_ok_photos_for_testing() -> None:
    partition = split(ok(150, None) + ng(8, None), seed=0)
    assert (len(partition.train), len(partition.folds), len(partition.set_aside)) == (120, 5, 30)
    assert used(partition) == set(ok(150, None))
    assert partition.note.startswith(
        "30 OK photos are set aside for testing, as the set has no test split. Each of the"
    )


def test_nothing_is_set_aside_where_it_would_not_help() -> None:
    assert split(ok(150, None), seed=0).set_aside == ()  # no NG photos to test against
    too_few = split(ok(7, None) + ng(8, None), seed=0)
    assert too_few.set_aside == () and too_few.note.startswith("There is no OK photo to test with")
    assert [len(split(ok(n, None) + ng(8, None), seed=0).set_aside) for n in (8, 14, 15, 25)] == [2, 2, 3, 5]
    assert split(ok(150) + ng(8), seed=0).set_aside == ()  # the set has splits


def test_too_few_ok_photos_are_refused() -> None:
    with pytest.raises(DatasetError, match="no OK photo to learn from"):
        split(ng(5) + ok(5, "test"), seed=0)
    with pytest.raises(DatasetError, match="only one OK photo to learn from"):
        split(ok(1), seed=0)
    with pytest.raises(DatasetError, match="All 4 OK photos show the same picture"):
        split(ok(4), seed=0, groups=[group(*ok(4))])
