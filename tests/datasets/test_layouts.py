"""Reading data sets: each layout, which one is recognised, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_sets import facts, labels, make, mask, write

from andon import datasets
from andon.errors import ConfigError, DatasetError


@pytest.fixture
def roboflow(tmp_path: Path) -> Path:
    make(tmp_path, "train/a.jpg", "train/b.jpg", "train/c.jpg", "train/d.jpg", "valid/e.jpg", "test/f.jpg")
    header = "filename, Corroded-Bolt, Corroded-Nut, Non-corroded Nut\n"
    write(tmp_path / "train/_classes.csv", header + "a.jpg,0,0,1\nb.jpg,1,1,1\nc.jpg,0,0,0\n")
    write(tmp_path / "valid/_classes.csv", header + "e.jpg,0,0,1\n")
    write(tmp_path / "test/_classes.csv", header + "f.jpg,0,1,0\n")
    return tmp_path


def test_roboflow_labels_come_from_the_tables(roboflow: Path) -> None:
    dataset = datasets.read(roboflow, also_ng=["Corroded"])
    assert dataset.layout == "roboflow"
    assert facts(dataset.samples, roboflow) == {
        "train/a.jpg": ("train", False, None, None),
        "train/b.jpg": ("train", True, "Corroded-Bolt + Corroded-Nut", None),
        "train/c.jpg": ("train", None, None, None),  # no label at all: nobody said that it is OK
        "train/d.jpg": ("train", None, None, None),  # not in the table
        "valid/e.jpg": ("calibration", False, None, None),
        "test/f.jpg": ("test", True, "Corroded-Nut", None),
    }


def test_roboflow_names_are_given_and_what_they_mean_is_said(roboflow: Path) -> None:
    dataset = datasets.read(roboflow, ng_names=["Non-corroded"])
    by_name = facts(dataset.samples, roboflow)
    assert by_name["train/a.jpg"][1] is True
    assert by_name["test/f.jpg"][1] is False
    assert dataset.notes[0] == (
        "_classes.csv: Corroded-Bolt, Corroded-Nut are read as OK, Non-corroded Nut is read as NG."
    )
    assert labels(datasets.read(roboflow, ok_names=["Non-corroded"]))["test/f.jpg"] is True
    with pytest.raises(
        DatasetError, match=r"No label of .* begins with 'rusty' \(there are Corroded-Bolt, Corroded-Nut"
    ):
        datasets.read(roboflow, ng_names=["Corroded", "rusty"])


def test_roboflow_classes_that_say_nothing_are_asked_for(roboflow: Path) -> None:
    with pytest.raises(DatasetError, match="nothing says which of them mean NG; name those with --ng-name"):
        datasets.read(roboflow)
    for table in roboflow.rglob("_classes.csv"):
        table.write_text(table.read_text().replace("Non-corroded Nut", "good"))
    assert labels(datasets.read(roboflow))["train/b.jpg"] is True  # beside "good" stand kinds of defects


def test_roboflow_in_one_folder(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    write(tmp_path / "_classes.csv", "filename,good,rust\na.jpg,1,0\nb.jpg,0,1\nc.jpg,1,0\n")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "roboflow"
    assert labels(dataset) == {"a.jpg": False, "b.jpg": True, "c.jpg": False}


def test_a_photo_that_only_the_table_knows_is_kept_for_verify_to_report(roboflow: Path) -> None:
    (roboflow / "test" / "f.jpg").unlink()
    dataset = datasets.read(roboflow, also_ng=["Corroded"])
    assert "test/f.jpg" in facts(dataset.samples, roboflow)
    assert [reason for reason in datasets.verify(dataset).duplicates.unreadable.values() if "f.jpg" in reason]


def test_a_table_that_is_none_is_refused(roboflow: Path) -> None:
    (roboflow / "valid" / "_classes.csv").write_bytes(b"\xff\xfe\x00rubbish")
    with pytest.raises(DatasetError, match=r"valid/_classes\.csv must begin with the line 'filename,<label>"):
        datasets.read(roboflow, also_ng=["Corroded"])
    (roboflow / "valid" / "_classes.csv").write_bytes(b"\x00\x01")
    with pytest.raises(DatasetError, match=r"valid/_classes\.csv is not text"):
        datasets.read(roboflow, also_ng=["Corroded"])


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
    assert dataset.describe() == "Layout mvtec: 1 OK to learn from, 1 OK to calibrate, 1 OK and 3 NG to test"


def test_mvtec_knows_that_ok_and_unsorted_are_no_defects(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0.png", "train/good/1.png", "test/ok/2.png", "test/dent/3.png", "test/unsorted/4.png")
    mask(tmp_path / "ground_truth/dent/3_mask.png")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "mvtec" and dataset.unused == (tmp_path / "test/unsorted/4.png",)
    assert (labels(dataset)["test/ok/2.png"], labels(dataset)["test/dent/3.png"]) == (False, True)


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
@pytest.mark.parametrize("ng", ["ng", "NOK", "bad", "defect", "Defective", "def_front", "不良"])
def test_folder_of_ok_and_ng(tmp_path: Path, ok: str, ng: str) -> None:
    make(tmp_path, f"{ok}/a.png", f"{ok}/lot 2/b.png", f"{ng}/c.png", f"{ng}/scratch/d.png", f"masks/{ng}/c.png")
    assert facts(datasets.read(tmp_path).samples, tmp_path) == {
        f"{ok}/a.png": (None, False, None, None),
        f"{ok}/lot 2/b.png": (None, False, None, None),
        f"{ng}/c.png": (None, True, ng, f"masks/{ng}/c.png"),
        f"{ng}/scratch/d.png": (None, True, "scratch", None),
    }


def test_names_that_a_plant_gives_its_classes_are_known(tmp_path: Path) -> None:
    for number, (ok, ng) in enumerate(
        [
            ("gut", "schlecht"),
            ("i.O.", "n.i.O."),
            ("bon", "mauvais"),
            ("bueno", "malo"),
            ("良品", "不良品"),
            ("годен", "брак"),
            ("ok_front", "def_front"),
            ("pass_2024", "FAIL 2024"),
            ("ohne Fehler", "Fehler"),
        ]
    ):
        root = tmp_path / str(number)
        make(root, f"{ok}/a.png", f"{ok}/b.png", f"{ng}/c.png")
        assert labels(datasets.read(root)) == {f"{ok}/a.png": False, f"{ok}/b.png": False, f"{ng}/c.png": True}, ok


def test_names_of_ones_own_are_given_and_have_to_match(tmp_path: Path) -> None:
    make(tmp_path, "green/a.png", "green/b.png", "red_2024/c.png")
    with pytest.raises(DatasetError, match="say which are OK and NG with --ok-name and --ng-name"):
        datasets.read(tmp_path)
    named = datasets.read(tmp_path, ok_names=["green"], ng_names=["red"])
    assert labels(named) == {"green/a.png": False, "green/b.png": False, "red_2024/c.png": True}
    with pytest.raises(DatasetError, match=r"begins with 'blue' \(there are green, red_2024\); correct --ng-name"):
        datasets.read(tmp_path, ok_names=["green"], ng_names=["blue"])
    with pytest.raises(DatasetError, match="'green' matches both --ok-name and --ng-name"):
        datasets.read(tmp_path, ok_names=["green"], ng_names=["green"])


def test_folders_that_say_nothing_are_named_and_left_out(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.png", "ok/b.png", "ng/c.png", "unsorted/d.png", "unsorted/e.png", "lot 2/f.png")
    dataset = datasets.read(tmp_path)
    assert labels(dataset) == {"ok/a.png": False, "ok/b.png": False, "ng/c.png": True}
    (remark,) = dataset.remarks
    assert remark.startswith("3 pictures are left out") and "(1 in lot 2, 2 in unsorted)" in remark
    assert labels(datasets.read(tmp_path, ng_names=["lot 2"]))["lot 2/f.png"] is True


def test_folders_beside_loose_photos_are_named_and_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png", "lot 2/c.png")
    dataset = datasets.read(tmp_path)
    assert labels(dataset) == {"a.png": False, "b.png": False}
    assert "1 in lot 2" in dataset.remarks[0]


def test_an_ng_folder_in_an_ok_folder_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.png", "ok/b.png", "ok/ng/c.png")
    with pytest.raises(DatasetError, match="ok/ng says NG and lies in a folder that says OK"):
        datasets.read(tmp_path)


def test_a_folder_that_is_called_ng_does_not_teach_what_is_ok(tmp_path: Path) -> None:
    make(tmp_path, "ng/a.png", "ng/b.png")
    with pytest.raises(DatasetError, match="says NG by its name"):
        datasets.read(tmp_path / "ng")


def test_names_of_photos_are_labels_where_all_have_one_and_stop_where_some_do(tmp_path: Path) -> None:
    make(tmp_path, "OK_1.png", "OK_2.png", "NG_3.png")
    dataset = datasets.read(tmp_path)
    assert labels(dataset) == {"NG_3.png": True, "OK_1.png": False, "OK_2.png": False}
    assert dataset.notes == ("The names of the photos say which are NG: NG_3.png.",)
    make(tmp_path, "image_4.png")
    with pytest.raises(DatasetError, match=r"NG_3\.png in .* say NG in their names, while image_4\.png do not say"):
        datasets.read(tmp_path)
    assert set(labels(datasets.read(tmp_path, ignore_labels=True)).values()) == {False}


def test_cameras_within_the_splits(tmp_path: Path) -> None:
    make(tmp_path, "train/cam1/ok/a.png", "train/cam2/ok/b.png", "test/cam1/ok/c.png", "test/cam1/ng/d.png")
    found = labels(datasets.read(tmp_path))
    assert found == dict.fromkeys(found, False) | {"test/cam1/ng/d.png": True} and len(found) == 4


def test_what_is_hidden_or_cannot_be_read_is_said(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.png", "ok/b.png")
    write(tmp_path / "ok/raw.cr2", "raw")
    dataset = datasets.read(tmp_path)
    assert dataset.remarks == ("1 file left out: 1 .cr2 (not read).",)
    assert [item.path.name for item in dataset.left_out] == ["raw.cr2"]


def test_mvtec_ad_2(tmp_path: Path) -> None:
    make(tmp_path, "train/good/0_regular.png", "train/good/1_regular.png", "validation/good/2.png")
    make(tmp_path, "test_public/good/3.png", "test_public/bad/4_regular.png", "test_private/5.png")
    mask(tmp_path / "test_public/ground_truth/bad/4_regular_mask.png")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "mvtec_ad2" and dataset.unused == ()
    truth = "test_public/ground_truth/bad/4_regular_mask.png"
    assert facts(dataset.samples, tmp_path) == {
        "train/good/0_regular.png": ("train", False, None, None),
        "train/good/1_regular.png": ("train", False, None, None),
        "validation/good/2.png": ("calibration", False, None, None),
        "test_public/good/3.png": ("test", False, None, None),
        "test_public/bad/4_regular.png": ("test", True, "bad", truth),
        "test_private/5.png": ("test", None, None, None),
    }


@pytest.fixture
def visa(tmp_path: Path) -> Path:
    normal = [f"candle/Data/Images/Normal/{number}.JPG" for number in range(3)]
    odd, truth = "candle/Data/Images/Anomaly/0.JPG", "candle/Data/Masks/Anomaly/0.png"
    make(tmp_path, *normal, odd, "fryum/Data/Images/Normal/0.JPG")
    mask(tmp_path / truth)
    rows = [f"candle,{split},normal,{photo}," for split, photo in zip(("train", "train", "test"), normal, strict=True)]
    rows += [f"candle,test,anomaly,{odd},{truth}", "fryum,train,normal,fryum/Data/Images/Normal/0.JPG,"]
    write(tmp_path / "split_csv/1cls.csv", "\n".join(["object,split,label,image,mask", *rows]))
    return tmp_path


def test_visa_as_it_is_downloaded(visa: Path) -> None:
    dataset = datasets.read(visa / "candle")
    assert dataset.layout == "visa" and dataset.remarks == ()
    assert facts(dataset.samples, visa / "candle") == {
        "Data/Images/Normal/0.JPG": ("train", False, None, None),
        "Data/Images/Normal/1.JPG": ("train", False, None, None),
        "Data/Images/Normal/2.JPG": ("test", False, None, None),
        "Data/Images/Anomaly/0.JPG": ("test", True, "anomaly", "Data/Masks/Anomaly/0.png"),
    }
    with pytest.raises(DatasetError, match="holds several objects; give one of its folders: candle, fryum"):
        datasets.read(visa)


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
    names = ["visa", "coco", "roboflow", "yolo", "table", "marked", "mvtec_ad2", "mvtec", "folder"]
    assert datasets.names() == names


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
    with pytest.raises(DatasetError, match=r"has no layout .* train/good.*\(mvtec\)"):
        datasets.read(tmp_path)


def test_a_folder_of_data_sets_names_them(tmp_path: Path) -> None:
    make(tmp_path, "bolt/ok/a.png", "bolt/ok/b.png", "nut/ok/a.png", "nut/ok/b.png")
    with pytest.raises(DatasetError, match="is not itself a data set; give one of the folders in it: bolt, nut"):
        datasets.read(tmp_path)


def test_a_forced_layout_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    with pytest.raises(DatasetError, match="read as mvtec, holds no photos"):
        datasets.read(tmp_path, "mvtec")


def test_describe_says_what_is_not_used(roboflow: Path) -> None:
    expected = "Layout roboflow: 1 OK to learn from, 1 OK to calibrate, 1 NG to test, 1 NG and 2 unlabelled not used"
    assert datasets.read(roboflow, also_ng=["Corroded"]).describe() == expected
