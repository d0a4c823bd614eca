"""Labels that annotation tools write: COCO, YOLO, and forms that are not read but never passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_sets import SIZE, facts, labels, make, truth, write

from andon import datasets
from andon.datasets import Dataset
from andon.errors import DatasetError
from andon.types import Sample

HEIGHT, WIDTH = SIZE
BOX = [6, 4, 10, 5]  # x, y, width, height of rows 4 to 8 and columns 6 to 15


def coco(
    root: Path,
    *,
    table: str = "train/_annotations.coco.json",
    photos: str = "train",
    category: str = "rust",
    shape: object = (),
    **more: Any,
) -> None:
    """Three photos, of which the last has one annotation."""
    names = [f"{photos}/{number}.png" for number in range(3)]
    make(root, *names)
    content = {
        "images": [
            {"id": number, "file_name": Path(name).name, "width": WIDTH, "height": HEIGHT}
            for number, name in enumerate(names)
        ],
        "categories": [{"id": 0, "name": "parts"}, {"id": 1, "name": category}],
        "annotations": [{"id": 0, "image_id": 2, "category_id": 1, "bbox": BOX, "segmentation": shape}],
    }
    write(root / table, json.dumps(content | more))


def ng(dataset: Dataset) -> Sample:
    """The one NG photo."""
    (sample,) = [sample for sample in dataset.samples if sample.is_anomalous]
    return sample


def test_annotated_photos_are_ng_and_the_others_ok(tmp_path: Path) -> None:
    coco(tmp_path)
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "coco"
    assert facts(dataset.samples, tmp_path) == {
        "train/0.png": ("train", False, None, None),
        "train/1.png": ("train", False, None, None),
        "train/2.png": ("train", True, "rust", None),
    }
    assert dataset.notes == ("_annotations.coco.json: 1 of 3 photos are annotated and read as NG.",)


@pytest.mark.parametrize("table", ["annotations/instances_default.json", "labels.json"])
def test_annotations_beside_the_folder_of_photos(tmp_path: Path, table: str) -> None:
    coco(tmp_path, table=table, photos="images")
    assert labels(datasets.read(tmp_path)) == {"images/0.png": False, "images/1.png": False, "images/2.png": True}


def runs(mask: np.ndarray[Any, Any]) -> list[int]:
    """COCO's uncompressed run lengths of a mask."""
    flat = mask.T.ravel()
    borders = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff([0, *borders, flat.size]).tolist()
    return [0, *lengths] if flat[0] else lengths


DRAWN = np.zeros(SIZE, dtype=bool)
DRAWN[4:9, 6:16] = True
TWO_PARTS = DRAWN.copy()
TWO_PARTS[0:2, 0:3] = True
TWO_PARTS[6, 9:12] = True


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), DRAWN),
        ([[6, 4, 16, 4, 16, 9, 6, 9]], DRAWN),
        ({"size": [*SIZE], "counts": runs(TWO_PARTS)}, TWO_PARTS),
        ({"size": [*SIZE], "counts": "l35?00000000000000000d8"}, None),
    ],
    ids=["box", "polygon", "runs", "compressed runs"],
)
def test_ground_truth_is_drawn_from_boxes_polygons_and_runs(tmp_path: Path, shape: object, expected: object) -> None:
    coco(tmp_path, shape=shape)
    drawn = truth(ng(datasets.read(tmp_path)))
    np.testing.assert_array_equal(drawn, DRAWN if expected is None else expected)


def test_a_category_that_is_called_ok_marks_no_defect(tmp_path: Path) -> None:
    coco(tmp_path, category="good")
    assert set(labels(datasets.read(tmp_path)).values()) == {False}
    with pytest.raises(DatasetError, match=r"No category of .* begins with 'dent' \(there are parts, good\)"):
        datasets.read(tmp_path, ng_names=["dent"])


def test_a_photo_that_the_file_does_not_list_is_unlabelled(tmp_path: Path) -> None:
    coco(tmp_path)
    make(tmp_path, "train/3.png")
    assert labels(datasets.read(tmp_path))["train/3.png"] is None


@pytest.mark.parametrize("content", ['{"images": [', '{"images": [{"id": 1}], "annotations": []}'])
def test_a_coco_file_that_cannot_be_read_stops_the_reading(tmp_path: Path, content: str) -> None:
    coco(tmp_path)
    (tmp_path / "train/_annotations.coco.json").write_text(content)
    with pytest.raises(DatasetError, match=r"_annotations\.coco\.json .*export it again, or pass --ignore-labels"):
        datasets.read(tmp_path)
    assert set(labels(datasets.read(tmp_path, ignore_labels=True)).values()) == {False}


