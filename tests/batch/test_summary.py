"""The page of a batch: what it counts, and what it shows of the photos."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
from conftest import Command
from numpy_scorer import orange_pipeline
from stations import png

from andon import images
from andon.batch import gathering, maps
from andon.batch.counting import Count, count
from andon.batch.engine import Outcome
from andon.batch.gathering import gather, reason_of
from andon.batch.inspecting import inspect
from andon.batch.manifest import Manifest, digest
from andon.batch.part import PartInfo, write_part
from andon.batch.place import Place
from andon.batch.plan import Job, begin
from andon.batch.shard import ShardWorker
from andon.batch.source import Source
from andon.batch.summary import write_summary
from andon.rows import VERDICTS, Cells
from andon.types import Failure, Inspection

NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)


class Batch:
    """A batch of empty files, one every so many hours, whose rows a test makes up."""

    def __init__(self, folder: Path, photos: int, shard: int, hours: int = 1) -> None:
        (folder / "in").mkdir()
        self.files = [folder / "in" / f"{number:04d}.png" for number in range(photos)]
        for number, file in enumerate(self.files):
            file.touch()
            time = (NOON + timedelta(hours=hours * number)).timestamp()
            os.utime(file, (time, time))
        (folder / "model.andon").write_bytes(b"model")
        self.pipeline = orange_pipeline()
        self.place = Place.at(str(folder / "out"))
        source = Source(str(folder / "in"))
        self.manifest = begin(
            self.place, Job(model=folder / "model.andon", pipeline=self.pipeline, source=source, shard_size=shard)
        )

    def judge(self, row: Callable[[int, str], Cells], **more: Any) -> Count:
        """Write all parts."""
        verdicts = Counter[str]()
        for shard in range(self.manifest.shards):
            photos = self.manifest.read_shard(self.place, shard)
            rows = [row(shard * self.manifest.shard_size + number, photo.path) for number, photo in enumerate(photos)]
            write_part(self.place, info(self.manifest, shard, photos, rows, **more), rows)
            verdicts.update(one["verdict"] for one in rows)
        return Count(photos=self.manifest.photos, verdicts=verdicts)


def info(manifest: Manifest, shard: int, photos: Iterable[Any], rows: Sequence[Cells], **more: Any) -> PartInfo:
    """What the part says of such rows."""
    known: dict[str, Any] = {
        "shard": shard,
        "photos": digest(photos),
        "model_sha256": manifest.model_sha256,
        "verdicts": dict(Counter(row["verdict"] for row in rows)),
        "milliseconds": {"read": 10.0 * len(rows)},
        "seconds": 2.0,
        "attempt": 1,
        "host": "press-shop",
    }
    return PartInfo(**known | more)


def judged(path: str, verdict: str, score: float, sha256: str = "0") -> Cells:
    inspection = Inspection(
        path=path, sha256=sha256, score=score, threshold=1.0, verdict="OK", p_value=0.5, sigma=0.0, confidence=0.5
    )
    return inspection.to_row() | {"verdict": verdict}


class TestGathering:
    def test_parts_are_opened_once_to_be_counted_and_once_for_the_page(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = Batch(tmp_path, photos=40, shard=15)
        whole = batch.judge(lambda n, path: judged(path, "NG" if n < 3 else "OK", n))
        opened, look_into = Counter[str](), Place.look_into

        def looked(place: Place, name: str, look: Any) -> Any:
            opened[name] += name.startswith("parts/")
            return look_into(place, name, look)

        monkeypatch.setattr(Place, "look_into", looked)
        found = count(batch.place, batch.manifest)
        assert found.is_right and found.verdicts == whole.verdicts
        assert set(+opened) == {f"parts/{shard:07d}.parquet" for shard in range(3)} and set((+opened).values()) == {1}
        gather(batch.place, batch.manifest)
        assert set((+opened).values()) == {2}

    def test_each_bar_counts_the_photos_of_its_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("andon.batch.manifest.SHARDS_PER_FILE", 2)
        batch = Batch(tmp_path, photos=240, shard=50)
        made = [VERDICTS[number % 5 if number >= 120 else 0] for number in range(240)]

        def row(number: int, path: str) -> Cells:
            return Failure(path, "?").to_row() if made[number] == "error" else judged(path, made[number], number)

        batch.judge(row)
        found = gather(batch.place, batch.manifest)
        assert found.timeline.unit == "8 hours"
        begins = found.timeline.bars_of(0, np.array([(NOON + timedelta(hours=n)).timestamp() for n in range(240)]))
        expected = np.zeros_like(found.counts)
        for bar, verdict in zip(begins, made, strict=True):
            expected[bar, VERDICTS.index(verdict)] += 1
        assert found.counts.tolist() == expected.tolist()
        assert found.counts.sum() == 240
        assert sorted(found.scores[1].kept) == [4, 5, 6, 7, 8, 9, 10, 11]
        assert sorted(found.scores[16].kept) == [125, 126, 127, 130, 131]  # 128 is invalid, 124 and 129 are errors

    def test_without_times_each_bar_counts_the_photos_of_its_place(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=40, shard=15, hours=0)
        batch.judge(lambda n, path: judged(path, "NG" if 20 <= n < 30 else "OK", n))
        found = gather(batch.place, batch.manifest)
        assert found.counts[:, VERDICTS.index("NG")].tolist() == [0, 0, 10, 0]
        assert found.counts.sum(axis=1).tolist() == [10, 10, 10, 10]

    def test_the_worst_are_the_highest_of_all_shards_and_none_that_shows_no_part(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=400, shard=150)
        scores = np.random.default_rng(3).permutation(400) / 100
        batch.judge(
            lambda n, path: judged(path, "invalid" if n % 4 == 0 else "NG" if scores[n] > 1 else "OK", scores[n])
        )
        found = gather(batch.place, batch.manifest)
        expected = sorted((n for n in range(400) if n % 4), key=lambda n: -scores[n])[: gathering.WORST]
        assert [entry.path for entry in found.worst.entries] == [str(batch.files[n]) for n in expected]
        assert [entry.shard * 150 + entry.row for entry in found.worst.entries] == expected
        empty = sorted((n for n in range(400) if n % 4 == 0), key=lambda n: -scores[n])[: gathering.INVALID]
        assert [entry.path for entry in found.invalid.entries] == [str(batch.files[n]) for n in empty]

    def test_a_sample_stays_small_and_is_of_all(self) -> None:
        sample, rng = gathering.Reservoir(), np.random.default_rng(0)
        for first in range(0, 100_000, 1000):
            sample.add(np.arange(first, first + 1000, dtype=float), rng)
        assert len(sample.kept) == gathering.RESERVOIR
        assert np.median(sample.kept) == pytest.approx(50_000, rel=0.1)
        assert np.quantile(sample.kept, 0.95) == pytest.approx(95_000, rel=0.03)

    def test_failures_are_grouped_by_reason(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=20, shard=6)

        def row(number: int, path: str) -> Cells:
            why = f"{path} is {number} x 3 pixels; at least 8 x 8 are needed." if number < 12 else f"{path} is empty."
            return Failure(path, why).to_row()

        batch.judge(row)
        small, empty = gather(batch.place, batch.manifest).reasons.values()
        assert (small.text, small.count) == ("The photo is … x … pixels; at least … x … are needed.", 12)
        assert (empty.text, empty.count) == ("The photo is empty.", 8)
        assert small.paths == [str(file) for file in batch.files[: gathering.EXAMPLES]]

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            ("/a/b.png is empty.", "The photo is empty."),
            ("/a/b.png: no object was found.", "No object was found."),
            ("It was too dark.", "It was too dark."),
        ],
    )
    def test_a_reason_does_not_name_the_photo(self, error: str, reason: str) -> None:
        assert reason_of("/a/b.png", error) == reason


def inspected(folder: Path, out: str | None = None) -> tuple[Place, Manifest, Count]:
    """A batch of two OK and two rusty photos, and what lies beside them, inspected."""
    for name, photo in {
        "a.png": plate_photos.part(1),
        "b.png": plate_photos.rusty(2)[0],
        "c.png": plate_photos.part(3),
        "d<b>.png": plate_photos.rusty(4)[0],
    }.items():
        images.write(folder / "in" / name, photo)
    (folder / "model.andon").write_bytes(b"model")
    pipeline, place = orange_pipeline(), Place.at(out or str(folder / "out"))
    job = Job(model=folder / "model.andon", pipeline=pipeline, source=Source(str(folder / "in")), shard_size=3)
    manifest = begin(place, job)
    verdicts = Counter[str]()
    for shard in range(manifest.shards):
        photos = manifest.read_shard(place, shard)
        rows = [one.row for one in inspect(pipeline, photos)]
        write_part(place, info(manifest, shard, photos, rows, attempt=1 + shard), rows)
        verdicts.update(row["verdict"] for row in rows)
    return place, manifest, Count(photos=manifest.photos, verdicts=verdicts)


def cards_of(page: str) -> dict[str, str]:
    """What the page says of each photo that it shows, by its file's name, in its order."""
    articles = re.findall(r'<article class="photo">.*?</article>', page, re.DOTALL)
    return {re.findall(r'class="name">[^<]*?([^<>/]*)</span>', one)[0]: one for one in articles}


