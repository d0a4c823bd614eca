"""Shares that are not mounted, and errors as each kind of store says them."""

from __future__ import annotations

import errno
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import Command
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from fsspec.utils import infer_storage_options
from pyarrow import parquet

from andon.batch import asking, inspecting, run
from andon.batch import lease as leases
from andon.batch.asking import PlaceError, ask
from andon.batch.damage import DamagedError, finding_damage
from andon.batch.lease import Lease
from andon.batch.place import Place
from andon.batch.process import Apart
from andon.batch.run import ENGINES
from andon.batch.source import Source
from andon.errors import ImageError, InputError

SHARE = "smb://server:4450/plant"
SHARING_VIOLATION, ACCESS_DENIED, DISK_FULL = 0xC0000043, 0xC0000022, 0xC000007F
pytestmark = pytest.mark.usefixtures("no_page")


class SMBOSError(OSError):
    """As `smbclient` has it: Python makes no `FileNotFoundError` of a class that is not `OSError` itself."""

    def __init__(self, number: int, ntstatus: int = 0) -> None:
        super().__init__(number, os.strerror(number) if number else f"Unknown NtStatus error {ntstatus:#x}")
        self.ntstatus = ntstatus


class SMBAuthenticationError(Exception):
    """A connection is made without a password."""


