"""Reading data sets: each layout, which one is recognised, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from andon import datasets, images
from andon.errors import ConfigError, DatasetError
from andon.types import Sample


def make(root: Path, *names: str) -> None:
    """Write a small photo at each path; its content follows from its name."""
    for name in names:
        rng = np.random.default_rng(list(name.encode()))
        images.write(root / name, rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))


def facts(samples: tuple[Sample, ...], root: Path) -> dict[str, tuple[object, ...]]:
    """Path -> (split, is_anomalous, defect, mask)."""
    return {
        sample.path.relative_to(root).as_posix(): (
            sample.split,
            sample.is_anomalous,
            sample.defect,
            sample.mask_path and sample.mask_path.relative_to(root).as_posix(),
        )
        for sample in samples
    }


def write_table(folder: Path, lines: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_classes.csv").write_text(lines, encoding="utf-8")


@pytest.fixture
def roboflow(tmp_path: Path) -> Path:
    make(tmp_path, "train/a.jpg", "train/b.jpg", "train/c.jpg", "train/d.jpg", "valid/e.jpg", "test/f.jpg")
    header = "filename, Corroded-Bolt, Corroded-Nut, Non-corroded Nut\n"
    write_table(tmp_path / "train", header + "a.jpg,0,0,1\nb.jpg,1,1,1\nc.jpg,0,0,0\n")
    write_table(tmp_path / "valid", header + "e.jpg,0,0,1\n")
    write_table(tmp_path / "test", header + "f.jpg,0,1,0\n")
    return tmp_path


def test_roboflow_labels_come_from_the_tables(roboflow: Path) -> None:
    dataset = datasets.read(roboflow)
    assert dataset.layout == "roboflow"
    assert facts(dataset.samples, roboflow) == {
        "train/a.jpg": ("train", False, None, None),
        "train/b.jpg": ("train", True, "Corroded-Bolt + Corroded-Nut", None),
        "train/c.jpg": ("train", None, None, None),  # no label at all: nobody said that it is OK
        "train/d.jpg": ("train", None, None, None),  # not in the table
        "valid/e.jpg": ("calibration", False, None, None),
        "test/f.jpg": ("test", True, "Corroded-Nut", None),
    }


def test_roboflow_names_of_ng_can_be_given_and_case_counts(roboflow: Path) -> None:
    by_name = facts(datasets.read(roboflow, ng_names=["Non-corroded"]).samples, roboflow)
    assert by_name["train/a.jpg"][1] is True
    assert by_name["test/f.jpg"][1] is False
    with pytest.raises(DatasetError, match=r"begins with 'corroded'; its labels are Corroded-Bolt, Corroded-Nut"):
        datasets.read(roboflow, ng_names=["corroded"])


def test_a_photo_that_only_the_table_knows_is_kept_for_verify_to_report(roboflow: Path) -> None:
    (roboflow / "test" / "f.jpg").unlink()
    dataset = datasets.read(roboflow)
    assert "test/f.jpg" in facts(dataset.samples, roboflow)
    assert [reason for reason in datasets.verify(dataset).duplicates.unreadable.values() if "f.jpg" in reason]


def test_a_table_that_is_none_is_refused(roboflow: Path) -> None:
    (roboflow / "valid" / "_classes.csv").write_bytes(b"\xff\xfe\x00rubbish")
    with pytest.raises(DatasetError, match=r"valid/_classes\.csv"):
        datasets.read(roboflow)


def test_mvtec_with_masks_and_validation(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0.png", "validation/good/0.png", "test/good/0.png", "test/dent/0.png", "test/dent/1.png")
    make(tmp_path, "test/hole/7.jpg", "ground_truth/dent/0_mask.png", "ground_truth/hole/7.png")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "mvtec"
    assert facts(dataset.samples, tmp_path) == {
        "train/good/0.png": ("train", False, None, None),
        "validation/good/0.png": ("calibration", False, None, None),
        "test/good/0.png": ("test", False, None, None),
        "test/dent/0.png": ("test", True, "dent", "ground_truth/dent/0_mask.png"),
        "test/dent/1.png": ("test", True, "dent", None),
        "test/hole/7.jpg": ("test", True, "hole", "ground_truth/hole/7.png"),
    }
    assert dataset.describe() == "mvtec: 1 OK to learn from, 1 OK to calibrate, 1 OK and 3 NG to test"


def test_mvtec_has_no_names_to_give(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0.png", "train/good/1.png", "ground_truth/dent/0_mask.png")
    with pytest.raises(DatasetError, match="leave --ng-name out"):
        datasets.read(tmp_path, ng_names=["dent"])


def test_folder_of_ok_photos_alone(tmp_path: Path) -> None:
    make(tmp_path, "b.png", "a.JPG", "c.bmp")
    (tmp_path / "notes.txt").write_text("not a photo", encoding="utf-8")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "folder"
    assert facts(dataset.samples, tmp_path) == dict.fromkeys(["a.JPG", "b.png", "c.bmp"], (None, False, None, None))


@pytest.mark.parametrize("ok", ["ok", "Good", "NORMAL"])
@pytest.mark.parametrize("ng", ["ng", "NOK", "bad", "defect", "Defective", "rust"])
def test_folder_of_ok_and_ng(tmp_path: Path, ok: str, ng: str) -> None:
    make(tmp_path, f"{ok}/a.png", f"{ok}/lot 2/b.png", f"{ng}/c.png", f"{ng}/scratch/d.png", f"masks/{ng}/c.png")
    assert facts(datasets.read(tmp_path).samples, tmp_path) == {
        f"{ok}/a.png": (None, False, None, None),
        f"{ok}/lot 2/b.png": (None, False, None, None),
        f"{ng}/c.png": (None, True, ng, f"masks/{ng}/c.png"),
        f"{ng}/scratch/d.png": (None, True, "scratch", None),
    }


def test_folder_with_train_good_and_any_test_folders(tmp_path: Path) -> None:
    make(tmp_path, "train/good/a.png", "val/ok/b.png", "test/good/c.png", "test/anything/d.png", "test/e.png")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "folder"
    assert facts(dataset.samples, tmp_path) == {
        "train/good/a.png": ("train", False, None, None),
        "val/ok/b.png": ("calibration", False, None, None),
        "test/good/c.png": ("test", False, None, None),
        "test/anything/d.png": ("test", True, "anything", None),
        "test/e.png": ("test", None, None, None),  # nobody has said what it is
    }


def test_folder_with_ok_nok_and_masks_within_test(tmp_path: Path) -> None:
    make(tmp_path, "train/ok/a.png", "test/ok/b.png", "test/nok/c.png", "test/masks/nok/c.png")
    assert facts(datasets.read(tmp_path).samples, tmp_path) == {
        "train/ok/a.png": ("train", False, None, None),
        "test/ok/b.png": ("test", False, None, None),
        "test/nok/c.png": ("test", True, "nok", "test/masks/nok/c.png"),
    }


def test_folder_does_not_guess_what_is_in_train(tmp_path: Path) -> None:
    make(tmp_path, "train/lot1/a.png", "train/lot1/b.png")
    with pytest.raises(DatasetError, match="lot1 does not say whether its photos are OK"):
        datasets.read(tmp_path)
    named = datasets.read(tmp_path, ng_names=["Lot1"])
    assert {sample.is_anomalous for sample in named.samples} == {True}


def test_the_layout_can_be_forced(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0.png", "test/dent/0.png", "ground_truth/dent/0_mask.png")
    as_mvtec, as_folder = datasets.read(tmp_path), datasets.read(tmp_path, "folder")
    assert (as_mvtec.layout, as_folder.layout) == ("mvtec", "folder")
    assert set(as_mvtec.samples) == set(as_folder.samples)


def test_the_layout_that_demands_most_is_asked_first() -> None:
    assert datasets.names() == ["roboflow", "mvtec", "folder"]


def test_paths_with_spaces_and_umlauts(tmp_path: Path) -> None:
    root = tmp_path / "Prüfteile 7 mm"
    make(root, "ok/Stück 1.png", "ok/Stück 2.png")
    assert [sample.path.name for sample in datasets.read(root).samples] == ["Stück 1.png", "Stück 2.png"]


def test_a_wrong_layout_name_suggests_the_right_one(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    with pytest.raises(ConfigError, match="did you mean 'mvtec'"):
        datasets.read(tmp_path, "mvtek")


def test_what_is_no_data_set_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a folder"):
        datasets.read(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="holds no photos"):
        datasets.read(tmp_path)
    make(tmp_path, "a.png")
    with pytest.raises(DatasetError, match="holds only one photo"):
        datasets.read(tmp_path)


def test_a_folder_in_no_layout_says_what_is_expected(tmp_path: Path) -> None:
    make(tmp_path, "foo/bar/a.png", "foo/bar/b.png")
    with pytest.raises(DatasetError, match=r"in no layout .* train/good.*\(mvtec\)"):
        datasets.read(tmp_path)


def test_a_folder_of_data_sets_names_them(tmp_path: Path) -> None:
    make(tmp_path, "bolt/ok/a.png", "bolt/ok/b.png", "nut/ok/a.png", "nut/ok/b.png")
    with pytest.raises(DatasetError, match="is no data set itself; give one of its folders that is: bolt, nut"):
        datasets.read(tmp_path)


def test_a_forced_layout_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    with pytest.raises(DatasetError, match="read as mvtec, holds no photos"):
        datasets.read(tmp_path, "mvtec")


def test_describe_says_what_is_not_used(roboflow: Path) -> None:
    expected = "roboflow: 1 OK to learn from, 1 OK to calibrate, 1 NG to test, 1 NG and 2 unlabelled not used"
    assert datasets.read(roboflow).describe() == expected