class TestPage:
    def test_it_shows_the_photos_the_worst_first(self, tmp_path: Path) -> None:
        place, manifest, found = inspected(tmp_path)
        url = write_summary(place, manifest, found, orange_pipeline())
        page = Path(url).read_text("utf-8")
        assert url == str(tmp_path / "out" / "summary.html")
        assert "Of 4 photos 2 are OK, 2 NG." in page
        assert "4 photos in the manifest = 4 verdicts + 0 listed failures" in page
        cards = cards_of(page)
        assert list(cards)[:2] in (["b.png", "d&lt;b&gt;.png"], ["d&lt;b&gt;.png", "b.png"])
        assert set(list(cards)[2:]) == {"a.png", "c.png"}
        for card in cards.values():
            assert re.findall("<figcaption>(.*?)</figcaption>", card) == ["Photo", "Anomaly map", "Regions"]
            assert card.count("data:image/jpeg") == 3
        assert 'class="verdict NG"' in cards["b.png"]
        assert "2 shards, 1 of which took more than one attempt" in page
        assert "press-shop" in page
        assert not re.search(r'(src|href)="(?!data:|#)', page)

    def test_a_photo_that_is_gone_or_another_by_then_is_named_without_a_picture(self, tmp_path: Path) -> None:
        place, manifest, found = inspected(tmp_path)
        (tmp_path / "in" / "b.png").unlink()
        images.write(tmp_path / "new" / "a.png", plate_photos.part(9))
        (tmp_path / "new" / "a.png").replace(tmp_path / "in" / "a.png")
        cards = cards_of(Path(write_summary(place, manifest, found, orange_pipeline())).read_text("utf-8"))
        assert "No picture: The photo cannot be opened" in cards["b.png"]
        assert "No picture: the file has changed since it was inspected." in cards["a.png"]
        assert ["data:image" in cards[name] for name in ("a.png", "b.png", "c.png")] == [False, False, True]

    def test_it_is_written_into_a_store_too(self, tmp_path: Path) -> None:
        place, manifest, found = inspected(tmp_path, "memory://summary/out")
        assert write_summary(place, manifest, found, orange_pipeline()).endswith("summary/out/summary.html")
        assert b"Of 4 photos" in place.read("summary.html")

    def test_a_lasting_change_is_said(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=960, shard=300)
        found = batch.judge(lambda n, path: judged(path, "NG" if n % (20 if n < 840 else 3) == 0 else "OK", 1.0))
        page = Path(write_summary(batch.place, batch.manifest, found, batch.pipeline)).read_text("utf-8")
        assert "A bar is a day" in page
        said = re.findall(r"More than usual: (.*?)</p>", page)
        days = re.findall(r"\d{4}-\d{2}-\d{2}", said[0])
        assert days
        assert all(day >= "2026-11-24" for day in days)

    def test_failures_and_their_reasons_are_told(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=30, shard=10)

        def row(number: int, path: str) -> Cells:
            if number < 9:
                return Failure(path, f"{path} is empty.").to_row()
            return judged(path, "OK" if number < 28 else "invalid", 0.5)

        found = batch.judge(row)
        page = Path(write_summary(batch.place, batch.manifest, found, batch.pipeline)).read_text("utf-8")
        assert "Of 30 photos 19 are OK, 2 invalid; 9 could not be inspected." in page
        assert "21 verdicts + 9 listed failures" in page
        assert "<strong>9</strong> The photo is empty." in page
        assert "and 4 more" in page
        worst, _, invalid = page.partition('id="worst"')[2].partition('id="invalid"')
        assert sorted(cards_of(worst)) == [f"{number:04d}.png" for number in range(9, 28)]
        assert sorted(cards_of(invalid)) == ["0028.png", "0029.png"]

    def test_a_batch_of_failures_alone_has_a_page(self, tmp_path: Path) -> None:
        batch = Batch(tmp_path, photos=3, shard=2)
        found = batch.judge(lambda _, path: Failure(path, f"{path} is empty.").to_row())
        page = Path(write_summary(batch.place, batch.manifest, found, batch.pipeline)).read_text("utf-8")
        assert "None of the 3 photos could be inspected." in page
        assert cards_of(page.partition('id="worst"')[2]) == {}

    def test_a_name_that_is_not_text_does_no_harm(self, tmp_path: Path) -> None:
        folder = tmp_path / os.fsdecode(b"press\xff")
        (folder / "in").mkdir(parents=True)
        (folder / "in" / os.fsdecode(b"odd\xff.png")).write_bytes(png(plate_photos.rusty(7)[0]))
        place, manifest, found = inspected(folder)
        page = Path(write_summary(place, manifest, found, orange_pipeline())).read_text("utf-8")
        assert "press\\udcff" in page
        assert cards_of(page)["odd\\udcff.png"].count("data:image") == 3


