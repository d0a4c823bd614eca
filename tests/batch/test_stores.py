"""Photos and verdicts in object stores and on the web; stores that are away, unknown or forbidden."""

from __future__ import annotations

import errno
import functools
import http.server
import io
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import fsspec
import pytest
from batches import rows_of
from conftest import Command
from fsspec.implementations.local import LocalFileOpener
from pyarrow import parquet

from andon.batch import asking
from andon.batch.asking import PlaceError
from andon.batch.inspecting import Reader
from andon.batch.place import Place
from andon.batch.run import ENGINES
from andon.batch.source import Source
from andon.errors import ImageError, InputError

pytestmark = pytest.mark.usefixtures("no_page")
S3 = "FSSPEC_S3_ENDPOINT_URL"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """An object store on this machine, and its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty bucket, "plant"; worker processes know its address, too."""
    use_store(moto, monkeypatch, tmp_path)
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    fs.mkdir("plant")
    yield "s3://plant"
    fs.rm("plant", recursive=True)


def use_store(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import s3fs

    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": address})
    monkeypatch.setenv(S3, address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a-test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()


def upload(folder: Path, url: str) -> None:
    fs, root = fsspec.url_to_fs(url)
    fs.put(str(folder) + "/", root + "/", recursive=True)


@pytest.mark.slow
def test_from_one_bucket_into_another_folder(
    bucket: str, photos: Path, andon_: Command, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two workers; a run that lacks a part goes on."""
    upload(photos, f"{bucket}/november")
    words = ("batch", exported, f"{bucket}/november", "-o", f"{bucket}/verdicts", "--shard", 10)
    ran = andon_(*words, "--workers", 2, "--cores", 1)
    assert ran.code == 0, ran.err
    assert "Counted: 40 photos = 40 verdicts" in ran.out
    place = Place.at(f"{bucket}/verdicts")
    assert place.names("locks") == []
    names = [f"{number:07d}.parquet" for number in range(4)]
    assert place.names("parts") == names
    before = [place.read(f"parts/{name}") for name in names]
    rows = [row for part in before for row in parquet.read_table(io.BytesIO(part)).to_pylist()]
    expected = [f"{bucket}/november/{path.relative_to(photos)}" for path in sorted(photos.rglob("*.png"))]
    assert [row["path"] for row in rows] == expected
    place.remove("parts/0000002.parquet")
    monkeypatch.setitem(ENGINES, "local", "batches")
    assert andon_(*words).code == 0
    assert [place.read(f"parts/{name}") == data for name, data in zip(names, before, strict=True)] == [
        True,
        True,
        False,
        True,
    ]
    assert [photo.modified is not None for photo in Source(f"{bucket}/november")] == [True] * 40


def test_a_store_creates_a_file_once(bucket: str) -> None:
    place = Place.at(bucket)
    assert place.create("locks/1", b"first")
    assert not place.create("locks/1", b"second")
    assert place.read("locks/1") == b"first"


def test_a_bucket_is_never_made(bucket: str, batch: Command, photos: Path, andon_: Command, exported: Path) -> None:
    ran = andon_("batch", exported, photos, "-o", "s3://typo/out")
    assert ran.code == 2
    assert "s3://typo/out" in ran.err and "check the path" in ran.err
    ran = batch("s3://typo/photos")
    assert ran.code == 2
    assert "s3://typo/photos is not there" in ran.err
    with pytest.raises(FileNotFoundError):
        fsspec.filesystem("s3").ls("typo")


def test_without_credentials(
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    batch: Command,
    andon_: Command,
    exported: Path,
    photos: Path,
) -> None:
    use_store(moto, monkeypatch, tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for ran in (batch("s3://plant/photos"), andon_("batch", exported, photos, "-o", "s3://plant/out")):
        assert ran.code == 2
        assert "Unable to locate credentials" in ran.err
        assert "give your credentials" in ran.err
        assert "bug" not in ran.err


def test_a_store_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, batch: Command, andon_: Command, exported: Path, photos: Path
) -> None:
    use_store("http://127.0.0.1:9", monkeypatch, tmp_path)
    for ran in (batch("s3://plant/photos"), andon_("batch", exported, photos, "-o", "s3://plant/out")):
        assert ran.code == 2
        assert "s3://plant" in ran.err and "127.0.0.1:9" in ran.err
        assert "bug" not in ran.err


def test_a_package_that_is_missing(batch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = batch("gs://plant/photos")
    assert ran.code == 2
    assert "gs://plant/photos needs a package that is not installed" in ran.err
    assert "gcsfs" in ran.err
    assert "Protocol not known: nothing" in batch("nothing://plant").err


@pytest.fixture
def web(tmp_path: Path, photos: Path) -> Iterator[str]:
    """A web server with the photos."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(photos))
    handler.func.log_message = lambda *args: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_photos_on_the_web(web: str, batch: Command, photos: Path, tmp_path: Path) -> None:
    assert batch(web).code == 0
    expected = [f"{web}/{path.relative_to(photos)}" for path in sorted(photos.rglob("*.png"))]
    assert [row["path"] for row in rows_of(tmp_path / "out")] == expected
    assert [photo.path for photo in Source(f"{web}/monday/200.png")] == [f"{web}/monday/200.png"]
    (photos / "list.txt").write_text("monday/201.png\n")
    assert [photo.path for photo in Source(f"{web}/list.txt")] == [f"{web}/monday/201.png"]
    (photos / "list.txt").unlink()
    with pytest.raises(ImageError, match="is not there any more"):
        Reader(waits=True).read(f"{web}/monday/nothing.png")


def test_a_store_that_is_away_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again; what is not there, or may not be read, is said at once."""
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.001)
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/plant/1.png", b"photo")
    cat, errors = type(fs).cat_file, iter([ConnectionError("reset"), KeyError("what?"), TimeoutError()])

    def answer(self: object, path: str) -> bytes:
        for error in errors:
            raise error
        return bytes(cat(self, path))

    monkeypatch.setattr(type(fs), "cat_file", answer)
    assert Reader(waits=True).read("memory://plant/1.png") == b"photo"
    errors = iter([PermissionError("no"), KeyError("never")])
    with pytest.raises(ImageError, match="what you may read and write there"):
        Reader(waits=True).read("memory://plant/1.png")
    errors = iter([ConnectionError("reset")] * 3)
    with pytest.raises(PlaceError, match="reset"):
        Place.at("memory://plant", tries=3).read("1.png")
    errors = iter([])
    with pytest.raises(ImageError, match="not there any more"):
        Reader(waits=True).read("memory://plant/2.png")
    fs.store.clear()


def test_one_of_many_creates_a_file(tmp_path: Path) -> None:
    place = Place.at(str(tmp_path))
    barrier = threading.Barrier(4)
    created: list[str] = []

    def create() -> None:
        for number in range(50):
            barrier.wait()
            if place.create(f"locks/{number}", b""):
                created.append(f"locks/{number}")

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created) == sorted({f"locks/{number}" for number in range(50)})


def test_a_name_that_no_folder_can_have(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="File name too long") as caught:
        Place.at(str(tmp_path)).create("a" * 300, b"")
    assert pickle.loads(pickle.dumps(caught.value)).is_final  # it comes from another process


def test_a_full_disk_leaves_no_file_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.at(str(tmp_path))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(LocalFileOpener, "write", Mock(side_effect=full))
        with pytest.raises(PlaceError, match="make room"):
            place.create("locks/1", b"mine")
    assert place.create("locks/1", b"mine")
