"""No command opens a socket, and none writes a file anywhere but in the cache and where the user said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import plate_photos
import pytest

# Runs commands with every attempt to use the network or to write a file written down first.
WATCHED = """
import json, os, sys
said, allowed, commands = sys.argv[1], sys.argv[2].split(os.pathsep), json.loads(sys.argv[3])
log = open(said, "a")
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto")
def watch(event, arguments):
    if event in NETWORK:
        log.write(f"{sys.argv[1]}: {event} {arguments[1:] or arguments}\\n"); log.flush()
    elif event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        path = os.path.abspath(arguments[0])
        if not os.path.isdir(path) and not any(path.startswith(place) for place in allowed):
            log.write(f"{sys.argv[1]}: wrote {path}\\n"); log.flush()
sys.addaudithook(watch)
from andon.cli import main
for words in commands:
    sys.argv = ["andon", *words]
    if code := main():
        sys.exit(code)
"""


def said_by(commands: Sequence[Sequence[object]], tmp_path: Path, *outputs: Path) -> str:
    """Everything that the commands did against the promise, one after the other in one process, one line each."""
    log, home = tmp_path / "said", tmp_path / "home"
    home.mkdir(exist_ok=True)
    log.touch()
    cache = home / ".cache"
    temporary = tmp_path / "temporary"
    temporary.mkdir(exist_ok=True)
    allowed = os.pathsep.join(map(str, [cache, log, temporary, "/dev/", *outputs]))
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "LANG")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home), "TMPDIR": str(temporary)}
    words = json.dumps([list(map(str, command)) for command in commands])
    started = [sys.executable, "-c", WATCHED, str(log), allowed, words]
    done = subprocess.run(started, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    strangers = [path for path in home.rglob("*") if path.is_file() and cache not in path.parents]
    return log.read_text() + "".join(f"left {path}\n" for path in strangers)


@pytest.mark.slow
def test_train_inspect_evaluate_and_doctor_keep_to_themselves(data: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "m.safetensors", tmp_path / "out"
    settings = [word for setting in plate_photos.FAST for word in ("--set", setting)]
    beside = tmp_path / f".{model.name}"
    commands = (
        ["train", data, "-o", model, *settings],
        ["inspect", model, data / "test" / "good", "--out", out, "--visualize"],
        ["evaluate", model, data, "--out", out],
        ["info", model],
        ["doctor"],
    )
    assert said_by(commands, tmp_path, model, beside, out) == ""


def test_the_watch_sees_a_look_up_and_a_stray_file(tmp_path: Path) -> None:
    spoiled = WATCHED.replace(
        "from andon.cli",
        "import socket\ntry: socket.getaddrinfo('example.invalid', 1)\nexcept OSError: pass\n"
        f"open({str(tmp_path / 'stray')!r}, 'w')\nfrom andon.cli",
    )
    log = tmp_path / "said"
    subprocess.run([sys.executable, "-c", spoiled, log, str(log), '[["--version"]]'], check=True, capture_output=True)
    assert "getaddrinfo" in log.read_text() and "stray" in log.read_text()


@pytest.mark.endurance
def test_the_demo_keeps_to_itself(tmp_path: Path) -> None:
    assert said_by([["demo", tmp_path / "demo"]], tmp_path, tmp_path / "demo") == ""
