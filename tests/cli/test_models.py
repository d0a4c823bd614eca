"""andon models: versions are listed, tried, activated and rolled back, as on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import plate_photos
import pytest
from conftest import Command
from new_store import new_store

from andon.models.file import read
from andon.server.versions import make_known
from andon.store import Store


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "station"


@pytest.fixture
def store(place: Path, model: Path) -> Iterator[Store]:
    """In which `plates` judges, as after andon serve."""
    with new_store(place) as store:
        version, _ = make_known(store, model, "andon serve")
        store.models.activate(version.name, version.sha256, by="andon serve")
        yield store


@pytest.fixture
def second(model: Path, tmp_path: Path, andon_: Command) -> Path:
    """Another version of the model."""
    plate_photos.write_parts(tmp_path / "ok", range(400, 404))
    path = tmp_path / "plates-2.safetensors"
    assert andon_("calibrate", model, tmp_path / "ok", "--percentile", 50, "-o", path).code == 0
    return path


def test_a_file_becomes_a_version_judges_and_goes_back(
    store: Store, place: Path, model: Path, second: Path, andon_: Command
) -> None:
    old, new = (read(path).sha256 for path in (model, second))
    words = ("--data", place, "--by", "ann")
    added = andon_("models", "add", second, "--name", "plates", *words)
    assert added.out == f"{new[:8]} is a version of plates.\nLet it judge with: andon models activate {new[:8]}\n"
    assert (store.models.get(new).added_by, active(store)) == ("ann", old)
    assert andon_("models", "activate", new[:8], *words).out.startswith(f"plates: activated {new[:8]}, by ann. ")
    assert active(store) == new
    assert "has this version already" in andon_("models", "activate", new[:8], *words).out
    listed = andon_("models", "list", "--data", place).out.splitlines()
    assert listed[0] == "plates"
    assert listed[1].startswith(f"  {new[:8]} active {second}, added ") and "Threshold" in listed[2]
    assert listed[3].startswith(f"  {old[:8]}        {model}")
    assert [line.partition("UTC: ")[2] for line in listed[5:]] == [
        f"activated {new[:8]}, by ann",
        f"activated {old[:8]}, by andon serve",
    ]
    assert f"rolled back to {old[:8]}, by ann" in andon_("models", "roll-back", "plates", *words).out
    assert active(store) == old
    ran = andon_("models", "roll-back", "plates", *words)
    assert ran.code == 2 and "none to roll back to" in ran.err


def test_a_version_that_cannot_be_used_is_not_activated(
    store: Store, place: Path, second: Path, model: Path, andon_: Command
) -> None:
    andon_("models", "add", second, "--name", "plates", "--data", place)
    old, new = (read(path).sha256 for path in (model, second))
    for sha256 in (new, old):
        store.models.activate("plates", sha256, by="ann")
    second.unlink()
    for words in (("activate", new[:8]), ("roll-back", "plates")):
        ran = andon_("models", *words, "--data", place)
        assert (ran.code, ran.out) == (2, "")
    assert active(store) == old
    assert len(store.models.activations()) == 3


@pytest.mark.parametrize("beginning", ["x", "0"])
def test_a_version_is_named_by_digits_that_only_it_has(
    beginning: str, store: Store, place: Path, andon_: Command
) -> None:
    for digits in ("01", "02"):
        store.models.add(digits * 32, name="plates", path="gone", by="ann")
    ran = andon_("models", "activate", beginning, "--data", place)
    assert ran.code == 2 and "begin" in ran.err and "andon models list" in ran.err


def test_a_file_of_a_new_name_is_told(store: Store, place: Path, second: Path, andon_: Command) -> None:
    ran = andon_("models", "add", second, "--data", place)
    assert "is a version of plates-2." in ran.out and "give --name if" in ran.out
    assert andon_("models", "list", "nut", "--data", place).out == "The database knows no model nut.\n"


def active(store: Store) -> str | None:
    """What plates stands for."""
    version = store.models.active("plates")
    return None if version is None else version.sha256
