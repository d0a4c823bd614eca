"""The commands andon data verify, new, where and demo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from andon import datasets, images
from andon.cli.data import app
from andon.errors import DatasetError


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def photo(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images.write(path, np.kron(rng.integers(0, 256, (12, 18, 3), dtype=np.uint8), np.ones((3, 3, 1), dtype=np.uint8)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "Teile 1"
    for i in range(6):
        photo(root / "ok" / f"{i}.png", i)
    photo(root / "ng" / "0.png", 10)
    return root


def test_verify_exits_0_and_says_so_where_nothing_is_wrong(data: Path) -> None:
    result = run("verify", data)
    assert result.exit_code == 0
    assert "Layout folder: 6 OK to learn from, 1 NG to test" in result.stdout
    assert "Nothing is wrong." in result.stdout


def test_verify_exits_1_and_names_the_files_where_something_is(data: Path) -> None:
    (data / "ng" / "1.png").write_bytes((data / "ok" / "3.png").read_bytes())
    result = run("verify", data)
    assert result.exit_code == 1
    assert "PROBLEM  2 photos in 1 group show the same picture labelled both OK and NG" in result.stdout
    assert "ng/1.png" in result.stdout and "= ok/3.png" in result.stdout


def test_verify_lists_a_few_files_and_all_as_json(data: Path) -> None:
    for i in range(9):
        (data / "ok" / f"bad {i}.png").write_bytes(b"rubbish")
    short, full = run("verify", data), run("verify", data, "--json")
    assert "... and 4 more (--json lists all)" in short.stdout
    assert full.exit_code == 1
    assert len(json.loads(full.stdout)["findings"][0]["items"]) == 9


def test_verify_takes_a_layout_and_names_of_ng(data: Path) -> None:
    assert isinstance(run("verify", data, "--layout", "mvtec").exception, DatasetError)
    assert "6 OK to learn from" in run("verify", data, "--layout", "folder", "--ng-name", "ng").stdout


def test_bad_input_is_an_error_for_the_main_program_to_print(tmp_path: Path) -> None:
    result = run("verify", tmp_path / "nowhere")
    assert isinstance(result.exception, DatasetError) and "is not a folder" in str(result.exception)


def test_new_makes_folders_that_verify_reads_once_photos_are_in(tmp_path: Path) -> None:
    root = tmp_path / "my part"
    assert run("new", root, "--defect", "rust", "--defect", "dent").exit_code == 0
    made = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if not any(path.glob("*/")))
    assert made == [
        "README.md",
        "ground_truth/dent",
        "ground_truth/rust",
        "test/dent",
        "test/good",
        "test/rust",
        "train/good",
        "validation/good",
    ]
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "`test/dent`" in readme and f"andon train '{root}'" in readme
    photo(root / "train/good/0.png", 0)
    photo(root / "train/good/1.png", 1)
    photo(root / "test/rust/0.png", 2)
    assert datasets.read(root).describe() == "Layout mvtec: 2 OK to learn from, 1 NG to test"


@pytest.mark.parametrize("command", ["new", "demo"])
def test_folders_that_hold_something_are_left_alone(data: Path, command: str) -> None:
    result = run(command, data)
    assert isinstance(result.exception, DatasetError) and "is not empty" in str(result.exception)
    assert not (data / "README.md").exists() and not (data / "train").exists()


@pytest.mark.parametrize("name", ["mvtec", "mpdd", "visa"])
def test_where_says_address_licence_and_what_to_do(name: str) -> None:
    said = run("where", name).stdout
    assert "https://" in said and "CC BY" in said and "andon train" in said


def test_where_mvtec_is_not_for_commerce() -> None:
    said = run("where", "mvtec").stdout
    assert "https://www.mvtec.com/company/research/datasets/mvtec-ad" in said
    assert "CC BY-NC-SA 4.0" in said and "not for commercial use" in said


def test_where_without_a_name_lists_all_and_a_wrong_one_is_corrected() -> None:
    listed = run("where").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["mvtec", "mpdd", "visa"]
    assert "did you mean 'mvtec'" in str(run("where", "mvtek").exception)


@pytest.mark.parametrize("kind", ["fastener", "canister"])
def test_demo_draws_with_the_seed_and_describes(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from andon.drawn import canisters as _canister
    from andon.drawn import fasteners as _synthetic

    def draw(root: Path, *, seed: int) -> None:
        for i in range(3):
            photo(root / "train" / "good" / f"{i}.png", seed + i)

    drawer = (_canister, "draw_canisters") if kind == "canister" else (_synthetic, "draw_fasteners")
    monkeypatch.setattr(*drawer, draw)
    result = run("demo", tmp_path / "demo", "--kind", kind, "--seed", 5)
    assert result.exit_code == 0 and "3 OK to learn from" in result.stdout
    expected = tmp_path / "expected.png"
    photo(expected, 5)
    assert (tmp_path / "demo/train/good/0.png").read_bytes() == expected.read_bytes()


@pytest.mark.parametrize("command", ["verify", "new", "where", "demo"])
def test_every_help_has_an_example(command: str) -> None:
    assert f"Example: andon data {command}" in " ".join(run(command, "--help").stdout.split())


def test_exit_codes_are_in_the_help_of_verify() -> None:
    assert "Exit code: 0 nothing is wrong, 1 there are problems, 2" in " ".join(run("verify", "--help").stdout.split())


def test_the_command_group_imports_nothing_heavy() -> None:
    code = "import sys, andon.cli.data; print([m for m in ('torch', 'cv2', 'numpy', 'scipy') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
