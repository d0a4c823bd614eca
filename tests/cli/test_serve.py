"""andon serve and andon token: what they refuse, and what they leave behind."""

from __future__ import annotations

import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from conftest import Command

from andon.cli import serve
from andon.server import demo
from andon.server.desk import Answer, Incoming
from andon.server.token_file import ensure_token
from andon.store import Store


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give one model file or several, or --demo alone."),
        (("no.safetensors",), "There is no model file no.safetensors"),
        (("MODEL", "--demo"), "Give one model file or several, or --demo alone."),
        (("MODEL", "--host", "0.0.0.0"), "there is no token yet"),
        (("MODEL", "--host", "no.such.host.example"), "there is no token yet"),
        (("MODEL", "--port", "TAKEN"), "cannot be listened on"),
        (("MODEL", "MODEL"), "give each model a name of its own"),
        (("MODEL", "--db", "mysql://x/y"), "no database that Andon can use"),
        (("MODEL", "--pattern", "cam*"), "add --watch FOLDER, or leave them out"),
        (("MODEL", "--watch", ".", "--afterwards", "delete"), "expected leave, tag or move:DIR"),
        (("MODEL", "--watch", ".", "--afterwards", "move:."), "lie there already"),
        (("MODEL", "--token-file", "MODEL"), "holds no valid administrator's token"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, model: Path, tmp_path: Path, andon_: Command
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        known = {"MODEL": model, "TAKEN": taken.getsockname()[1]}
        ran = andon_("serve", "--data", tmp_path, *(known.get(word, word) for word in words))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_tokens_are_made_listed_and_revoked(tmp_path: Path, andon_: Command) -> None:
    made = andon_("token", "add", "camera", "--scope", "inspect", "--data", tmp_path)
    with Store.open(None, tmp_path) as store:
        token = store.tokens.check(made.out.strip())
    assert token is not None
    assert token.name == "camera"
    assert token.scopes == {"inspect"}
    assert andon_("token", "add", "camera", "--data", tmp_path).code == 2
    assert "expected inspect, review, admin" in andon_("token", "add", "x", "--scope", "all", "--data", tmp_path).err
    assert andon_("token", "revoke", "camera", "--data", tmp_path).code == 0
    listed = andon_("token", "list", "--data", tmp_path).out
    assert listed.startswith("camera: inspect; made ")
    assert ", revoked " in listed
    assert andon_("token", "revoke", "camera", "--data", tmp_path).code == 2
    Store.open(None, tmp_path / "new").close()
    none = andon_("token", "list", "--data", tmp_path / "new")
    assert (none.code, none.out) == (0, "") and "has no token yet; make one with: andon token add NAME" in none.err
    for words in (("list",), ("revoke", "camera")):  # where there is no database, they make none
        elsewhere = andon_("token", *words, "--data", tmp_path / "elsewhere")
        assert (elsewhere.code, "There is no database" in elsewhere.err) == (2, True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_token_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "admin.token"
    with Store.open(None, tmp_path) as store:
        assert ensure_token(store, file)
        secret = file.read_text().strip()
        assert not ensure_token(store, file)
        assert file.read_text().strip() == secret
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        token = store.tokens.check(secret)
        assert token is not None and token.scopes == {"admin"}
        assert len(store.tokens.all()) == 1
        ensure_token(store, tmp_path / "second")
        assert [token.name for token in store.tokens.all()] == ["administrator", "administrator 2"]


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "127.0.0.1"])
def test_it_says_where_others_find_it(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    serve._say_where(f"http://{host}:8765")
    first, *more = capsys.readouterr().err.splitlines()
    assert first == f"Andon serves at http://{host}:8765 (end with Ctrl-C)"
    for_others = [] if host == "127.0.0.1" else [f"such as http://{socket.gethostname()}:8765"]
    assert [line[line.index("such as") :] for line in more] == for_others


class Sink:
    """Stands for a station and keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent: list[Incoming] = []

    def inspect(self, incoming: Incoming) -> Answer | None:
        self.sent.append(incoming)
        return None


@pytest.mark.slow
def test_the_demo_draws_trains_and_sends_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And draws nothing again where it has been before."""
    monkeypatch.setattr(demo, "N_TRAIN", 4)
    monkeypatch.setattr(demo, "N_CALIBRATION", 4)
    monkeypatch.setattr(demo, "N_TEST", 4)
    monkeypatch.setattr(demo, "SETTINGS", ("steps.resize.image_size=64",))
    said: list[str] = []
    model = demo.prepare(tmp_path, said.append)
    assert model.exists()
    assert len(said) == 2
    before = model.read_bytes()
    assert demo.prepare(tmp_path, said.append).read_bytes() == before
    assert len(said) == 2
    sink: Any = Sink()
    sender = demo.Demo(tmp_path, every=60)
    sender.start(sink)
    while len(sink.sent) < demo.AT_ONCE:
        pass
    sender.stop()
    assert {one.station for one in sink.sent} == {"demo"}
    assert len({one.part_id for one in sink.sent}) == len(sink.sent) == demo.AT_ONCE
