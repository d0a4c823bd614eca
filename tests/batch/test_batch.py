"""`andon batch`: every photo has one row, whatever happened on the way, and nothing is done twice."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import plate_photos
import pytest
from batches import content_of, rows_of
from conftest import Command
from pyarrow import parquet

from andon import images

PER_INSPECTION = {"inspection_id", "inspected_at", "milliseconds", "schema_version"}


def parts(out: Path) -> dict[str, bytes]:
    return content_of(out / "parts")


def manifest_with(**wrong: object) -> bytes:
    whole = {
        "source": "/plant",
        "photos": 40,
        "shard_size": 20,
        "model": "a.andon",
        "model_sha256": "",
        "precision": "f32",
    }
    rest = {"guard": True, "keep_maps": False, "part_id_from": None, "listing": "1", "created": "", "andon_version": ""}
    return json.dumps(whole | rest | wrong).encode()


@pytest.mark.slow
def test_rows_are_those_of_inspect(
    batch: Command, andon_: Command, photos: Path, exported: Path, tmp_path: Path
) -> None:
    ran = batch(photos, "--shard", 15, "--part-id-from", "^[0-9]+", "--precision", "f32")
    assert ran.code == 0
    assert "Counted: 40 photos = 40 verdicts" in ran.out
    found = andon_("inspect", exported, photos, "--json", "--part-id-from", "^[0-9]+", "--precision", "f32")
    expected = [json.loads(line) for line in found.out.splitlines()]
    rows = rows_of(tmp_path / "out")
    assert [row["path"] for row in rows] == [row["path"] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        wanted |= {"model": wanted["model"]["name"], "model_sha256": wanted["model"]["sha256"]}
        row["regions"] = json.loads(row["regions"])
        for name in wanted.keys() - PER_INSPECTION:
            assert row[name] == (pytest.approx(wanted[name]) if isinstance(wanted[name], float) else wanted[name]), name
    assert len({row["inspection_id"] for row in rows}) == 40
    assert sorted(path.name for path in (tmp_path / "out" / "parts").iterdir()) == [
        "0000000.parquet",
        "0000001.parquet",
        "0000002.parquet",
    ]


@pytest.mark.slow
def test_what_is_done_is_not_done_again(
    batch: Command, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch(photos, "--shard", 20)
    before = parts(tmp_path / "out")
    (tmp_path / "out" / "locks" / "0000001.1").write_bytes(b"of a worker that was killed when its part was done")
    ran = batch(photos, "--shard", 20)
    assert ran.code == 0
    assert not list((tmp_path / "out" / "locks").iterdir())
    assert "2 of 2 shards were done before" in caplog.text
    assert parts(tmp_path / "out") == before


@pytest.mark.parametrize("damage", ["removed", "cut", "empty", "of the next", "a flipped byte", "text"])
def test_a_part_that_is_not_whole_is_done_again(damage: str, batch: Command, photos: Path, tmp_path: Path) -> None:
    batch(photos, "--shard", 20)
    expected, before = rows_of(tmp_path / "out"), parts(tmp_path / "out")
    part = tmp_path / "out" / "parts" / "0000000.parquet"
    data = bytearray(part.read_bytes())
    chunks = parquet.ParquetFile(part).metadata.row_group(0).to_dict()["columns"]
    score = next(chunk for chunk in chunks if chunk["path_in_schema"] == "score")
    data[score["data_page_offset"] + score["total_compressed_size"] // 2] ^= 1
    spoilt = {
        "cut": before[part.name][:-100],
        "empty": b"",
        "of the next": before["0000001.parquet"],
        "a flipped byte": bytes(data),
        "text": b"PAR1 or so",
    }
    if damage == "removed":
        part.unlink()
    else:
        part.write_bytes(spoilt[damage])
    ran = batch(photos, "--shard", 20)
    assert ran.code == 0
    found = rows_of(tmp_path / "out")
    assert [row["path"] for row in found] == [row["path"] for row in expected]
    assert [row["score"] for row in found] == pytest.approx([row["score"] for row in expected])
    assert parts(tmp_path / "out")["0000001.parquet"] == before["0000001.parquet"]


def test_a_part_of_another_model_is_done_again(
    batch: Command, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    batch(photos, "--shard", 20)
    part = tmp_path / "out" / "parts" / "0000000.parquet"
    table = parquet.read_table(part)
    said = json.loads(table.schema.metadata[b"andon"])
    foreign = json.dumps(said | {"model_sha256": "0" * 64}).encode()
    parquet.write_table(table.replace_schema_metadata({b"andon": foreign}), part)
    assert batch(photos, "--shard", 20).code == 0
    assert "1 of 2 shards were done before" in caplog.text
    assert json.loads(parquet.read_schema(part).metadata[b"andon"]) | {"seconds": 0, "milliseconds": 0} == said | {
        "seconds": 0,
        "milliseconds": 0,
    }


@pytest.mark.slow
def test_the_other_engine_goes_on(
    batch: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from andon.batch.run import ENGINES

    batch(photos, "--shard", 20)
    kept = parts(tmp_path / "out")["0000001.parquet"]
    (tmp_path / "out" / "parts" / "0000000.parquet").unlink()
    monkeypatch.setitem(ENGINES, "ray", "batches")
    assert batch(photos, "--engine", "ray").code == 0
    assert parts(tmp_path / "out")["0000001.parquet"] == kept
    assert len(rows_of(tmp_path / "out")) == 40


def test_a_batch_keeps_to_what_it_began_with(batch: Command, photos: Path, model: Path, tmp_path: Path) -> None:
    batch(photos, "--shard", 20)
    before = content_of(tmp_path / "out")
    for words, difference in (
        ((photos / "monday",), f"the source was {photos} then and is {photos / 'monday'} now"),
        ((photos, "--shard", 10), "--shard was 20 then and is 10 now"),
        ((photos, "--no-guard"), "--no-guard was not given then and is given now"),
        ((photos, "--keep-maps"), "--keep-maps was not given then and is given now"),
        ((photos, "--part-id-from", "x"), "--part-id-from was not given then and is x now"),
    ):
        ran = batch(*words)
        assert ran.code == 2
        assert difference in ran.err
    assert "begun differently: the model was" in batch(photos, model=model).err
    assert content_of(tmp_path / "out") == before


def test_nothing_that_lies_there_is_touched(batch: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("report.docx", "model/plates.andon", "manifest/00000.parquet"):
        path = out / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"mine")
        ran = batch(photos)
        assert ran.code == 2
        assert f"holds {name.partition('/')[0]}, which is not part of a batch" in ran.err
        assert content_of(out) == {name: b"mine"}
        shutil.rmtree(out)
    out.write_bytes(b"mine")
    ran = batch(photos)
    assert ran.code == 2
    assert "check the path" in ran.err
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b'{"version": 1, "so', b"[]", b'{"version": 9}', b'{"version": 1}'),
        *(
            manifest_with(**wrong)
            for wrong in ({"shard_size": 0}, {"photos": -1}, {"photos": "40"}, {"model": "../a.andon"})
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(
    content: bytes, batch: Command, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_bytes(content)
    ran = batch(photos)
    assert ran.code == 2
    assert "is no manifest of a batch" in ran.err or "of a newer Andon" in ran.err
    assert "give another" in ran.err
    assert content_of(out) == {"manifest.json": content}


@pytest.mark.parametrize(
    ("damage", "says"),
    [("gone", "is not there any more"), ("cut", "is damaged"), ("others", "is not of the 40 photos")],
)
def test_a_list_of_photos_that_is_not_whole_ends_it_at_once(
    damage: str, says: str, batch: Command, photos: Path, tmp_path: Path
) -> None:
    assert batch(photos).code == 0
    listing = tmp_path / "out" / "manifest" / "1" / "00000.parquet"
    if damage == "gone":
        listing.unlink()
    elif damage == "cut":
        listing.write_bytes(listing.read_bytes()[:-9])
    else:
        manifest = tmp_path / "out" / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"photos": 40', '"photos": 41'))
    ran = batch(photos)
    assert ran.code == 2
    assert says in ran.err and "begin it again in another folder" in ran.err


@pytest.mark.slow
def test_a_name_that_has_changed_in_the_list_of_photos_is_found(batch: Command, photos: Path, tmp_path: Path) -> None:
    assert batch(photos, "--shard", 1).code == 0
    listing = tmp_path / "out" / "manifest" / "1" / "00000.parquet"
    listing.write_bytes(listing.read_bytes().replace(b"205.png", b"206.png", 1))
    ran = batch(photos)
    assert ran.code == 2
    assert "00000.parquet is damaged" in ran.err


def test_a_model_that_has_gone_is_written_again(batch: Command, photos: Path, exported: Path, tmp_path: Path) -> None:
    assert batch(photos).code == 0
    kept = tmp_path / "out" / "model" / exported.name
    kept.unlink()
    assert batch(photos).code == 0
    assert kept.read_bytes() == exported.read_bytes()


def test_a_manifest_that_was_begun_is_begun_again(batch: Command, photos: Path, tmp_path: Path) -> None:
    """As a run leaves it that was killed while it listed the photos."""
    out = tmp_path / "out"
    for name in (".andon-output", "manifest/1/00000.parquet", ".manifest.json.host.1.unfinished", "model/plates.andon"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"half of")
    (out / "locks").mkdir()
    holder = {"id": "a", "machine": "here", "host": "here", "pid": 1, "since": 0, "beat": 3, "is_over": True}
    (out / "locks" / "manifest.1").write_text(json.dumps(holder))
    assert batch(photos).code == 0
    assert len(rows_of(out)) == 40
    assert not list((out / "locks").iterdir())


def test_photos_that_fail_are_listed(batch: Command, photos: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(photos / "monday", source)
    (source / "205.png").write_bytes(b"")
    (source / "=2+2, or so.png").write_bytes(b"no photo")
    shutil.copy(photos / "monday" / "200.png", source / "240.png")
    (tmp_path / "list.txt").write_text("\n".join(str(path) for path in sorted(source.glob("*.png"))))
    (source / "240.png").unlink()
    ran = batch(tmp_path / "list.txt", "--max-failures", "10 %")
    assert ran.code == 0
    assert "34 photos = 31 verdicts" in ran.out
    assert "3 failures" in ran.out
    with (tmp_path / "out" / "failures.csv").open(newline="") as file:
        failures = list(csv.DictReader(file))
    assert {Path(row["path"]).name: row["error"] for row in failures}.keys() == {
        "205.png",
        "=2+2, or so.png",
        "240.png",
    }
    assert all(row["path"] in row["error"] for row in failures)
    failed = [row for row in rows_of(tmp_path / "out") if row["verdict"] == "error"]
    assert [row["error"] for row in failed] == [row["error"] for row in failures]


def test_too_many_failures_stop_it_and_may_be_tried_again(batch: Command, photos: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(photos / "monday", source)
    for name in ("200", "231"):
        (source / f"{name}.png").write_bytes(b"")
    ran = batch(source, "--shard", 8)  # 1 of 8, which is more than 1 % of all 32
    assert ran.code == 2
    assert "1 of 8 photos could not be inspected, more than the 1 % that --max-failures allows" in ran.err
    assert len((tmp_path / "out" / "failures.csv").read_text().splitlines()) == 2
    assert len(rows_of(tmp_path / "out")) == 8
    assert batch(source, "--shard", 8).code == 2  # and nothing more is done
    assert len(rows_of(tmp_path / "out")) == 8
    assert batch(source, "--max-failures", "4 %").code == 2  # 2 of 32
    assert len(rows_of(tmp_path / "out")) == 32
    for name in ("200", "231"):
        shutil.copy(photos / "monday" / f"{name}.png", source)
    assert batch(source, "--shard", 8, "--retry-failures").code == 0
    assert {row["verdict"] for row in rows_of(tmp_path / "out")} <= {"OK", "review", "NG", "invalid"}
    assert (tmp_path / "out" / "failures.csv").read_text() == "path,error\n"


@pytest.mark.parametrize(
    ("cap", "code"),
    [("5 %", 0), ("4.9%", 2), ("0.05", 0), ("0", 2), ("5", 2), ("much", 2), ("-1 %", 2), ("nan", 2), ("1e99999999", 2)],
)
def test_the_cap_itself_is_allowed(cap: str, code: int, batch: Command, photos: Path, tmp_path: Path) -> None:
    paths = sorted(photos.rglob("*.png"))[:19]
    (tmp_path / "list.txt").write_text("\n".join(map(str, [*paths, "gone.png"])))
    assert batch(tmp_path / "list.txt", "--max-failures", cap).code == code


@pytest.mark.parametrize(("option", "value"), [("--shard", 10**19), ("--memory", 1e300)])
def test_a_number_beyond_all_reason_is_refused(
    option: str, value: float, batch: Command, photos: Path, tmp_path: Path
) -> None:
    ran = batch(photos, option, value)
    assert ran.code == 2
    assert f"Invalid value for '{option}'" in ran.err
    assert not (tmp_path / "out").exists()


def test_one_photo(batch: Command, photos: Path, tmp_path: Path) -> None:
    ran = batch(photos / "monday" / "200.png")
    assert ran.code == 0
    assert "Counted: 1 photo = 1 verdict" in ran.out
    assert len(rows_of(tmp_path / "out")) == 1


def test_no_photo(batch: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no photo; it is empty" in batch(tmp_path / "empty").err
    (tmp_path / "empty" / ".hidden.png").write_bytes(b"")
    ran = batch(tmp_path / "empty")
    assert ran.code == 2
    assert "1 hidden" in ran.err
    plate_photos.write_parts(tmp_path / "empty", range(2))
    assert batch(tmp_path / "empty").code == 0


def test_a_source_that_is_not_there_leaves_nothing(batch: Command, tmp_path: Path) -> None:
    ran = batch(tmp_path / "nowhere")
    assert ran.code == 2
    assert "nowhere is not there" in ran.err
    assert not (tmp_path / "out").exists()


def test_maps_are_kept(batch: Command, photos: Path, tmp_path: Path, andon_: Command) -> None:
    large = plate_photos.part(1, size=(400, 600))
    images.write(tmp_path / "source" / "1.png", large)
    images.write(tmp_path / "source" / "2.png", plate_photos.rusty(2)[0])
    (tmp_path / "source" / "3.png").write_bytes(b"")
    assert batch(tmp_path / "source", "--keep-maps", "--max-failures", "1").code == 0
    archive = np.load(tmp_path / "out" / "maps" / "0000000.zip")
    maps = {name: archive[name] for name in archive.files}
    assert {name: (found.shape, str(found.dtype)) for name, found in maps.items()} == {
        "000000": ((171, 256), "float16"),
        "000001": (plate_photos.SIZE, "float16"),
    }
    y, x = np.unravel_index(maps["000001"].argmax(), plate_photos.SIZE)
    assert np.hypot(x - plate_photos.SPOT_AT[0], y - plate_photos.SPOT_AT[1]) < 2 * plate_photos.SPOT_RADIUS
