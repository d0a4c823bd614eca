"""Which masks belong to which photos, what masks say of photos without a label, and ground truth as one mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_sets import SIZE, facts, labels, make, mask, truth, write

from andon import datasets, images
from andon.errors import DatasetError, ImageError
from andon.types import Sample


def test_masks_in_a_folder_per_photo_are_joined_and_never_anothers(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0.png", "train/good/1.png", "validation/good/2.png", "test/good/000.png")
    make(tmp_path, *(f"test/logical/00{number}.png" for number in range(4)))
    folder = tmp_path / "ground_truth/logical"
    for name in ("000/000.png", "002/000.png"):
        mask(folder / name)
    second = np.zeros((*SIZE, 3), dtype=np.uint8)
    second[15:18, 20:25] = 255
    images.write(folder / "002/001.png", second)
    found = {sample.path.stem: sample for sample in datasets.read(tmp_path).samples if sample.is_anomalous}
    assert {stem: [one.relative_to(folder).as_posix() for one in sample.masks] for stem, sample in found.items()} == {
        "000": ["000/000.png"],
        "001": [],
        "002": ["002/000.png", "002/001.png"],
        "003": [],
    }
    assert found["002"].masks[0] == folder / "002/000.png"
    joined = truth(found["002"])
    assert joined[4:9, 6:16].all() and joined[15:18, 20:25].all() and joined.sum() == 50 + 15


@pytest.mark.parametrize(
    ("photo", "masks"),
    [
        ("test/dent/7.png", ["ground_truth/dent/7_mask.png"]),
        ("test/dent/7.png", ["ground_truth/dent/7_mask_1.png", "ground_truth/dent/7_mask_2.png"]),
        ("test/ng/dent/7.png", ["masks/dent/7.png"]),
        ("test/ng/7.png", ["test/masks/ng/7.png"]),
        ("test/ng/7.png", ["masks/7.png"]),
        ("test/ng/7.jpg", ["test/ng/7.png"]),
        ("test/ng/7.jpg", ["test/ng/7_label.bmp"]),
        ("test/ng/7.png", ["test/ng/7_GT.png"]),
        ("test/ng/images/7.png", ["test/ng/masks/7.png"]),
    ],
)
def test_where_masks_may_lie(tmp_path: Path, photo: str, masks: list[str]) -> None:
    make(tmp_path, "train/ok/0.png", "train/ok/1.png", "test/ok/5.png", photo)
    for name in masks:
        mask(tmp_path / name)
    (sample,) = [sample for sample in datasets.read(tmp_path).samples if sample.is_anomalous]
    assert sample.path == tmp_path / photo
    assert sorted(one.relative_to(tmp_path).as_posix() for one in sample.masks) == masks


def test_a_mask_that_may_be_another_photos_is_nobodys(tmp_path: Path) -> None:
    make(tmp_path, "train/ok/0.png", "train/ok/1.png", "test/dent/7.png", "test/rust/7.png")
    mask(tmp_path / "masks/7.png")
    dataset = datasets.read(tmp_path)
    assert not any(sample.masks for sample in dataset.samples)
    assert dataset.unused == (tmp_path / "masks/7.png",)


def test_photos_beside_each_other_are_no_masks(tmp_path: Path) -> None:
    """Another ending, or a name such as bottle_label, does not make a photo a mask."""
    make(tmp_path, "a.jpg", "a.png", "bottle.png", "bottle_label.png")
    assert list(labels(datasets.read(tmp_path))) == ["a.jpg", "a.png", "bottle.png", "bottle_label.png"]


def kolektor(root: Path) -> None:
    """Photos and masks side by side; only Part1 of kos02 has a defect."""
    for folder in ("kos01", "kos02"):
        for part in ("Part0", "Part1"):
            make(root, f"{folder}/{part}.jpg")
            mask(root / f"{folder}/{part}_label.bmp", marks=(folder, part) == ("kos02", "Part1"))


def test_masks_say_which_photos_are_ng(tmp_path: Path) -> None:
    kolektor(tmp_path)
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "marked" and dataset.unused == ()
    assert facts(dataset.samples, tmp_path) == {
        "kos01/Part0.jpg": (None, False, None, None),
        "kos01/Part1.jpg": (None, False, None, None),
        "kos02/Part0.jpg": (None, False, None, None),
        "kos02/Part1.jpg": (None, True, None, "kos02/Part1_label.bmp"),
    }


def test_a_photo_without_a_mask_is_ok_only_where_no_mask_is_empty(tmp_path: Path) -> None:
    make(tmp_path, "images/a.png", "images/b.png", "images/c.png")
    mask(tmp_path / "masks/c.png")
    dataset = datasets.read(tmp_path)
    assert labels(dataset) == {"images/a.png": False, "images/b.png": False, "images/c.png": True}
    assert dataset.notes[1] == "Masks: photos without one are read as OK (a.png, b.png)."
    make(tmp_path, "unsorted/d.png")
    assert labels(datasets.read(tmp_path))["unsorted/d.png"] is None  # it lies among no photos with masks
    (tmp_path / "unsorted/d.png").unlink()
    mask(tmp_path / "masks/b.png", marks=False)
    assert labels(datasets.read(tmp_path)) == {"images/a.png": None, "images/b.png": False, "images/c.png": True}


def test_a_mask_that_marks_a_defect_in_an_ok_photo_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.jpg", "ok/b.jpg", "ng/c.jpg")
    mask(tmp_path / "ok/b_mask.png")
    with pytest.raises(DatasetError, match=r"^ok/b\.jpg is NG by b_mask\.png and OK by its folder"):
        datasets.read(tmp_path)
    expected = {"ok/a.jpg": False, "ok/b.jpg": False, "ng/c.jpg": True}  # and the mask is no photo
    assert labels(datasets.read(tmp_path, ignore_labels=True)) == expected


def test_a_mask_that_cannot_be_read_stops_where_it_is_the_label(tmp_path: Path) -> None:
    kolektor(tmp_path)
    (tmp_path / "kos01/Part0_mask.png").write_bytes(b"rubbish")
    with pytest.raises(
        DatasetError, match="As a mask it says whether its photo is OK; correct it, or pass --ignore-labels"
    ):
        datasets.read(tmp_path)


def test_ng_photos_of_a_table_get_their_masks(tmp_path: Path) -> None:
    make(tmp_path, "images/a.png", "images/b.png")
    mask(tmp_path / "masks/b.png")
    write(tmp_path / "labels.csv", "file,label\na.png,ok\nb.png,ng\n")
    assert facts(datasets.read(tmp_path).samples, tmp_path)["images/b.png"] == (None, True, None, "masks/b.png")


def test_outlines_mark_the_pixels_whose_centres_they_hold() -> None:
    square = ((0.25, 0.25), (0.5, 0.25), (0.5, 0.75), (0.25, 0.75))
    bow_tie = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
    small, _ = datasets.read_mask(Sample(Path("a.png"), outlines=(square,)), (8, 16))
    expected = np.zeros((8, 16), dtype=bool)
    expected[2:6, 4:8] = True
    np.testing.assert_array_equal(small, expected)
    crossed, _ = datasets.read_mask(Sample(Path("a.png"), outlines=(bow_tie,)), (9, 9))
    assert crossed is not None and crossed[4, :4].all() and crossed[4, 5:].all() and not crossed[0:3, 4].any()
    beyond, _ = datasets.read_mask(Sample(Path("a.png"), outlines=(((-1.0, -1.0), (3.0, -1.0), (1.0, 3.0)),)), (8, 16))
    assert beyond is not None and beyond[0].all()


def test_masks_and_outlines_are_joined_at_the_size_of_the_photo(tmp_path: Path) -> None:
    make(tmp_path, "a.png")
    large = np.zeros((40, 60, 3), dtype=np.uint8)
    large[8:18, 12:32] = 255
    images.write(tmp_path / "large.png", large)
    corner = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1))
    sample = Sample(tmp_path / "a.png", True, (tmp_path / "large.png",), outlines=(corner,))
    joined, remarks = datasets.read_mask(sample, SIZE)
    assert joined is not None and joined[4:9, 6:16].all() and joined[0:2, 0:3].all() and joined.sum() == 50 + 6
    assert remarks == ("its mask of 60 x 40 pixels was scaled to the photo's 30 x 20",)
    square = np.zeros((20, 20, 3), dtype=np.uint8)
    images.write(tmp_path / "square.png", square)
    with pytest.raises(ImageError, match="The mask is 20 x 20 pixels but its photo is 30 x 20"):
        datasets.read_mask(Sample(tmp_path / "a.png", True, (tmp_path / "square.png",)), SIZE)
    assert datasets.read_mask(Sample(tmp_path / "a.png", True), SIZE) == (None, ())


def test_a_mask_drawn_on_the_photo_as_it_lies_in_its_file_is_turned_with_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    Image.fromarray(np.zeros((*SIZE, 3), dtype=np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    mask(tmp_path / "mask.png")
    turned, _ = datasets.read_mask(Sample(tmp_path / "a.jpg", True, (tmp_path / "mask.png",)), (SIZE[1], SIZE[0]))
    np.testing.assert_array_equal(turned, np.rot90(images.read_mask(tmp_path / "mask.png"), -1))
