"""What works where only `pip install andon` was typed, and what the rest says there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import (
    Distribution,
    DistributionFinder,
    MetadataPathFinder,
    PackageNotFoundError,
    version,
)
from pathlib import Path

import pytest

from andon.cli import _installed
from andon.extras import OPTIONAL, missing

HERE = Path(__file__).parent
STORED = HERE / "models" / "stored" / "format3.safetensors"
PROGRAM = "from andon.__main__ import main; main()"
SEVERAL = """
import json, sys
from andon.cli import main
codes = []
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    codes.append(main())
print(json.dumps(codes))
"""
EXTRAS = (*OPTIONAL, "scikit-learn", "pandas")
INSPECTS = """
import json, sys
import andon.cli.inspect, andon.cli._photos, andon.line.pipeline, andon.models.header, andon.preprocess, andon.recipes
import andon.reports.row_files, andon.reports.pictures.panel, andon.reports.pictures.part_and_regions
for step in andon.preprocess.PARTS.names(): andon.preprocess.step_class(step)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
NEEDS_TORCH: dict[str, list[str | Path]] = {
    "train": ["DATA", "-o", "new.safetensors"],
    "evaluate": [STORED, "DATA"],
    "calibrate": [STORED, "DATA"],
    "check": [STORED, "DATA"],
    "compare": ["DATA", "--out", "compared"],
    "explore": ["DATA", "--out", "explored"],
    "audit": ["DATA", "--out", "audited"],
    "demo": ["drawn"],
    "alphas": [STORED, "DATA"],
    "export": [STORED, "-o", "part.andon"],
}
NEEDS_NOTHING: dict[str, list[str | Path]] = {
    "doctor": [],
    "info": [STORED],
    "schema": [],
    "plan": [STORED, "--n-ok", "60"],
    "data": ["verify", "DATA"],
}


def run(code: str, *words: object, without: tuple[str, ...], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, HERE / "without_packages.py", ",".join(without), code, *words]
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", NEEDS_TORCH)
def test_a_command_that_needs_more_names_the_extra_and_begins_nothing(command: str, data: Path, tmp_path: Path) -> None:
    words = [data if word == "DATA" else word for word in NEEDS_TORCH[command]]
    ran = run(PROGRAM, command, *words, without=EXTRAS, cwd=tmp_path)
    assert ran.returncode == 2
    assert re.fullmatch(
        r"Error: This needs \S+, which is not installed; run: pip install 'andon\[train\]'\n", ran.stderr
    )
    assert ran.stdout == "" and list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "commands"),
    [
        ("matplotlib", ["evaluate", "compare", "explore", "demo"]),
        ("jinja2", ["audit"]),
        ("sklearn", ["compare", "demo"]),
    ],
)
def test_what_the_report_needs_is_told_before_the_work(
    package: str, commands: list[str], data: Path, tmp_path: Path
) -> None:
    words = [[name, *(str(data if word == "DATA" else word) for word in NEEDS_TORCH[name])] for name in commands]
    ran = run(SEVERAL, json.dumps(words), without=(package,), cwd=tmp_path)
    name, extra = OPTIONAL[package]
    sentence = f"Error: This needs {name}, which is not installed; run: pip install 'andon[{extra}]'"
    assert [line for line in ran.stderr.splitlines() if line.startswith("Error")] == [sentence] * len(commands)
    assert json.loads(ran.stdout.splitlines()[-1]) == [2] * len(commands)
    assert [path for path in tmp_path.rglob("*") if path.suffix in {".safetensors", ".png", ".jpg", ".html"}] == []


@pytest.mark.parametrize("command", NEEDS_NOTHING)
def test_what_needs_no_more_works(command: str, data: Path, tmp_path: Path) -> None:
    words = [data if word == "DATA" else word for word in NEEDS_NOTHING[command]]
    ran = run(PROGRAM, command, *words, without=EXTRAS, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_way_of_a_photo_imports_nothing_that_an_extra_brings(tmp_path: Path) -> None:
    ran = run(INSPECTS, without=(), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stdout)) & set(EXTRAS) == set()


