"""What keeps the house tidy: layers, file lengths, where torch may be, and that nothing is ever unpickled."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import andon

PACKAGE = Path(andon.__file__).parent
CONFIG = Path(__file__).parent.parent / "pyproject.toml"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 400
WITHOUT_TORCH = (
    "types",
    "errors",
    "config",
    "images",
    "plugins",
    "line",
    "preprocess",
    "recipes",
    "datasets",
    "reports",
    "evaluation",
)
TORCH_ALLOWED = ("preprocess/_sam.py",)
ROOMS_OF_PARTS = ("detectors", "preprocess", "datasets", "evaluation/metrics", "cli")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top or inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_imports_go_down_the_layers() -> None:
    # a process of its own: import-linter configures logging, which silences every other logger
    command = [Path(sys.executable).with_name("lint-imports"), "--config", CONFIG, "--no-cache"]
    done = subprocess.run(command, cwd=CONFIG.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("room", WITHOUT_TORCH)
def test_torch_stays_out_of_what_needs_none(room: str) -> None:
    files = [path for path in MODULES if path.relative_to(PACKAGE).parts[0].removesuffix(".py") == room]
    assert files
    for path in files:
        if name_of(path) not in TORCH_ALLOWED:
            assert {module.partition(".")[0] for module in imported(path)}.isdisjoint({"torch", "torchvision", "timm"})


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_unpickled(path: Path) -> None:
    for function, call in calls(path):
        assert function not in ("pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load"), function
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if function == "torch.load":
            assert ast.unparse(keywords["weights_only"]) == "True"
        if function in ("np.load", "numpy.load"):
            assert "allow_pickle" not in keywords


@pytest.mark.parametrize("room", ROOMS_OF_PARTS)
def test_parts_do_not_import_each_other(room: str) -> None:
    """What several parts share is in a file that begins with "_"."""
    files = [path for path in (PACKAGE / room).glob("*.py") if not path.stem.startswith("_")]
    package = f"andon.{room.replace('/', '.')}"
    assert files
    for path in files:
        assert {f"{package}.{other.stem}" for other in files}.isdisjoint(imported(path)), path