class Share(MemoryFileSystem):  # type: ignore[misc]
    """As the file system of fsspec for SMB: so it finds a server, answers, and loses a connection."""

    protocol = "smb"
    store: ClassVar[dict[str, Any]] = {}
    opened: ClassVar[list[str]] = []
    is_connected: ClassVar[bool] = False

    def __init__(self, host: str, share_access: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        assert host == "server"
        self.share_access = share_access
        self._connect()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(infer_storage_options(path)["path"])

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        return {name: value for name, value in infer_storage_options(path).items() if name in ("host", "port")}

    def _connect(self) -> None:
        Share.is_connected = True

    def _answer(self, path: str, *, must_be_there: bool = True) -> None:
        if not Share.is_connected:
            raise SMBAuthenticationError("No username or password was specified")
        is_folder = any(name.startswith(f"{path}/") for name in (*self.store, *self.pseudo_dirs))
        if must_be_there and not (is_folder or path in self.store or path in self.pseudo_dirs):
            raise SMBOSError(errno.ENOENT)

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        self._answer(path)
        return dict(super().info(path, **kwargs))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        self._answer(path)
        return list(super().ls(path, detail=detail, **kwargs))

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        assert "/" + path.split("/")[1] in self.pseudo_dirs, "where the share is not there, smbclient never ends"
        super().makedirs(path, exist_ok=exist_ok)

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        if path2 in self.store:
            raise SMBOSError(errno.EEXIST)
        super().mv(path1, path2, **kwargs)

    def rm_file(self, path: str) -> None:
        self._answer(path)
        super().rm_file(path)

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        self._answer(path, must_be_there="r" in mode)
        if "x" in mode and path in self.store:
            raise SMBOSError(errno.EEXIST)
        if self.share_access is None and path in self.opened:
            raise SMBOSError(errno.EPERM, SHARING_VIOLATION)
        return super()._open(path, mode, **kwargs)


@pytest.fixture(autouse=True)
def share(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty one, which `smb://` finds."""
    monkeypatch.setattr(asking, "FIRST_PAUSE", 0.001)
    monkeypatch.setitem(_registry, "smb", Share)
    monkeypatch.setattr(Share, "pseudo_dirs", ["", "/plant"])
    Share.clear_instance_cache()
    yield Place.at(SHARE)
    Share.store.clear()
    Share.opened.clear()


@pytest.mark.slow
def test_from_a_share_into_it(
    share: Place, photos: Path, andon_: Command, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that lacks a part goes on; the rows name the server."""
    monkeypatch.setitem(ENGINES, "local", "batches")
    paths = sorted(photos.rglob("*.png"))
    for path in paths:
        share.write(f"november/{path.relative_to(photos)}", path.read_bytes())
    words = ("batch", exported, f"{SHARE}/november", "-o", f"{SHARE}/verdicts", "--shard", 10)
    for _ in range(2):
        ran = andon_(*words)
        assert ran.code == 0, ran.err
        assert "Counted: 40 photos = 40 verdicts" in ran.out
        assert f"{SHARE}/verdicts/parts" in ran.err
        parts = [share.read(f"verdicts/parts/{name}") for name in share.names("verdicts/parts")]
        rows = [row for part in parts for row in parquet.read_table(io.BytesIO(part)).to_pylist()]
        assert [row["path"] for row in rows] == [f"{SHARE}/november/{path.relative_to(photos)}" for path in paths]
        share.remove("verdicts/parts/0000002.parquet")
    assert share.names("verdicts/locks") == []


def test_a_lease(share: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT", 0.05)
    with Lease.acquire(share, "7") as lease:  # type: ignore[union-attr]
        for _ in range(3):
            assert Lease.acquire(share, "7") is None
        assert lease.is_held
    assert share.names("locks") == []


def test_a_file_is_written_over(share: Place) -> None:
    for content in (b"first", b"second"):
        share.write("parts/1", content)
        assert share.read("parts/1") == content
    assert share.names("parts") == ["1"]


def test_a_file_that_another_has_written_meanwhile(share: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    share.write("parts/1", b"the other's")
    monkeypatch.setattr(Share, "exists", lambda self, path: False)
    share.write("parts/1", b"mine")
    assert share.read("parts/1") == b"mine"
    assert share.names("parts") == ["1"]


def test_a_connection_that_was_lost_is_made_again(share: Place) -> None:
    share.write("1", b"photo")
    Share.is_connected = False
    assert share.read("1") == b"photo"


def test_a_connection_that_is_lost_between(share: Place) -> None:
    """It looks as if the password were missing, which would end the run."""
    losses = iter([True, True, False])

    def lose() -> bool:
        Share.is_connected = not next(losses)
        return bool(share.fs.ls("/plant") is not None)

    with pytest.raises(PlaceError, match="connection was lost") as caught:
        share.ask(lose)
    assert not caught.value.is_final
    assert Place.at(SHARE, tries=2).ask(lose)


def test_a_file_that_another_reads(share: Place) -> None:
    share.write("1", b"photo")
    Share.opened.append("/plant/1")
    assert share.look_into("1", lambda file: file.read()) == b"photo"


def test_a_share_that_is_not_there(share: Place, andon_: Command, exported: Path, photos: Path, tmp_path: Path) -> None:
    ran = andon_("batch", exported, photos, "-o", "smb://server/nothing/out")
    assert ran.code == 2
    assert "smb://server/nothing/out" in ran.err and "check the path" in ran.err
    ran = andon_("batch", exported, "smb://server/nothing/photos", "-o", tmp_path / "out")
    assert ran.code == 2
    assert "smb://server/nothing/photos is not there" in ran.err


def test_a_share_that_is_away_is_not_said_to_be_empty(share: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise ValueError("Failed to connect") from ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(Share, "_connect", away)
    with pytest.raises(PlaceError, match="Failed to connect"):
        Source(f"{SHARE}/photos").require()
    Share.clear_instance_cache()
    with pytest.raises(PlaceError, match="Failed to connect") as caught:
        Place.at(SHARE, tries=2)
    assert not caught.value.is_final


def test_a_password_in_a_url_is_refused() -> None:
    """It would stand in the manifest and in every row."""
    with pytest.raises(InputError, match="FSSPEC_SMB_PASSWORD") as caught:
        Place.at("smb://me:secret@server/plant")
    assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match="netrc"):
        Place.at("https://me:secret@server/plant")
    assert Place.at("smb://me@server/plant").url == "smb://me@server/plant"


class SaidError(Exception):
    """An error that says a number, as those of HTTP do."""

    def __init__(self, **numbers: object) -> None:
        super().__init__("What the store says.\nRequestId: 7")
        vars(self).update(numbers)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (SaidError(status_code=403), "may read and write"),  # Azure
        (SaidError(code="401"), "may read and write"),  # Google, as text
        (OSError("Forbidden: b/plant/o"), "may read and write"),  # Google
        (SMBOSError(0, ACCESS_DENIED), "may read and write"),
        (SMBAuthenticationError("no"), "credentials"),
        (SMBOSError(0, DISK_FULL), "make room"),
        (SMBOSError(errno.EEXIST), "check the path"),
    ],
)
def test_what_cannot_pass_by_itself_is_said_at_once(error: Exception, advice: str) -> None:
    errors = iter([error])
    with pytest.raises(PlaceError, match=advice) as caught:
        ask(lambda: (_ for _ in ()).throw(next(errors)), "gs://plant", tries=5)
    assert caught.value.is_final
    assert "RequestId" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [SaidError(status_code=404), SMBOSError(errno.ENOENT), FileNotFoundError("http://x/o/1")]
)
def test_what_is_not_there(error: Exception) -> None:
    with pytest.raises(FileNotFoundError, match=r"gs://plant/1") as caught:
        ask(lambda: (_ for _ in ()).throw(error), "gs://plant/1", tries=1)
    assert "http:" not in str(caught.value)


@pytest.mark.parametrize("number", [0xC0000043, 0xC0000056])
def test_a_file_that_is_just_in_use_is_asked_for_again(number: int) -> None:
    """Also where a store that does not answer would be given up at once."""
    errors = iter([SMBOSError(0, number), SMBOSError(0, number)])

    def answer() -> str:
        for error in errors:
            raise error
        return "photo"

    assert ask(answer, "smb://plant/1", tries=1) == "photo"


def test_who_takes_long_to_say_that_it_cannot_is_not_asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packages of Azure and Google ask for more than a minute before they give up."""
    monkeypatch.setattr(asking, "LONGEST", -1.0)
    errors = iter([ConnectionError("reset"), AssertionError("asked again")])
    with pytest.raises(PlaceError, match="reset"):
        ask(lambda: (_ for _ in ()).throw(next(errors)), "gs://plant/1", tries=8)


def test_forbidden_is_not_damaged() -> None:
    with pytest.raises(OSError, match="Forbidden"), finding_damage():
        raise OSError("Forbidden: b/plant/o")
    with pytest.raises(DamagedError), finding_damage():
        raise OSError("Page was smaller than expected")


def test_a_web_server_that_is_away_is_not_said_to_lack_the_page() -> None:
    with pytest.raises(PlaceError, match="check the address"):
        Source("http://127.0.0.1:9/photos").require()


def test_what_a_store_raises_it_does_not_log_too(share: Place) -> None:
    """Some log a traceback."""
    assert not logging.getLogger(Share.__module__.partition(".")[0]).isEnabledFor(logging.ERROR)


def test_photos_whose_store_is_away_for_long_are_inspected_later(
    share: Place, photos: Path, batch: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Their shard is put off; no photo becomes a failure."""
    monkeypatch.setattr(inspecting, "TRIES", 1)
    monkeypatch.setattr(run, "PAUSE", 0.001)
    for path in photos.rglob("*.png"):
        share.write(f"november/{path.name}", path.read_bytes())
    cat, away = Share.cat_file, iter(range(3))

    def answer(self: Share, path: str, **kwargs: Any) -> bytes:
        if next(away, None) is not None:
            raise ConnectionError("reset")
        return bytes(cat(self, path, **kwargs))

    monkeypatch.setattr(Share, "cat_file", answer)
    ran = batch(f"{SHARE}/november")
    assert ran.code == 0, ran.err
    assert "Counted: 40 photos = 40 verdicts" in ran.out and "+ 0 failures" in ran.out
    assert "Shard 0 could not be inspected and is tried again" in caplog.text


def test_photos_of_a_store_that_never_answers_are_failures_in_the_end(
    share: Place, photos: Path, batch: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The others get their verdicts; the store is not asked for each of its photos."""
    monkeypatch.setattr(inspecting, "TRIES", 1)
    monkeypatch.setattr(run, "PAUSE", 0.001)
    monkeypatch.setattr(Apart, "call", lambda self, function, *args: function(*args))
    asked: list[str] = []

    def answer(self: Share, path: str) -> bytes:
        asked.append(path)
        raise ConnectionError("reset")

    monkeypatch.setattr(Share, "cat_file", answer)
    known = sorted(photos.rglob("*.png"))[:4]
    lines = [*map(str, known), *(f"{SHARE}/{number}.png" for number in range(50))]
    (tmp_path / "list.txt").write_text("\n".join(lines))
    ran = batch(tmp_path / "list.txt", "--max-failures", "100 %")
    assert ran.code == 0, ran.err
    assert "4 verdicts" in ran.out and "50 failures" in ran.out
    assert len(asked) < 50
    errors = (tmp_path / "out" / "failures.csv").read_text().splitlines()[1:]
    assert len(errors) == 50 and all("reset" in error for error in errors)


def test_a_photo_that_its_store_does_not_give_is_a_failure_where_it_gives_others(
    share: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspecting, "TRIES", 1)
    share.write("2.png", b"photo")
    reader = inspecting.Reader(waits=True)
    cat = Share.cat_file

    def answer(self: Share, path: str) -> bytes:
        if path.endswith("1.png"):
            if gives_others:
                assert reader.read(f"{SHARE}/2.png") == b"photo"
            raise ConnectionError("reset")
        return bytes(cat(self, path))

    monkeypatch.setattr(Share, "cat_file", answer)
    gives_others = False
    with pytest.raises(PlaceError, match="reset"):
        reader.read(f"{SHARE}/1.png")
    gives_others = True
    with pytest.raises(ImageError, match="reset"):
        reader.read(f"{SHARE}/1.png")
