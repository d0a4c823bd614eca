"""What is listed: every photo once for each time it is named, nothing else, and nothing passed over in silence."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import plate_photos
import pytest
from batches import rows_of
from conftest import Command

from andon.batch.place import Place
from andon.batch.run import ENGINES
from andon.batch.source import Listed, Source
from andon.errors import InputError

LEFT_OUT = (".hidden.png", "Thumbs.db", ".git/4.png", "@eaDir/5.png", "out/.andon-output", "out/6.png")


def paths(place: Path | str) -> list[str]:
    return [photo.path for photo in Source(str(place))]


def write(path: Path, data: bytes = b"photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_folder(tmp_path: Path) -> None:
    wanted = [write(tmp_path / name) for name in ("1.png", "2.jpg", "10.PNG", "sub/3.png")]
    os.utime(wanted[0], (0, 1_700_000_000))
    for name in (
        ".hidden.png",
        "Thumbs.db",
        "a.gif.tmp",
        ".git/4.png",
        "@eaDir/5.png",
        "out/.andon-output",
        "out/6.png",
    ):
        write(tmp_path / name)
    source = Source(str(tmp_path))
    photos = list(source)
    assert [photo.path for photo in photos] == [str(path) for path in wanted]
    assert photos[0].modified == datetime.fromtimestamp(1_700_000_000, UTC)
    assert source.remarks.startswith("6 left out: 2 hidden")


def test_a_folder_of_a_store_is_read_as_one_on_a_disk(tmp_path: Path) -> None:
    fs = fsspec.filesystem("memory")
    for name in (*LEFT_OUT, "1.png", "a/b/2.jpg", "a.png", "a/3.png", "words.txt"):
        fs.pipe_file(f"/plant/{name}", b"photo")
        write(tmp_path / name)
    source, on_disk = Source("memory://plant"), Source(str(tmp_path))
    found = [photo.path.removeprefix("memory://plant/").removeprefix("memory:///plant/") for photo in source]
    assert sorted(found) == sorted(str(Path(photo.path).relative_to(tmp_path)) for photo in on_disk)
    assert found == ["1.png", "a.png", "a/3.png", "a/b/2.jpg"]
    assert source.left_out.total() == on_disk.left_out.total()
    assert [photo.rpartition("/")[2] for photo in paths("memory://plant/a/3.png")] == ["3.png"]
    fs.store.clear()


def test_lines(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    lines = "\ufeff\n1.png\r\n\n  \nsub/a, b.png\n1.png\n/whole/2.png\ns3://plant/3.png\n".encode() + os.fsencode(name)
    write(tmp_path / "list.txt", lines)
    here = str(tmp_path)
    assert paths(tmp_path / "list.txt") == [
        f"{here}/1.png",
        f"{here}/sub/a, b.png",
        f"{here}/1.png",
        "/whole/2.png",
        "s3://plant/3.png",
        f"{here}/{name}",
    ]


def test_a_table(tmp_path: Path) -> None:
    table = write(
        tmp_path / "list.csv",
        b'\xef\xbb\xbfpart_id,line,path\r\nA-1,x,1.png\r\n\r\n,x,"B_2, left.png"\r\n,x,\r\nC-3,"two\nlines",3.png\r\n',
    )
    source = Source(str(table), re.compile("^([A-Z])_"))
    assert list(source) == [
        Listed(f"{tmp_path}/1.png", None, "A-1"),
        Listed(f"{tmp_path}/B_2, left.png", None, "B"),
        Listed(f"{tmp_path}/3.png", None, "C-3"),
    ]
    assert source.remarks == "1 left out: 1 without a path"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"photo;part_id\n1.png;A\n", "no column 'path'"),
        (b"", "no column 'path'"),
        (b"path\n" + b'"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_a_table_that_cannot_be_read(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        paths(write(tmp_path / "list.csv", content))


def test_names_that_are_not_utf_8(batch: Command, photos: Path, tmp_path: Path) -> None:
    """A folder's odd names come through the manifest, the workers and the part; all is text there."""
    source = tmp_path / "source"
    source.mkdir()
    for number, name in enumerate((b"caf\xe9.png", b"line\nbreak.png", b"a, b.png")):
        os.link(photos / "monday" / f"20{number}.png", source / os.fsdecode(name))
    write(source / os.fsdecode(b"\xff.png"), b"")
    ran = batch(source, "--part-id-from", "^[^.]+", "--max-failures", "50 %")
    assert ran.code == 0, ran.err
    rows = {Path(row["path"]).name: row for row in rows_of(tmp_path / "out")}
    assert rows.keys() == {"caf\\udce9.png", "line\nbreak.png", "a, b.png", "\\udcff.png"}
    assert rows["caf\\udce9.png"]["part_id"] == "caf\\udce9"
    assert rows["caf\\udce9.png"]["verdict"] == "OK"
    assert rows["\\udcff.png"]["verdict"] == "error"
    assert paths(tmp_path / "out" / "failures.csv") == [str(source / os.fsdecode(b"\xff.png"))]


def test_a_list_of_failures_is_a_list_of_photos(batch: Command, photos: Path, tmp_path: Path) -> None:
    photo = photos / "monday" / "200.png"
    write(tmp_path / "list.txt", f"{photo}\n{tmp_path}/gone.png\n".encode())
    assert batch(tmp_path / "list.txt", "--max-failures", "50 %").code == 0
    assert paths(tmp_path / "out" / "failures.csv") == [f"{tmp_path}/gone.png"]


@pytest.mark.parametrize("name", ["list.txt", "photo.png"])
def test_a_pipe_is_not_waited_for(name: str, batch: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    ran = batch(tmp_path / name)
    assert ran.code == 2
    assert f"{name} is a pipe or a device" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("no_page")
def test_out_may_lie_within_the_source(
    andon_: Command, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setitem(ENGINES, "local", "batches")
    plate_photos.write_parts(tmp_path, range(3))
    for _ in range(2):
        ran = andon_("batch", exported, tmp_path, "-o", tmp_path / "verdicts")
        assert ran.code == 0
        assert "3 photos = 3 verdicts" in ran.out
    ran = andon_("batch", exported, tmp_path, "-o", tmp_path)
    assert ran.code == 2
    assert "holds 000.png, which is not part of a batch" in ran.err


def test_a_place_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it was named: workers may start elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert Place.at("out").url == Place.at(f"{tmp_path}/out/").url == Place.at(f"file://{tmp_path}/out").url
    assert Place.at("a::b").url == f"{tmp_path}/a::b"
    assert Place.at("s3://plant/out/").url == "s3://plant/out"
