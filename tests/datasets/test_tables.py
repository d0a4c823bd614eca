"""Labels in tables, in whatever way people write them, or a sentence on how to go on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from small_sets import facts, labels, make, write

from andon import datasets
from andon.datasets import Dataset
from andon.errors import DatasetError

PHOTOS = ("a.png", "b.png", "c.png", "d.png")
C_IS_NG = {"a.png": False, "b.png": False, "c.png": True, "d.png": False}


def read(root: Path, table: str, name: str = "labels.csv", encoding: str = "utf-8", **options: object) -> Dataset:
    """The set of PHOTOS and that table."""
    make(root, *PHOTOS)
    write(root / name, table, encoding)
    return datasets.read(root, **options)  # type: ignore[arg-type]


TABLES = {
    "0 and 1": "filename,label\na.png,0\nb.png,0\nc.png,1\nd.png,0\n",
    "words": "image;class\na.png;good\nb.png;good\nc.png;defect\nd.png;good\n",
    "tabs": "name\tresult\na.png\tOK\nb.png\tOK\nc.png\tNG\nd.png\tOK\n",
    "German": "Dateiname;Bewertung\na.png;i.O.\nb.png;i.O.\nc.png;n.i.O.\nd.png;i.O.\n",
    "kinds of defects": "id,label\na,good\nb,good\nc,scratch\nd,good\n",
    "flag": "file,is_defective\na.png,False\nb.png,False\nc.png,True\nd.png,False\n",
    "flag of OK": "file,ok\na.png,yes\nb.png,yes\nc.png,no\nd.png,yes\n",
    "defects by name": "file,defect\na.png,none\nb.png,none\nc.png,scratch\nd.png,-\n",
    "a column each": "file,good,scratch,dent\na.png,1,0,0\nb.png,1,0,0\nc.png,0,1,1\nd.png,1,0,0\n",
    "no header": "a.png,good\nb.png,good\nc.png,bad\nd.png,good\n",
    "spaces": "a.png  0.0 mono\nb.png  0.0 poly\nc.png  1.0 mono\nd.png  0.0 poly\n",
    "quotes, paths": '"path","label"\n"C:\\x\\a.png","ok"\n"C:\\x\\b.png","ok"\n"C:\\c.png","ng"\n"D:\\d.png","ok"\n',
    "other case and ending": "File,Label\nA.PNG,ok\nb.bmp,ok\nc,ng\nD.Png,ok\n",
    "Excel": "sep=;\nfile;label\na.png;ok\nb.png;ok\nc.png;ng\nd.png;ok\n",
    "part and label": "file,category,label\na.png,bolt,ok\nb.png,nut,ok\nc.png,nut,ng\nd.png,bolt,ok\n",
}


@pytest.mark.parametrize("what", TABLES)
def test_tables_as_people_write_them(tmp_path: Path, what: str) -> None:
    dataset = read(tmp_path, TABLES[what])
    assert dataset.layout == "table"
    assert labels(dataset) == C_IS_NG


@pytest.mark.parametrize(
    ("encoding", "ok", "ng"),
    [
        ("utf-8-sig", "good", "bad"),
        ("utf-16", "good", "bad"),
        ("cp1252", "fehlerfrei", "mangelhaft"),
        ("cp932", "良", "不良"),
        ("gb18030", "合格", "不合格"),
        ("cp1251", "годен", "брак"),
    ],
)
def test_encodings_of_windows(tmp_path: Path, encoding: str, ok: str, ng: str) -> None:
    photo = "Größe.png" if encoding == "cp1252" else "e.png"
    make(tmp_path, photo)
    rows = "".join(f"{name},{ng if name == 'c.png' else ok}\n" for name in (*PHOTOS, photo))
    assert labels(read(tmp_path, f"filename,label\n{rows}", encoding=encoding)) == C_IS_NG | {photo: False}


def test_what_a_table_means_is_said(tmp_path: Path) -> None:
    dataset = read(tmp_path, TABLES["kinds of defects"])
    assert dataset.notes == ("labels.csv: good is read as OK, scratch is read as NG.",)
    assert facts(dataset.samples, tmp_path)["c.png"] == (None, True, "scratch", None)


def test_a_table_one_folder_above_the_photos(tmp_path: Path) -> None:
    make(tmp_path, *(f"photos/{name}" for name in PHOTOS), "others/c.png")
    write(tmp_path / "labels.csv", "file,label\nphotos/a.png,ok\nphotos/b.png,ok\nphotos/c.png,ng\nothers/c.png,ok\n")
    found = labels(datasets.read(tmp_path / "photos"))
    assert found == {"a.png": False, "b.png": False, "c.png": True, "d.png": None}  # nobody has said what d is


def test_splits_come_from_folders_or_from_a_column(tmp_path: Path) -> None:
    dataset = read(
        tmp_path, "image,split,label\na.png,train,normal\nb.png,val,normal\nc.png,test,bent\nd.png,test,normal\n"
    )
    assert [sample.split for sample in dataset.samples] == ["train", "calibration", "test", "test"]


def test_probabilities_need_a_limit(tmp_path: Path) -> None:
    table = "file,p_defect\na.png,0.1\nb.png,0.02\nc.png,0.9\nd.png,0.4\n"
    with pytest.raises(
        DatasetError, match=r"probabilities such as 0\.1; say from which on a photo is NG with --ng-from"
    ):
        read(tmp_path, table)
    assert labels(datasets.read(tmp_path, ng_from=0.5)) == C_IS_NG
    found = datasets.read(tmp_path, ng_from=0.4)
    assert labels(found)["d.png"] is True and "what is below 0.4 is read as OK" in found.notes[0]


def test_a_limit_without_a_table_is_refused(tmp_path: Path) -> None:
    make(tmp_path, *PHOTOS)
    with pytest.raises(DatasetError, match="--ng-from is for a table of labels"):
        datasets.read(tmp_path, ng_from=0.5)
    for endless in (math.nan, math.inf):
        with pytest.raises(DatasetError, match="give a number with --ng-from"):
            datasets.read(tmp_path, ng_from=endless)


REFUSED = {
    "file,label\na.png,A\nb.png,A\nc.png,B\n": "holds A, B, and nothing says which of them mean NG",
    "file,label\na.png,0\nb.png,0\nc.png,3\n": "holds 0, 3, and nothing says which",
    "file,label\na.png,ok\nb.png,ok\na.png,ng\n": r"a\.png is both OK and NG in labels\.csv",
    "file,label\nx.png,ok\ny.png,ng\n": "names none of the photos",
    "file,weight\na.png,3.2\nb.png,3.1\n": "none of its columns is known to say which are OK",
    "file,defect_area\na.png,0\nb.png,3.5\n": "holds numbers such as 3.5 in the column defect_area; say from which",
}


@pytest.mark.parametrize("table", REFUSED)
def test_a_table_that_is_not_understood_stops_the_reading(tmp_path: Path, table: str) -> None:
    with pytest.raises(DatasetError, match=REFUSED[table]) as caught:
        read(tmp_path, table)
    assert "--ignore-labels" in str(caught.value)
    assert set(labels(datasets.read(tmp_path, ignore_labels=True)).values()) == {False}


def test_a_table_that_is_no_text_stops_the_reading(tmp_path: Path) -> None:
    make(tmp_path, *PHOTOS)
    (tmp_path / "results.csv").write_bytes(bytes(range(256)))
    with pytest.raises(DatasetError, match="is not text that Andon can read; save it as CSV in UTF-8"):
        datasets.read(tmp_path)


def test_names_of_ones_own_in_a_table(tmp_path: Path) -> None:
    table = "file,label\na.png,0\nb.png,0\nc.png,3\nd.png,0\n"
    assert labels(read(tmp_path, table, ok_names=["0"])) == C_IS_NG
    assert labels(datasets.read(tmp_path, ng_names=["3"])) == C_IS_NG
    with pytest.raises(DatasetError, match="holds 3, which is neither"):
        datasets.read(tmp_path, ok_names=["0"], ng_names=["4"])


def test_a_table_that_contradicts_the_folders_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "ok/a.png", "ok/b.png", "ng/c.png", "ng/d.png")
    write(tmp_path / "labels.csv", "file,label\na.png,ok\nb.png,ng\nc.png,ng\n")
    with pytest.raises(DatasetError, match=r"^ok/b\.png is NG by labels\.csv and OK by its folder; .*--ignore-labels"):
        datasets.read(tmp_path)
    write(tmp_path / "labels.csv", "file,label\na.png,ok\nb.png,ok\nc.png,ng\n")
    expected = {"ok/a.png": False, "ok/b.png": False, "ng/c.png": True, "ng/d.png": True}  # d is NG by its folder
    assert labels(datasets.read(tmp_path)) == expected


def test_a_table_that_contradicts_the_splits_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "train/a.png", "train/b.png", "test/c.png")
    write(tmp_path / "labels.csv", "file,split,label\na.png,train,ok\nb.png,test,ok\nc.png,test,ng\n")
    with pytest.raises(
        DatasetError, match=r"train/b\.png is in the split test by labels\.csv and in the split train by"
    ):
        datasets.read(tmp_path)


def test_what_may_be_another_photo_is_refused(tmp_path: Path) -> None:
    make(tmp_path, "train/a.png", "train/b.png", "test/a.png")
    write(tmp_path / "labels.csv", "file,label\na.png,ok\nb.png,ok\n")
    with pytest.raises(DatasetError, match=r"names a\.png, which may be .*; write the folder before the name"):
        datasets.read(tmp_path)


def test_photos_that_are_missing_and_tables_without_labels_are_said(tmp_path: Path) -> None:
    make(tmp_path, *PHOTOS)
    write(tmp_path / "exposures.csv", "file,milliseconds\na.png,3\nb.png,4\n")
    dataset = datasets.read(tmp_path)
    assert dataset.layout == "folder"
    assert dataset.notes == ("exposures.csv names photos, but holds no labels that Andon knows.",)
    found = read(tmp_path, TABLES["words"] + "z.png;good\n")
    assert "labels.csv names 1 photo that is not there: z.png." in found.notes


def test_results_of_andon_are_no_labels(tmp_path: Path) -> None:
    make(tmp_path, *PHOTOS)
    write(
        tmp_path / "results.csv", "path,verdict,score,threshold,p_value,sigma\na.png,OK,1,2,0.5,0\nc.png,NG,3,2,0,9\n"
    )
    assert datasets.read(tmp_path).layout == "folder"


def test_a_spreadsheet_with_names_of_photos_stops_the_reading(tmp_path: Path) -> None:
    import zipfile

    make(tmp_path, *PHOTOS)
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as book:
        book.writestr("xl/sharedStrings.xml", "<si><t>a.png</t></si>")
    with pytest.raises(DatasetError, match=r"book\.xlsx seems to hold labels.*filename,label"):
        datasets.read(tmp_path)
    assert datasets.read(tmp_path, ignore_labels=True).layout == "folder"