def test_inspecting_names_the_way_without_torch_too(data: Path, tmp_path: Path) -> None:
    ran = run(PROGRAM, "inspect", STORED, data, without=EXTRAS, cwd=tmp_path)
    assert ran.returncode == 2 and ran.stdout == ""
    assert re.fullmatch(
        r"Error: \S+ needs torch, which is not installed; run 'andon export \S+ -o part.andon' where it was trained "
        r"and inspect with that file, or run: pip install 'andon\[train\]'\n",
        ran.stderr,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "extra", "words"),
    [
        ("sqlalchemy", "serve", ["db", "upgrade"]),
        ("alembic", "serve", ["results"]),
        ("fastapi", "serve", ["serve", str(STORED)]),
        ("uvicorn", "serve", ["serve", str(STORED)]),
        ("psycopg", "postgres", ["db", "upgrade", "--db", "postgresql://localhost/andon"]),
        ("pyarrow", "parquet", ["results", "--format", "parquet", "--out", "results.parquet"]),
    ],
)
def test_what_a_database_needs_is_told(package: str, extra: str, words: list[str], tmp_path: Path) -> None:
    ran = run(PROGRAM, *words, without=(package,), cwd=tmp_path)
    sentence = f"Error: This needs {package}, which is not installed; run: pip install 'andon[{extra}]'\n"
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", sentence)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["train", "save", "Taught"])
def test_python_says_the_same_sentence(name: str, tmp_path: Path) -> None:
    code = f"""
import andon
try:
    andon.{name}
except andon.MissingDependencyError as error:
    print(error)
"""
    ran = run(code, without=EXTRAS, cwd=tmp_path)
    assert ran.stdout == "This needs torch, which is not installed; run: pip install 'andon[train]'\n", ran.stderr


def test_a_package_that_no_extra_brings_stays_a_bug(tmp_path: Path) -> None:
    ran = run(PROGRAM, "info", STORED, without=("safetensors",), cwd=tmp_path)
    assert ran.returncode == 2
    assert "ModuleNotFoundError (No module named 'safetensors'), which is a bug" in ran.stderr
    assert missing(ModuleNotFoundError("No module named 'torch.new'", name="torch.new")) is None


def test_the_extras_bring_what_the_sentences_promise() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brings = {
        extra: {re.split(pattern, line)[0] for line in lines for pattern in (r"[<>=]", r"[<>=\[]")}
        for extra, lines in project["optional-dependencies"].items()
    }
    assert all(package in brings[extra] for package, extra in OPTIONAL.values())
    assert {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}.isdisjoint(dict(OPTIONAL.values()))
    assert "andon[report]" in brings["train"]
    assert all("andon[train]" in brings[extra] for extra in ("backbones", "efficientnet", "sam", "dev"))


def test_doctor_says_what_is_not_there_and_how_much_is(tmp_path: Path) -> None:
    lines = run(PROGRAM, "doctor", without=EXTRAS, cwd=tmp_path).stdout.splitlines()
    said = {line[:24].strip(): line[24:].strip() for line in lines}
    assert said["scikit-learn"] == "not installed; pip install 'andon[train]' adds it"
    assert said["matplotlib"] == "not installed; pip install 'andon[report]' adds it"
    assert said["numpy"] == version("numpy")
    assert re.match(r"0\.\d\d GB, of which openvino \d+ MB, ", said["installed size"])
    assert lines[-1] == "Nothing was trained and tried out: that needs torch, which is not installed."


def write_package(site: Path, name: str, size: int, *required: str) -> None:
    """An installed package with one module of `size` bytes, as pip writes it down."""
    info = site / f"{name.replace('-', '_')}-1.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}.py").write_bytes(b"#" * size)
    (info / "RECORD").write_text(f"{name}.py,,\nnever_written.py,,\n")
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *(f"Requires-Dist: {one}" for one in required)]
    (info / "METADATA").write_text("\n".join(lines))


@pytest.mark.parametrize(("with_extras", "brought"), [(False, {}), (True, {"learner": 5000})])
def test_the_size_is_that_of_all_that_andon_requires(
    with_extras: bool, brought: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extras = ["learner>1; extra == 'train'", 'andon[train]; extra == "sam"', "linter; extra == 'dev'"]
    write_package(tmp_path, "andon", 10, "small>=1", "Big_One<2", *extras)
    write_package(tmp_path, "small", 300, "shared", "absent; sys_platform == 'nowhere'", "linter; extra == 'all'")
    write_package(tmp_path, "big-one", 4000, "shared[fast]", "small")
    write_package(tmp_path, "shared", 20)
    write_package(tmp_path, "learner", 5000)
    write_package(tmp_path, "linter", 60000)
    monkeypatch.setattr(_installed, "distribution", lambda name: next(iter(found(tmp_path, name)), None) or gone(name))
    sizes = _installed.installed_sizes(with_extras=with_extras)
    own = sizes.pop("andon")
    assert sizes == {"big-one": 4000, "small": 300, "shared": 20} | brought
    assert own > STORED.stat().st_size  # the folder of the package, its network included


def found(site: Path, name: str) -> list[Distribution]:
    return list(MetadataPathFinder.find_distributions(DistributionFinder.Context(name=name, path=[str(site)])))


def gone(name: str) -> Distribution:
    raise PackageNotFoundError(name)
