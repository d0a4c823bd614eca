"""One model file: the same after a round trip, and never half of one."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plate_photos
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from andon import backbones
from andon.errors import AndonError, ModelError, WeightsError
from andon.models import file
from andon.models.header import read_header
from andon.models.load import load
from andon.models.save import save
from andon.models.taught import Taught
from andon.models.trained import load_taught
from andon.teaching.train import train

pytestmark = pytest.mark.precision


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights for resnet10t."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = backbones.create(backbones.BackboneConfig(name="resnet10t"), pretrained=False).network
    path = tmp_path_factory.mktemp("weights") / "resnet10t.safetensors"
    save_file(network.state_dict(), path)  # type: ignore[union-attr]
    return path


@pytest.fixture(scope="module")
def cnn(data: Path, weights: Path) -> Taught:
    """A model on a backbone with a weights file of its own."""
    settings = (*plate_photos.FAST, "backbone.name=resnet10t", f"backbone.weights={weights}", "detector.target_dim=32")
    return train(data, settings=settings)


def with_header(model: Path, target: Path, **changes: Any) -> Path:
    """A copy of the model with other entries in its header, and a digest that fits."""
    contents = file.read(model)
    data, _ = file.to_bytes(contents.tree | changes, contents.arrays)
    target.write_bytes(data)
    return target


def test_a_model_is_the_same_after_a_round_trip(taught: Taught, model: Path, tmp_path: Path) -> None:
    loaded = load_taught(model)
    assert loaded.recipe == taught.recipe
    assert loaded.manifest == taught.manifest
    photo = plate_photos.rusty(50)[0]
    one, other = taught.pipeline.inspect(photo), loaded.pipeline.inspect(photo)
    assert replace(one, model=loaded.pipeline.model_id) == other
    assert np.array_equal(one.anomaly_map, other.anomaly_map)  # type: ignore[arg-type]
    save(loaded, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == model.read_bytes()


def test_calibration_and_review_band_come_back(taught: Taught, tmp_path: Path) -> None:
    calibration = taught.calibration
    assert calibration is not None
    save(taught.calibrated(replace(calibration, review_threshold=0.25)), tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors").calibration
    assert loaded is not None and loaded.review_threshold == 0.25
    assert np.array_equal(loaded.ok_scores, calibration.ok_scores)
    assert (loaded.threshold, loaded.pixel_threshold) == (calibration.threshold, calibration.pixel_threshold)


def test_an_uncalibrated_model_can_be_kept(taught: Taught, tmp_path: Path) -> None:
    bare = replace(taught, pipeline=replace(taught.pipeline, calibration=None))
    save(bare, tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").calibration is None


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.3, 0.9, -1])
def test_a_model_that_was_cut_short_is_refused(kept: float, model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelError, match=r"cut\.safetensors is damaged, cut short or not a model .*; copy it again"):
        load(path)


def test_one_changed_byte_is_noticed_wherever_it_stands(model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    path = tmp_path / "changed.safetensors"
    header = int.from_bytes(data[:8], "little")
    spread = (*range(0, len(data), len(data) // 60), *range(8, 8 + header, header // 20), len(data) - 1)
    number, digest = data.index(b'format\\": 3') + len(b'format\\": '), data.index(b"sha256") + 30
    for place in (*spread, number, digest):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(ModelError, match=r"copy it again|no Andon model|has model format"):
            load(path)


@pytest.mark.parametrize(("number", "do"), [(1, "train it again"), (99, "update Andon")])
def test_a_model_of_another_format_is_refused(number: int, do: str, model: Path, tmp_path: Path) -> None:
    path = with_header(model, tmp_path / "other.safetensors", format=number)
    with pytest.raises(ModelError, match=rf"has model format {number}, but this Andon reads 2 and 3; {do}\.$"):
        load(path)


@pytest.mark.parametrize("suffix", [".pkl", ".pth", ".pt", ".joblib", ".PKL"])
def test_a_pickle_is_never_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(ModelError, match=r"is a pickle, which can run any program .* never opens one"):
        load(path)


def test_a_pickle_under_a_false_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": list(range(100))}))
    with pytest.raises(ModelError, match=r"is damaged, cut short or not a model"):
        load(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"andon": "{}"}, {"andon": "[1]"}, {"andon": "no json"}])
def test_a_foreign_safetensors_file_is_refused(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors", metadata)
    with pytest.raises(ModelError, match=r"is not an Andon model|not a model"):
        load(tmp_path / "foreign.safetensors")


def test_a_missing_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model file .*; train one with: andon train PHOTOS -o "):
        load(tmp_path / "gone.safetensors")


def test_other_weights_than_those_it_was_trained_on_are_refused(model: Path, tmp_path: Path) -> None:
    identity = read_header(model).backbone | {"weights_sha256": "0" * 64}
    path = with_header(model, tmp_path / "other.safetensors", backbone=identity)
    with pytest.raises(
        ModelError, match=r"was trained on other embedded weights .* give the right file with --weights"
    ):
        load(path)


def test_a_tensor_that_is_missing_is_noticed(model: Path, tmp_path: Path) -> None:
    contents = file.read(model)
    data, _ = file.to_bytes(
        contents.tree, {name: array for name, array in contents.arrays.items() if name != "detector.bank_"}
    )
    (tmp_path / "m.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match=r"does not hold what its detector learned; train it again"):
        load(tmp_path / "m.safetensors")


@pytest.mark.slow
def test_bundled_weights_make_the_model_independent_of_their_file(cnn: Taught, weights: Path, tmp_path: Path) -> None:
    plain, bundled = tmp_path / "plain.safetensors", tmp_path / "bundled.safetensors"
    save(cnn, plain)
    save(cnn, bundled, bundle_backbone=True)
    assert not read_header(plain).is_bundled and read_header(bundled).is_bundled
    kept = weights.read_bytes()
    weights.unlink()
    try:
        with pytest.raises(WeightsError, match=r"There is no weights file"):
            load(plain)
        loaded = load(bundled)
    finally:
        weights.write_bytes(kept)
    photo = plate_photos.rusty(50)[0]
    assert loaded.inspect(photo) == replace(cnn.pipeline.inspect(photo), model=loaded.model_id)


def test_a_network_that_was_compiled_before_is_not_built_again(
    cnn: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(cnn, tmp_path / "m.safetensors")
    photo = plate_photos.rusty(50)[0]
    first = cnn.pipeline.inspect(photo)
    with monkeypatch.context() as patch:
        patch.setattr(backbones, "create", lambda *_, **__: pytest.fail("built although it was compiled before"))
        loaded = load(tmp_path / "m.safetensors")
        assert loaded.inspect(photo) == replace(first, model=loaded.model_id)


def test_weights_that_were_replaced_are_noticed_when_the_network_is_built(
    cnn: Taught, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(cnn, tmp_path / "m.safetensors")
    kept = weights.read_bytes()
    with safe_open(weights, framework="pt") as file:
        changed = {name: file.get_tensor(name) + 0.01 for name in file.keys()}  # noqa: SIM118
    save_file(changed, weights)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    try:
        with pytest.raises(ModelError, match=r"was trained on other resnet10t weights"):
            load(tmp_path / "m.safetensors").inspect(plate_photos.rusty(50)[0])
    finally:
        weights.write_bytes(kept)


def test_weights_that_have_moved_can_be_named(cnn: Taught, weights: Path, tmp_path: Path) -> None:
    save(cnn, tmp_path / "m.safetensors")
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(weights.read_bytes())
    loaded = load_taught(tmp_path / "m.safetensors", weights=moved)
    assert loaded.recipe.backbone.weights == str(moved)
    with safe_open(weights, framework="pt") as file:
        changed = {name: file.get_tensor(name) + 0.01 for name in file.keys()}  # noqa: SIM118
    save_file(changed, moved)
    with pytest.raises(ModelError, match=r"was trained on other resnet10t weights"):
        load(tmp_path / "m.safetensors", weights=moved)


def test_the_embedded_backbone_is_never_bundled(taught: Taught, model: Path, tmp_path: Path) -> None:
    save(taught, tmp_path / "m.safetensors", bundle_backbone=True)
    assert (tmp_path / "m.safetensors").read_bytes() == model.read_bytes()


def test_a_place_that_cannot_be_written_is_refused(taught: Taught, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "m.safetensors", tmp_path):
        for attempt in (lambda p: save(taught, p), lambda p: file.ensure_writable(p, overwrite=False)):
            with pytest.raises(AndonError, match=r"cannot be written .*; choose a place with -o"):
                attempt(path)


def test_a_name_of_a_pickle_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"let its name end in \.safetensors"):
        file.ensure_writable(tmp_path / "model.pth", overwrite=True)


def test_a_write_that_fails_leaves_the_old_model_and_nothing_else(
    taught: Taught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    save(taught, path)
    old = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match=r"No space left on device"):
        save(taught, path, overwrite=True)
    assert {found.name for found in tmp_path.iterdir()} == {"m.safetensors", "m.old.safetensors"}
    assert path.read_bytes() == old


def test_a_model_is_replaced_only_when_asked_to_and_the_old_ones_are_kept(taught: Taught, tmp_path: Path) -> None:
    real = tmp_path / "models" / "part.safetensors"
    real.parent.mkdir()
    save(taught, real)
    first = real.read_bytes()
    real.chmod(0o640)
    link = tmp_path / "part.safetensors"
    link.symlink_to(real)
    with pytest.raises(ModelError, match=r"exists already; give another name with -o, or --overwrite, which keeps"):
        save(taught, link)
    for _ in range(2):
        save(taught, link, overwrite=True)
    assert link.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert load_taught(link).calibration is not None
    kept = {path.name for path in real.parent.iterdir()}
    assert kept == {"part.safetensors", "part.old.safetensors", "part.old2.safetensors"}
    assert (real.parent / "part.old.safetensors").read_bytes() == first


def test_what_is_not_a_model_is_never_written_over(taught: Taught, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"somebody's")
    for attempt in (lambda: save(taught, photo, overwrite=True), lambda: file.ensure_writable(photo, overwrite=True)):
        with pytest.raises(ModelError, match=r"photo\.png is there and is not a model, so it is not written over"):
            attempt()
    assert photo.read_bytes() == b"somebody's"


def test_what_a_killed_run_left_beside_a_model_is_removed_by_the_next(taught: Taught, tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = tmp_path / f".m.safetensors.{socket.gethostname()}.{dead.pid}.unfinished"
    stale.write_bytes(b"half a model")
    alive = tmp_path / f".m.safetensors.{socket.gethostname()}.1.unfinished"
    alive.write_bytes(b"another run's")
    save(taught, tmp_path / "m.safetensors")
    assert not stale.exists() and alive.exists()


def test_an_umlaut_and_a_space_in_the_path_are_no_trouble(taught: Taught, tmp_path: Path) -> None:
    path = tmp_path / "Prüfling 1" / "Größe.safetensors"
    save(taught, str(path))
    assert load(str(path)).calibration is not None
    assert [found.name for found in path.parent.iterdir()] == [path.name]