def test_maps_are_read_back_as_the_manual_says(tmp_path: Path) -> None:
    """000002.npy in 0000007.zip is of the photo in row 2 of part 0000007."""
    wide = np.zeros((300, 900), np.float32)
    wide[150:, 600:] = 2.5
    small = np.arange(12, dtype=np.float32).reshape(3, 4)
    place = Place.at(str(tmp_path))
    maps.write(place, 7, [maps.to_bytes(wide), None, maps.to_bytes(small)])
    with zipfile.ZipFile(tmp_path / "maps" / "0000007.zip") as archive:
        assert archive.namelist() == ["000000.npy", "000002.npy"]
        first, third = (np.load(io.BytesIO(archive.read(name))) for name in archive.namelist())
    assert (first.shape, first.dtype) == ((85, 256), np.float16)
    assert first[:40, :160].max() == 0
    assert first[45:, 175:].min() == 2.5
    assert third.tolist() == small.tolist()


def test_the_command_says_where_the_page_is(
    andon_: Command, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(out: str, shards: Sequence[int], *_: object) -> Iterable[Outcome]:
        worker = ShardWorker(out)
        yield from (Outcome(shard, worker.run(shard)) for shard in shards)

    monkeypatch.setattr("andon.batch.local.run", run)
    images.write(tmp_path / "in" / "a.png", plate_photos.part(1))
    images.write(tmp_path / "in" / "b.png", plate_photos.rusty(2)[0])
    ran = andon_("batch", model, tmp_path / "in", "-o", tmp_path / "out", "--keep-maps", "--no-guard")
    assert ran.code == 0, ran.err
    assert f"{tmp_path / 'out'}/summary.html" in ran.out + ran.err
    page = (tmp_path / "out" / "summary.html").read_text("utf-8")
    assert next(iter(cards_of(page))) == "b.png"
    with zipfile.ZipFile(tmp_path / "out" / "maps" / "0000000.zip") as archive:
        rust = np.load(io.BytesIO(archive.read("000001.npy")))
    y, x = np.unravel_index(rust.argmax(), rust.shape)
    assert rust.shape == plate_photos.SIZE
    assert np.hypot(x - plate_photos.SPOT_AT[0], y - plate_photos.SPOT_AT[1]) < 2 * plate_photos.SPOT_RADIUS
