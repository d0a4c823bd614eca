"""What keeps the house tidy: layers, file lengths, where torch may be, and that nothing is ever unpickled.

Each test looks at all modules and names those that offend.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

import andon

ROOT = Path(__file__).parent.parent
PACKAGE = Path(andon.__file__).parent
CONFIG = ROOT / "pyproject.toml"
PACKAGES = {module: name.lower() for module, (name, *_) in packages_distributions().items()}
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
    "store",
)
NEEDS_TORCH = {"timm", "torch", "torchvision"}
TORCH_ALLOWED = ("preprocess/_sam.py",)
SQL = {"alembic", "psycopg", "sqlalchemy", "sqlite3"}
ROOMS_OF_PARTS = ("detectors", "preprocess", "datasets", "evaluation/metrics", "cli")
UNPICKLERS = frozenset({"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"})
NO_UNPICKLING = frozenset({"pickle.UnpicklingError"})
"""What may be used of them: the error that torch raises where it refuses a file."""


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top or inside functions, and the names that it takes from them."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))


def unpickles(path: Path) -> Iterator[str]:
    """The code with which a file might run what a stranger wrote."""
    for node in ast.walk(parsed(path)):
        if may_unpickle(node):
            yield ast.unparse(node)


def may_unpickle(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module=module):
            return module in UNPICKLERS
        case ast.Import(names=names):
            return any(alias.name in UNPICKLERS and alias.asname for alias in names)
        case ast.Attribute(value=ast.Name(id=module)):
            return module in UNPICKLERS and ast.unparse(node) not in NO_UNPICKLING
        case ast.Call(func=function, keywords=words):
            keywords = {word.arg: ast.unparse(word.value) for word in words}
            loads_with = {"torch.load": keywords.get("weights_only") != "True"}
            loads_with |= dict.fromkeys(("np.load", "numpy.load"), "allow_pickle" in keywords)
            return loads_with.get(ast.unparse(function), False)
    return False


def test_imports_go_down_the_layers() -> None:
    # a process of its own: import-linter configures logging, which silences every other logger
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(CONFIG), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_too_long() -> None:
    assert len(MODULES) > 100
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_torch_stays_out_of_what_needs_none() -> None:
    files = [path for path in MODULES if room_of(path) in WITHOUT_TORCH and name_of(path) not in TORCH_ALLOWED]
    assert {room_of(path) for path in files} == set(WITHOUT_TORCH)
    found = {name_of(path): {name.partition(".")[0] for name in imported(path)} & NEEDS_TORCH for path in files}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_only_the_store_knows_sql() -> None:
    found = {name_of(path) for path in MODULES if SQL & {name.partition(".")[0] for name in imported(path)}}
    assert {name.partition("/")[0] for name in found} == {"store"}


def test_nothing_is_unpickled() -> None:
    found = {name_of(path): list(unpickles(path)) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("code", "is_refused"),
    [
        ("import pickle\npickle.loads(data)", True),
        ("import pickle as p\np.loads(data)", True),
        ("from pickle import loads", True),
        ("import joblib\nload = joblib.load", True),
        ("torch.load(path)", True),
        ("torch.load(path, weights_only=False)", True),
        ("torch.load(path, weights_only=True)", False),
        ("np.load(path, allow_pickle=True)", True),
        ("np.load(path)", False),
        ("import pickle\ntry: ...\nexcept pickle.UnpicklingError: ...", False),
    ],
)
def test_every_way_to_unpickle_would_be_seen(code: str, is_refused: bool, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(code)
    assert bool(list(unpickles(tmp_path / "module.py"))) == is_refused


def test_parts_do_not_import_each_other() -> None:
    """What several parts share is in a file that begins with "_"."""
    found: dict[str, set[str]] = {}
    for room in ROOMS_OF_PARTS:
        files = [path for path in (PACKAGE / room).glob("*.py") if not path.stem.startswith("_")]
        parts = {f"andon.{room.replace('/', '.')}.{path.stem}" for path in files}
        assert len(parts) > 1, room
        found |= {name_of(path): others for path in files if (others := parts & set(imported(path)))}
    assert found == {}


@pytest.mark.slow
def test_what_is_imported_is_declared() -> None:
    """Of other packages; what was only installed along with one of them may be gone with its next release."""
    project = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    dev = extras.pop("dev")
    undeclared: dict[str, set[str]] = {}
    for folder, declared in {
        "src": [*project["dependencies"], *chain(*extras.values())],
        "tests": [*project["dependencies"], *chain(*extras.values()), *dev],
    }.items():
        names = {re.split(r"[<>=\[;]", line)[0] for line in declared}
        for path in (ROOT / folder).rglob("*.py"):
            others = {PACKAGES[top] for name in imported(path) if (top := name.partition(".")[0]) in PACKAGES}
            if others - names - {"andon"}:
                undeclared[str(path.relative_to(ROOT))] = others - names
    assert undeclared == {}


def test_a_commit_is_checked_as_make_lint_checks() -> None:
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in lint.splitlines()[1:]]
    hooks = re.findall(r"^ *entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE)
    assert len(commands) >= 4
    assert hooks == commands
