"""andon improve: the whole of it, as it is typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import plate_photos
import pytest
from conftest import Command
from stations import Station, rusty, stamped

from andon.models.load import load
from andon.models.save import save
from andon.models.trained import load_taught
from andon.store import Store
from andon.teaching.by_hand import rethreshold
from andon.teaching.train import train


@pytest.fixture
def station(model: Path, tmp_path: Path) -> Iterator[Station]:
    with Store.open(None, tmp_path / "data") as store:
        yield Station(store, tmp_path / "data", load(model))


@pytest.fixture
def own(model: Path, tmp_path: Path) -> Path:
    """The model in a folder of its own."""
    copy = tmp_path / "models" / model.name
    copy.parent.mkdir()
    copy.write_bytes(model.read_bytes())
    return copy


@pytest.mark.slow
def test_a_better_version_is_written_beside_the_old_one(andon_: Command, station: Station, own: Path) -> None:
    station.inspect_all((stamped(seed) for seed in range(400, 406)), "OK")
    station.inspect_all([rusty(500)], "NG")
    before = own.read_bytes()
    ran = andon_("improve", own, "--data", station.data)
    new = own.with_name("plates-2.safetensors")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert "may teach" in lines[0] and "rows)." in lines[0]
    assert any(line.split() == ["NG", "photos", "caught", "1", "1"] for line in lines)
    assert "Offered: the promise holds, and every golden NG photo that was caught is still caught." in lines
    assert f"Model: {new}" in lines and "Roll back" in ran.out
    assert own.read_bytes() == before and load(new).inspect(stamped(450)).verdict == "OK"
    (version,) = station.store.models.versions("plates")
    assert version.path == str(new) and version.parent_sha256 == load(own).model_id.sha256
    again = andon_("improve", own, "--data", station.data, "-o", new)
    assert again.code == 2 and "is there already, and no model is overwritten" in again.err


@pytest.mark.slow
def test_what_was_offered_already_is_not_made_again(andon_: Command, station: Station, own: Path) -> None:
    words = ("improve", own, "--data", station.data)
    station.inspect_all((stamped(seed) for seed in range(400, 406)), "OK")
    assert andon_(*words).code == 0
    (first,) = station.store.models.versions("plates")
    again = andon_(*words)
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith(f"Nothing was reviewed since version {first.sha256[:8]} was offered ({first.path}, ")
    assert len(list(own.parent.iterdir())) == 2
    station.inspect(rusty(500), "NG")  # judges alone, and is news all the same
    assert andon_(*words).code == 0
    Path(first.path).unlink()
    assert andon_("improve", own, "--data", station.data, "-o", own.with_name("third.safetensors")).code == 1
    for version in station.store.models.versions("plates"):
        Path(version.path).unlink(missing_ok=True)
    assert andon_(*words).code == 0  # what is not there any more cannot be activated


@pytest.mark.slow
def test_one_that_loses_a_defect_is_refused_and_nothing_is_written(
    andon_: Command, station: Station, own: Path
) -> None:
    station.inspect_all((rusty(seed) for seed in range(510, 516)), "OK")
    golden = station.inspect(rusty(500), "NG")
    ran = andon_("improve", own, "--db", f"sqlite:///{station.data / 'andon.db'}", "--data", station.data)
    assert ran.code == 1 and "Refused: 1 golden NG photo passes that was caught before. Nothing is written." in ran.out
    (against,) = (line for line in ran.out.splitlines() if line.startswith("Against it: "))
    assert golden in against and str(station.photos.folder) in against and "-> OK" in against
    assert list(own.parent.iterdir()) == [own] and station.store.models.versions() == []


def test_what_is_wrong_is_said(andon_: Command, station: Station, own: Path, tmp_path: Path) -> None:
    words = ("improve", own, "--data", station.data)
    empty = andon_(*words)
    assert empty.code == 2 and "holds no inspection by a model called plates" in empty.err
    station.inspect(stamped(400))
    unreviewed = andon_(*words)
    assert unreviewed.code == 2 and "was reviewed yet; review some first." in unreviewed.err
    nowhere = andon_("improve", own, "--data", tmp_path / "nowhere")
    assert nowhere.code == 2 and "There is no database" in nowhere.err
    none = andon_("improve", tmp_path / "none.safetensors", "--data", station.data)
    assert none.code == 2 and "none.safetensors" in none.err
    assert list(own.parent.iterdir()) == [own]


def test_models_that_cannot_be_improved_are_refused(
    andon_: Command, station: Station, data: Path, tmp_path: Path
) -> None:
    settings = (*plate_photos.FAST_WITH_ANY_DETECTOR, "detector.name=padim")
    save(train(data, settings=settings), tmp_path / "padim.safetensors")
    ran = andon_("improve", tmp_path / "padim.safetensors", "--data", station.data)
    assert ran.code == 2
    assert "is a model of padim that cannot take in more photos; train it again with the new photos" in ran.err


def test_thresholds_that_need_ng_photos_are_refused(andon_: Command, station: Station, own: Path) -> None:
    taught = load_taught(own)
    assert taught.calibration is not None
    rule = replace(taught.calibration.rule, method="target-recall")
    save(taught.calibrated(replace(taught.calibration, rule=rule)), own.with_name("recall.safetensors"))
    ran = andon_("improve", own.with_name("recall.safetensors"), "--data", station.data)
    assert ran.code == 2 and "catches a share of NG photos (target-recall), which are not at hand" in ran.err


@pytest.mark.slow
def test_a_threshold_that_was_given_stays(andon_: Command, station: Station, own: Path) -> None:
    given = own.with_name("given.safetensors")
    save(rethreshold(load_taught(own), 1.25), given)
    Station(station.store, station.data, load(given)).inspect_all((stamped(seed) for seed in range(400, 404)), "OK")
    renamed = given.rename(given.with_name("original.safetensors"))
    assert "holds no inspection by a model called original" in andon_("improve", renamed, "--data", station.data).err
    ran = andon_("improve", renamed, "--data", station.data, "--name", "given")
    assert ran.code == 0 and "NG from 1.25 -> 1.25" in ran.out
