"""andon watch: photos come in, rows come out, until it is told to stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from andon.store import PhotoStore, Store

Andon = Callable[..., Any]


@pytest.mark.slow
def test_photos_that_come_in_are_printed_and_kept(exported: Path, data: Path, tmp_path: Path) -> None:
    folder, station = tmp_path / "in", tmp_path / "station"
    folder.mkdir()
    stray = PhotoStore(station).path("ab" * 32)  # what a kill left behind a month ago
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"photo")
    os.utime(stray, times=(time.time() - 31 * 86_400,) * 2)
    photos = sorted((data / "test" / "good").iterdir())
    shutil.copy(photos[0], folder / "A-17_cam1.png")
    words: list[object] = ["watch", folder, "-m", exported, "--data", station, "--station", "press-4", "--json"]
    words += ["--part-id-from", "(.+)_cam1", "--every", 0.05, "--settle", 0.05, "--afterwards", "tag"]
    words += ["--keep-days", 30]
    command = [sys.executable, "-m", "andon", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        rows = [json.loads(watching.stdout.readline())]
        shutil.copy(photos[1], folder / "A-18_cam1.png")
        rows.append(json.loads(watching.stdout.readline()))
        watching.send_signal(signal.SIGTERM)
        rest, said = watching.communicate(timeout=30)
    assert (watching.returncode, rest) == (0, "")
    assert not stray.exists()
    assert f"Watching {folder} as station press-4" in said
    assert [row["part_id"] for row in rows] == ["A-17", "A-18"]
    assert json.loads((folder / "A-17_cam1.png.andon.json").read_text()) == rows[0]
    with Store.open(None, station) as store:
        stored = list(store.inspections.each())
    assert [one.row for one in stored] == rows
    assert {one.station for one in stored} == {"press-4"}
    assert all(one.photo_kept and set(one.measures) == {"brightness", "sharpness"} for one in stored)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere is no folder"),
        (["in", "--afterwards", "delete"], "expected leave, tag or move:DIR"),
        (["in", "--afterwards", "move:in"], "lie there already"),
        (["in", "--part-id-from", "("], "is not a regular expression"),
        (["in", "--webhook", "https://plant.example"], "needs --webhook-secret-file"),
        (["in", "--webhook", "https://plant.example", "--webhook-secret-file", "gone"], "gone cannot be read"),
        (["in", "--webhook", "https://10.1.1.1", "--webhook-secret-file", "secret"], "--webhook-allow 10.1.1.1"),
        (["in", "--mqtt", "plant"], "expected mqtt://HOST"),
        (["in", "--db", "mysql://plant/andon"], "no database that Andon can use"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    words: list[str], said: str, andon_: Andon, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    ran = andon_("watch", *words, "-m", model)
    assert ran.code == 2
    assert ran.err.startswith("Error: ") and said in ran.err and ran.err.count("\n") == 1
