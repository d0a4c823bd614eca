"""Capture sessions: where they come from, and that whole ones are held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_sets
from PIL import Image

from andon import datasets
from andon.datasets import split, with_sessions
from andon.errors import DatasetError, InputError
from andon.types import Sample


def read(root: Path, *names: str) -> datasets.Dataset:
    small_sets.make(root, *names)
    return datasets.read(root)


def sessions(dataset: datasets.Dataset) -> dict[str, str | None]:
    return {sample.path.name: sample.session for sample in dataset.samples}


def of_days(*days: int) -> list[Sample]:
    """As many OK photos per day as the numbers say."""
    return [
        Sample(Path(f"train/{day}_{i:03d}.png"), False, split="train", session=f"day {day}")
        for day, n in enumerate(days)
        for i in range(n)
    ]


def with_date(path: Path, written: str | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if written is not None:
        exif.get_ifd(0x8769)[0x9003] = written
    noise = np.random.default_rng(list(path.name.encode())).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(noise).save(path, exif=exif)


def test_a_pattern_in_file_names_takes_the_first_group_or_all_of_it(tmp_path: Path) -> None:
    dataset = read(tmp_path, *(f"train/good/p_2009{day}_{i}.png" for day in ("05", "06") for i in range(3)))
    grouped = with_sessions(dataset, r"_2009(\d\d)_")
    assert set(sessions(grouped).values()) == {"05", "06"}
    assert "2 of them, 05 to 06" in grouped.session_note
    assert set(sessions(with_sessions(dataset, r"2009\d\d")).values()) == {"200905", "200906"}


def test_what_a_pattern_cannot_be_is_said(tmp_path: Path) -> None:
    dataset = read(tmp_path, *(f"train/good/a{i}.png" for i in range(4)), "train/good/b.png")
    with pytest.raises(InputError, match="not a regular expression"):
        with_sessions(dataset, "(")
    with pytest.raises(DatasetError, match=r"1 of 5 OK photos belong to no session, .*b\.png"):
        with_sessions(dataset, "a")
    with pytest.raises(DatasetError, match="makes 5 sessions of 5 photos"):
        with_sessions(dataset, ".+")


def test_folders_are_sessions_where_asked_or_where_their_names_are_dates(tmp_path: Path) -> None:
    dated = read(tmp_path / "a", *(f"train/good/2026-09-0{day}/{day}{i}.png" for day in (1, 2) for i in range(3)))
    assert set(sessions(with_sessions(dated)).values()) == {"2026-09-01", "2026-09-02"}
    lines = read(tmp_path / "b", *(f"train/good/line {x}/{x}{i}.png" for x in "ab" for i in range(3)))
    assert set(sessions(with_sessions(lines)).values()) == {None}
    assert set(sessions(with_sessions(lines, "folder")).values()) == {"line a", "line b"}
    no_date = read(tmp_path / "c", *(f"train/good/2026-19-0{x}/{x}{i}.png" for x in (1, 2) for i in range(3)))
    assert set(sessions(with_sessions(no_date)).values()) == {None}


def test_capture_dates_are_sessions_where_all_photos_have_one(tmp_path: Path) -> None:
    for i, day in enumerate(("2026:09:01", "2026:09:01", "2026:09:02", "2026:09:02")):
        with_date(tmp_path / "train" / "good" / f"{i}.jpg", f"{day} 10:00:0{i}")
    found = with_sessions(datasets.read(tmp_path))
    assert [sessions(found)[f"{i}.jpg"] for i in range(4)] == ["2026-09-01"] * 2 + ["2026-09-02"] * 2
    assert set(sessions(with_sessions(datasets.read(tmp_path), "none")).values()) == {None}
    with_date(tmp_path / "train" / "good" / "4.jpg", "0000:00:00 00:00:00")
    undated = with_sessions(datasets.read(tmp_path))
    assert set(sessions(undated).values()) == {None} and "nothing is known of another day" in undated.session_note


def test_one_session_says_that_nothing_is_known_of_another_day(tmp_path: Path) -> None:
    dataset = with_sessions(read(tmp_path, *(f"train/good/x1_{i}.png" for i in range(4))), "x1")
    assert "one capture session, x1" in dataset.session_note
    assert "nothing is known of another day" in dataset.session_note


@pytest.mark.parametrize(("days", "folds"), [((30, 20), 2), ((5, 9, 7, 6), 4), ((10,) * 12, 5)])
def test_whole_sessions_are_held_out(days: tuple[int, ...], folds: int) -> None:
    samples = of_days(*days)
    partition = split(samples, seed=0)
    assert len(partition.folds) == folds and set(partition.train) == set(samples)
    assert sorted(s.path for fold in partition.folds for s in fold.held_out) == sorted(s.path for s in samples)
    for fold in partition.folds:
        assert not {s.session for s in fold.train} & {s.session for s in fold.held_out}
    assert f"({len(days)} sessions)" in partition.note


def test_a_twin_from_another_day_does_not_train_where_its_fellow_is_held_out() -> None:
    samples = of_days(10, 10)
    twins = frozenset({samples[0].path, samples[10].path})
    for fold in split(samples, 0, [twins]).folds:
        assert len(fold.held_out) == 10 and len(fold.train) == 9
        assert not (twins & {s.path for s in fold.train} and twins & {s.path for s in fold.held_out})


def test_with_one_fold_a_whole_session_calibrates() -> None:
    partition = split(of_days(30, 12, 40), 0, folds=1)
    assert {s.session for s in partition.calibration} in ({"day 1"}, {"day 0"})
    assert not {s.session for s in partition.calibration} & {s.session for s in partition.train}
    assert len(partition.calibration) == 12


def test_sessions_that_look_alike_throughout_are_not_held_out_and_it_is_said() -> None:
    samples = of_days(6, 6)
    partition = split(samples, 0, [frozenset({a.path, b.path}) for a, b in zip(samples[:6], samples[6:], strict=True)])
    assert "no whole session can be held out" in partition.note and len(partition.folds) > 1