def test_coco_that_contradicts_the_folders_is_refused(tmp_path: Path) -> None:
    coco(tmp_path, table="ok/_annotations.coco.json", photos="ok")
    with pytest.raises(DatasetError, match=r"^ok/2\.png is NG by _annotations\.coco\.json and OK by its folder"):
        datasets.read(tmp_path)


LINE = f"0 {(6 + 5) / WIDTH} {(4 + 2.5) / HEIGHT} {10 / WIDTH} {5 / HEIGHT}\n"


@pytest.mark.parametrize(
    ("photos", "files"),
    [("images", "labels"), ("images/train", "labels/train"), ("train/images", "train/labels"), ("train", "train")],
)
def test_yolo_files_that_mark_something_make_their_photos_ng(tmp_path: Path, photos: str, files: str) -> None:
    make(tmp_path, *(f"{photos}/{name}.png" for name in "abc"))
    write(tmp_path / files / "c.txt", LINE)
    write(tmp_path / files / "a.txt", "")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "yolo"
    found = {Path(name).stem: label for name, label in labels(dataset).items()}
    assert found == {"a": False, "b": None, "c": True}  # an empty file was written for a, none for b
    np.testing.assert_array_equal(truth(ng(dataset)), DRAWN)


def test_yolo_without_files_for_sound_parts(tmp_path: Path) -> None:
    make(tmp_path, *(f"images/{name}.png" for name in "abc"))
    write(tmp_path / "labels/c.txt", "1 0.2 0.2 0.533 0.2 0.533 0.45 0.2 0.45\n")
    write(tmp_path / "data.yaml", "nc: 2\nnames:\n  - rust\n  - dent\n")
    dataset = datasets.read(tmp_path)
    assert labels(dataset) == {"images/a.png": False, "images/b.png": False, "images/c.png": True}
    assert dataset.notes[1] == "YOLO: photos without a label file are read as OK (a.png, b.png)."
    assert ng(dataset).defect == "dent" and truth(ng(dataset))[4:9, 6:16].all()


def test_a_yolo_class_that_is_called_ok_marks_no_defect(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    write(tmp_path / "a.txt", LINE)
    write(tmp_path / "b.txt", "1" + LINE[1:])
    write(tmp_path / "classes.txt", "good\nscratch\n")
    assert labels(datasets.read(tmp_path)) == {"a.png": False, "b.png": True}


def test_what_yolo_does_not_write_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "images/a.png", "images/b.png")
    write(tmp_path / "labels/b.txt", "rusty")
    with pytest.raises(DatasetError, match=r"labels/b\.txt is not a YOLO label file; .*--ignore-labels"):
        datasets.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("b.xml", "<annotation><object><name>rust</name></object></annotation>"),
        ("b.json", '{"shapes": [{"label": "rust", "points": [[1, 1], [5, 5]]}], "imagePath": "b.png"}'),
        ("all.json", '{"a.png": {"label": 0}, "b.png": {"label": 1}}'),
        ("b.txt", "NG\n"),
        ("b.txt", "0 0.5 0.5 a b\n"),
    ],
)
def test_labels_in_a_form_that_is_not_read_stop_the_reading(tmp_path: Path, name: str, content: str) -> None:
    make(tmp_path, "a.png", "b.png")
    write(tmp_path / name, content)
    with pytest.raises(DatasetError, match=f"{name} seems to hold labels, in a form that Andon does not read"):
        datasets.read(tmp_path)
    assert datasets.read(tmp_path, ignore_labels=True).layout == "folder"


def test_other_files_beside_photos_are_no_labels(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    write(tmp_path / "b.json", '{"exposure": 3, "gain": 1.5}')
    write(tmp_path / "b.xml", "<camera><exposure>3</exposure></camera>")
    write(tmp_path / "README.txt", "These are good photos, a.png above all.")
    assert datasets.read(tmp_path).remarks == ()


def test_labels_in_two_forms_are_not_chosen_between(tmp_path: Path) -> None:
    coco(tmp_path)
    write(tmp_path / "train/labels.csv", "file,label\n0.png,ok\n1.png,ok\n2.png,ng\n")
    with pytest.raises(DatasetError, match="labels in several forms; choose one with --layout: coco, table"):
        datasets.read(tmp_path)
    assert labels(datasets.read(tmp_path, "table"))["train/2.png"] is True
