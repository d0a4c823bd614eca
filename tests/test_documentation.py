"""README.md and CONTRIBUTING.md hold: each block of code in them is run, or what it calls is looked up."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import datasets, detectors, images, preprocess
from andon.evaluation import metrics

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md")
SHELL = ""  # a block that names no language
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CONTRACT = """
import sys, pytest
from andon import detectors
detectors.__path__.append(sys.argv[1])
sys.exit(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", "tests/detectors/test_contract.py", "-k", sys.argv[2]]))
"""


def blocks(page: str, language: str) -> list[str]:
    found = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    known = {SHELL, "python", "toml"}
    assert {named for named, _ in found} <= known, f"a block of {page} is in a language that nothing runs"
    return [code for named, code in found if named == language]


def commands(page: str) -> list[list[str]]:
    """The words of each command of the shell blocks, in order."""
    lines = (shlex.split(line, comments=True) for block in blocks(page, SHELL) for line in block.splitlines())
    return [words for words in lines if words]


def is_known(words: list[str]) -> bool:
    """Whether the command is one of Andon's, a target of the Makefile, or installs Andon with extras that it has."""
    match words:
        case ["andon", *_]:
            return True
        case ["make", target]:
            return re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
        case ["pip", "install", package] if named := re.fullmatch(r"andon(?:\[([\w,]+)\])?", package):
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            return set((named[1] or "").split(",")) <= {"", *extras}
    return False


def test_contributings_entry_points_are_groups_that_andon_asks_for() -> None:
    named = [
        group for code in blocks("CONTRIBUTING.md", "toml") for group in tomllib.loads(code)["project"]["entry-points"]
    ]
    groups = {room.PARTS.group for room in (detectors, preprocess, datasets, metrics)}
    assert named and set(named) <= groups


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands are given: photos that the pages speak of lie there, small drawn ones."""
    plate_photos.write_parts(tmp_path / "new_photos", range(600, 602))
    for name in ("new.jpg", "a.jpg", "b.jpg"):
        images.write(tmp_path / name, plate_photos.rusty(700)[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_there_is(page: str) -> None:
    assert [words for words in commands(page) if not is_known(words)] == []
    assert commands(page)


def test_the_readmes_commands_work_in_their_order(folder: Path, andon_: Command) -> None:
    given = [words[1:] for words in commands("README.md") if words[0] == "andon"]
    assert {words[0] for words in given} >= {"data", "train", "inspect", "evaluate"}
    for words in given:
        ran = andon_(*words)
        assert ran.code == 0, f"andon {shlex.join(words)}: {ran.err}"
        if words[:2] == ["data", "new"]:
            plate_photos.write_data(folder / words[2])
    assert (folder / "results" / "inspections.csv").is_file() and (folder / "evaluation" / "report.html").is_file()


def test_the_readmes_python_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate_photos.write_data(folder / "photos" / "bracket")
    namespace: dict[str, object] = {}
    for code in blocks("README.md", "python"):
        exec(compile(code, "README.md", "exec"), namespace)
    out = capsys.readouterr().out
    assert out.startswith("NG ") and "'verdict': 'NG'" in out


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The detectors of CONTRIBUTING, each in the file that its class is named for."""
    written = tmp_path_factory.mktemp("detectors")
    for code in blocks("CONTRIBUTING.md", "python"):
        (name,) = re.findall(r"^DETECTOR = (\w+)$", code, re.MULTILINE)
        (written / f"{name.lower()}.py").write_text(code, encoding="utf-8")
    return written


def run(*words: object) -> None:
    """Python in a process of its own, from the root of the project."""
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_contributings_detectors_pass_make_lint(examples: Path) -> None:
    assert len(list(examples.iterdir())) == 2
    config = ROOT / "pyproject.toml"
    run("-m", "ruff", "check", "--config", config, examples)
    run("-m", "ruff", "format", "--check", "--config", config, examples)
    run("-m", "mypy", "--strict", *sorted(examples.iterdir()))


def test_contributings_detectors_keep_the_contract(examples: Path) -> None:
    run("-c", CONTRACT, examples, " or ".join(path.stem for path in examples.iterdir()))


def test_contributings_detectors_are_found_because_their_file_is_there(
    examples: Path, data: Path, tmp_path: Path, andon_: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [*detectors.__path__, str(examples)]
    assert detectors.__spec__ is not None
    monkeypatch.setattr(detectors.__spec__, "submodule_search_locations", places)
    monkeypatch.setattr(detectors, "__path__", places)
    shown = re.findall(r"`andon (train DATA [^`]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert shown
    for words in map(shlex.split, shown):
        ran = andon_(words[0], data, *words[2:], "-o", tmp_path / "model.safetensors")
        assert ran.code == 0, ran.err
        assert andon_("inspect", tmp_path / "model.safetensors", data / "test" / "rust").code == 0
