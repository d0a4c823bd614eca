"""README.md and CONTRIBUTING.md hold: each block of code in them is run, or what it calls is looked up."""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import plate_photos
import pytest
from conftest import Command

from andon import images, plugins
from andon.drawn import fasteners

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md")
SHELL = ""  # a block that names no language
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    found = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert {named for named, _ in found} <= {SHELL, "python", "toml"}, page
    return [code for named, code in found if named == language]


def commands(page: str) -> list[list[str]]:
    """The words of each command of the shell blocks, in order."""
    lines = (shlex.split(line, comments=True) for block in blocks(page, SHELL) for line in block.splitlines())
    return [words for words in lines if words]


def is_known(words: list[str]) -> bool:
    """Whether the command is one of Andon's, a target of the Makefile, or installs Andon with extras that it has."""
    match words:
        case ["andon", *_] | ["python3", "-m", "venv", ".venv"] | [".", ".venv/bin/activate"]:
            return True
        case ["pip", "wheel", "--no-deps", "--wheel-dir", "dist", "."]:
            return True
        case ["make", target]:
            return re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
        case ["pip", "install", package]:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            wheel = re.escape(f"dist/andon-{project['version']}-py3-none-any.whl")
            named = re.fullmatch(rf"(?:andon|\.|{wheel})(?:\[([\w,]+)\])?", package)
            return named is not None and set((named[1] or "").split(",")) <= {"", *project["optional-dependencies"]}
    return False


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands are given: photos that the pages speak of lie there, small drawn ones; the demo draws few."""
    few = functools.partial(fasteners.draw_fasteners, n_train=2, n_calibration=2, n_test=2)
    monkeypatch.setattr(fasteners, "draw_fasteners", few)
    plate_photos.write_parts(tmp_path / "new_photos", range(600, 602))
    for name in ("new.jpg", "a.jpg", "b.jpg"):
        images.write(tmp_path / name, plate_photos.rusty(700)[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_there_is(page: str) -> None:
    assert [words for words in commands(page) if not is_known(words)] == []
    assert commands(page)


@pytest.mark.slow
def test_the_readmes_commands_work_in_their_order(folder: Path, andon_: Command) -> None:
    given = [words[1:] for words in commands("README.md") if words[0] == "andon"]
    assert {words[0] for words in given} >= {"data", "train", "inspect", "evaluate"}
    for words in given:
        if words == ["demo"]:  # takes minutes; `make wheel` runs it
            continue
        ran = andon_(*words)
        assert ran.code == 0, f"andon {shlex.join(words)}: {ran.err}"
        if words[:2] == ["data", "new"]:
            plate_photos.write_data(folder / words[2], n_train=4, n_calibration=3, n_test=1)
    assert (folder / "results" / "inspections.csv").is_file() and (folder / "evaluation" / "report.html").is_file()


@pytest.mark.slow
def test_the_readmes_python_works(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate_photos.write_data(folder / "photos" / "bracket", n_train=4, n_calibration=3)
    namespace: dict[str, object] = {}
    for code in blocks("README.md", "python"):
        exec(compile(code, "README.md", "exec"), namespace)
    out = capsys.readouterr().out
    assert out.startswith("NG ") and "'verdict': 'NG'" in out


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package of CONTRIBUTING's detectors, each module named for its class.

    Their entry points are those of the page's TOML, and the like for the detectors that it leaves out.
    """
    root = tmp_path_factory.mktemp("site")
    (root / "my_package").mkdir()
    (toml,) = blocks("CONTRIBUTING.md", "toml")
    points = tomllib.loads(toml)["project"]["entry-points"]["andon.detectors"]
    for code in blocks("CONTRIBUTING.md", "python"):
        (name,) = re.findall(r"^DETECTOR = (\w+)$", code, re.MULTILINE)
        module = points.setdefault(name.lower(), f"my_package.{name.lower()}")
        (root / f"{module.replace('.', '/')}.py").write_text(code, encoding="utf-8")
    info = root / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1.0\n")
    lines = [f"{name} = {module}" for name, module in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[andon.detectors]", *lines]))
    return root


def run(package: Path, *words: object) -> None:
    """Python in a process of its own that finds the package, from the root of the project."""
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_contributings_detectors_are_linted_and_formatted(package: Path) -> None:
    modules = sorted((package / "my_package").glob("*.py"))
    assert [module.stem for module in modules] == ["brightness", "reconstruction"]
    config = ROOT / "pyproject.toml"
    run(package, "-m", "ruff", "check", "--config", config, *modules)
    run(package, "-m", "ruff", "format", "--check", "--config", config, *modules)


def test_contributings_detectors_have_types(package: Path) -> None:
    run(package, "-m", "mypy", "--strict", *sorted((package / "my_package").glob("*.py")))


def test_contributings_command_trains_its_detector(
    package: Path, data: Path, tmp_path: Path, andon_: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(package)
    monkeypatch.setattr(plugins, "_entry_points", plugins._entry_points.__wrapped__)  # not those of before
    (words,) = re.findall(r"`andon (train DATA [^`]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    model = tmp_path / "model.safetensors"
    assert andon_(*words.replace("DATA", str(data)).split(), "-o", model).code == 0
    assert andon_("inspect", model, data / "test" / "rust").out.startswith("NG ")


@pytest.mark.endurance
def test_contributings_detectors_keep_the_contract(package: Path) -> None:
    named = ("-k", "brightness or reconstruction", "tests/detectors/test_contract.py")
    run(package, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *named)
