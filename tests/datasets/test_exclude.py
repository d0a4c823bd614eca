"""Photos that the user leaves out by a text file."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_sets

from andon import datasets
from andon.datasets import Dataset
from andon.errors import DatasetError, InputError

PHOTOS = ("train/good/a.png", "train/good/b.png", "train/good/c d.png", "test/good/a.png", "test/rust/e.png")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    small_sets.make(tmp_path, *PHOTOS)
    return datasets.read(tmp_path)


def excluded(dataset: Dataset) -> list[str]:
    return [dataset.name_of(sample.path) for sample in dataset.excluded]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("train/good/b.png", ["train/good/b.png"]),
        ("./train/good/b.png\r\n\r\n  c d.png  ", ["train/good/b.png", "train/good/c d.png"]),
        ("train\\good\\b.png", ["train/good/b.png"]),
        ("# train/good/b.png\n  # c d.png\n", []),
        ("b.png # glare", ["train/good/b.png"]),
        ("a.png", ["train/good/a.png"]),  # of the two, the one that trains
        ("\ufeffb.png\nb.png", ["train/good/b.png"]),
    ],
)
def test_a_line_is_a_path_or_a_name(dataset: Dataset, tmp_path: Path, lines: str, expected: list[str]) -> None:
    small_sets.write(tmp_path / "some.txt", lines)
    left = datasets.excluding(dataset, tmp_path / "some.txt")
    assert excluded(left) == expected
    assert {dataset.name_of(s.path) for s in left.samples} == set(PHOTOS) - set(expected)


def test_a_line_that_matches_nothing_is_told(dataset: Dataset, tmp_path: Path) -> None:
    small_sets.write(tmp_path / "some.txt", "b.png\n\nbolt.png\n")
    left = datasets.excluding(dataset, tmp_path / "some.txt")
    assert excluded(left) == ["train/good/b.png"]
    assert "1 photo is left out, as some.txt says: train/good/b.png." in left.remarks
    assert any("some.txt, line 3: 'bolt.png' is no photo of the data set" in remark for remark in left.remarks)


def test_the_data_sets_own_file_is_used_by_itself_and_said_so(dataset: Dataset, tmp_path: Path) -> None:
    assert datasets.excluding(dataset) is dataset
    small_sets.write(tmp_path / "exclude.txt", "b.png")
    left = datasets.excluding(dataset)
    assert excluded(left) == ["train/good/b.png"]
    assert any("as exclude.txt says" in remark for remark in left.remarks)
    small_sets.write(tmp_path / "other.txt", "c d.png")
    assert excluded(datasets.excluding(dataset, tmp_path / "other.txt")) == ["train/good/c d.png"]


def test_a_name_that_two_photos_have_is_refused(tmp_path: Path) -> None:
    small_sets.make(tmp_path, "train/good/one/a.png", "train/good/two/a.png", "train/good/two/b.png")
    dataset = datasets.read(tmp_path)
    small_sets.write(tmp_path / "exclude.txt", "# twice\na.png")
    with pytest.raises(DatasetError, match=r"exclude.txt, line 2, names a.png, as 2 photos are called"):
        datasets.excluding(dataset)


@pytest.mark.parametrize("content", [None, b"\x89PNG\0\0"])
def test_a_file_that_is_not_text_is_refused(dataset: Dataset, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "some.txt").write_bytes(content)
    with pytest.raises(InputError, match="one photo a line"):
        datasets.excluding(dataset, tmp_path / "some.txt")


def test_exclude_txt_is_not_taken_for_labels(tmp_path: Path) -> None:
    small_sets.make(tmp_path, "exclude.png", "b.png", "c.png")
    small_sets.write(tmp_path / "exclude.txt", "ok")
    assert len(datasets.read(tmp_path).samples) == 3
