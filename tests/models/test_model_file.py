"""One model file: the same after a round trip, and never half of one."""

from __future__ import annotations

import json
import pickle
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
from andon.line.pipeline import Pipeline
from andon.models import files as artefact
from andon.models import header as model_file
from andon.teaching import train as training


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
def cnn_pipeline(data: Path, weights: Path) -> Pipeline:
    settings = (*plate_photos.FAST, "backbone.name=resnet10t", f"backbone.weights={weights}", "detector.target_dim=32")
    return training.train(data, settings=settings)


def with_header(model: Path, target: Path, **changes: Any) -> Path:
    """A copy of the model with other entries in its header."""
    with safe_open(model, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        header = json.loads(file.metadata()[model_file.KEY])
    save_file(tensors, target, {model_file.KEY: json.dumps(header | changes)})
    return target


def test_a_model_is_the_same_after_a_round_trip(pipeline: Pipeline, model: Path, tmp_path: Path) -> None:
    loaded = artefact.load_model(model)
    assert loaded.recipe == pipeline.recipe
    assert loaded.manifest == pipeline.manifest
    photo = plate_photos.rusty(50)[0]
    one, other = pipeline.inspect(photo), loaded.inspect(photo)
    assert one == other
    assert np.array_equal(one.anomaly_map, other.anomaly_map)  # type: ignore[arg-type]
    artefact.save_model(loaded, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == model.read_bytes()


def test_calibration_and_review_band_come_back(pipeline: Pipeline, tmp_path: Path) -> None:
    assert pipeline.calibration is not None
    banded = pipeline.calibrated(replace(pipeline.calibration, review_threshold=0.25))
    artefact.save_model(banded, tmp_path / "m.safetensors")
    loaded = artefact.load_model(tmp_path / "m.safetensors").calibration
    assert loaded is not None and loaded.review_threshold == 0.25
    assert np.array_equal(loaded.ok_scores, pipeline.calibration.ok_scores)
    assert (loaded.threshold, loaded.pixel_threshold) == (
        pipeline.calibration.threshold,
        pipeline.calibration.pixel_threshold,
    )


def test_an_uncalibrated_model_can_be_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    artefact.save_model(Pipeline(pipeline.recipe, pipeline.detector), tmp_path / "m.safetensors")
    assert artefact.load_model(tmp_path / "m.safetensors").calibration is None


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 0.3, 0.9, -1])
def test_a_model_that_was_cut_short_is_refused(kept: float, model: Path, tmp_path: Path) -> None:
    data = model.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelError, match=r"cut\.safetensors is damaged, cut short or no model .*; copy it again"):
        artefact.load_model(path)


@pytest.mark.parametrize(("number", "do"), [(1, "teach it again"), (99, "update Andon")])
def test_a_model_of_another_format_is_refused(number: int, do: str, model: Path, tmp_path: Path) -> None:
    path = with_header(model, tmp_path / "other.safetensors", format=number)
    with pytest.raises(ModelError, match=rf"has model format {number}, but this Andon reads format 2; {do}\.$"):
        artefact.load_model(path)


@pytest.mark.parametrize("suffix", [".pkl", ".pth", ".pt", ".joblib", ".PKL"])
def test_a_pickle_is_never_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(ModelError, match=r"is a pickle, which can run any program .* never opens one"):
        artefact.load_model(path)


def test_a_pickle_under_a_false_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": list(range(100))}))
    with pytest.raises(ModelError, match=r"is damaged, cut short or no model"):
        artefact.load_model(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"andon": "{}"}, {"andon": "[1]"}, {"andon": "no json"}])
def test_a_foreign_safetensors_file_is_refused(metadata: dict[str, str] | None, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors", metadata)
    with pytest.raises(ModelError, match=r"is no Andon model|no model"):
        artefact.load_model(tmp_path / "foreign.safetensors")


def test_a_missing_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no model file .*; teach one with: andon train PHOTOS -o "):
        artefact.load_model(tmp_path / "gone.safetensors")


def test_other_weights_than_those_it_was_taught_on_are_refused(model: Path, tmp_path: Path) -> None:
    identity = model_file.read_header(model)["backbone"] | {"weights_sha256": "0" * 64}
    path = with_header(model, tmp_path / "other.safetensors", backbone=identity)
    with pytest.raises(
        ModelError, match=r"was taught on other embedded weights .* give the right file with --weights"
    ):
        artefact.load_model(path)


def test_a_tensor_that_is_missing_is_noticed(model: Path, tmp_path: Path) -> None:
    with safe_open(model, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys() if name != "detector.bank_"}  # noqa: SIM118
        metadata = file.metadata()
    save_file(tensors, tmp_path / "m.safetensors", metadata)
    with pytest.raises(ModelError, match=r"does not hold what its detector learned; teach it again"):
        artefact.load_model(tmp_path / "m.safetensors")


def test_bundled_weights_make_the_model_independent_of_their_file(
    cnn_pipeline: Pipeline, weights: Path, tmp_path: Path
) -> None:
    plain, bundled = tmp_path / "plain.safetensors", tmp_path / "bundled.safetensors"
    artefact.save_model(cnn_pipeline, plain)
    artefact.save_model(cnn_pipeline, bundled, bundle_backbone=True)
    assert not model_file.is_bundled(plain) and model_file.is_bundled(bundled)
    kept = weights.read_bytes()
    weights.unlink()
    try:
        with pytest.raises(WeightsError, match=r"There is no weights file"):
            artefact.load_model(plain)
        loaded = artefact.load_model(bundled)
    finally:
        weights.write_bytes(kept)
    photo = plate_photos.rusty(50)[0]
    assert loaded.inspect(photo) == cnn_pipeline.inspect(photo)


def test_a_network_that_was_compiled_before_is_not_built_again(
    cnn_pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact.save_model(cnn_pipeline, tmp_path / "m.safetensors")
    photo = plate_photos.rusty(50)[0]
    first = cnn_pipeline.inspect(photo)
    with monkeypatch.context() as patch:
        patch.setattr(backbones, "create", lambda *_, **__: pytest.fail("built although it was compiled before"))
        assert artefact.load_model(tmp_path / "m.safetensors").inspect(photo) == first


def test_weights_that_were_replaced_are_noticed_when_the_network_is_built(
    cnn_pipeline: Pipeline, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artefact.save_model(cnn_pipeline, tmp_path / "m.safetensors")
    kept = weights.read_bytes()
    with safe_open(weights, framework="pt") as file:
        changed = {name: file.get_tensor(name) + 0.01 for name in file.keys()}  # noqa: SIM118
    save_file(changed, weights)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    try:
        with pytest.raises(ModelError, match=r"was taught on other resnet10t weights"):
            artefact.load_model(tmp_path / "m.safetensors").inspect(plate_photos.rusty(50)[0])
    finally:
        weights.write_bytes(kept)


def test_weights_that_have_moved_can_be_named(cnn_pipeline: Pipeline, weights: Path, tmp_path: Path) -> None:
    artefact.save_model(cnn_pipeline, tmp_path / "m.safetensors")
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(weights.read_bytes())
    loaded = artefact.load_model(tmp_path / "m.safetensors", weights=moved)
    assert loaded.recipe.backbone.weights == str(moved)
    with safe_open(weights, framework="pt") as file:
        changed = {name: file.get_tensor(name) + 0.01 for name in file.keys()}  # noqa: SIM118
    save_file(changed, moved)
    with pytest.raises(ModelError, match=r"was taught on other resnet10t weights"):
        artefact.load_model(tmp_path / "m.safetensors", weights=moved)


def test_the_embedded_backbone_is_never_bundled(pipeline: Pipeline, model: Path, tmp_path: Path) -> None:
    artefact.save_model(pipeline, tmp_path / "m.safetensors", bundle_backbone=True)
    assert (tmp_path / "m.safetensors").read_bytes() == model.read_bytes()


def test_a_place_that_cannot_be_written_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "m.safetensors", tmp_path):
        for attempt in (lambda p: artefact.save_model(pipeline, p), model_file.ensure_writable):
            with pytest.raises(AndonError, match=r"cannot be written .*; choose a place with -o"):
                attempt(path)


def test_a_name_of_a_pickle_is_refused_before_teaching(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"let its name end in \.safetensors"):
        model_file.ensure_writable(tmp_path / "model.pth")


def test_a_write_that_fails_leaves_the_old_model_and_nothing_else(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"the old model")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ModelError, match=r"No space left on device"):
        artefact.save_model(pipeline, path)
    assert [found.name for found in tmp_path.iterdir()] == ["m.safetensors"]
    assert path.read_bytes() == b"the old model"


def test_an_umlaut_and_a_space_in_the_path_are_no_trouble(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "Prüfling 1" / "Größe.safetensors"
    artefact.save_model(pipeline, str(path))
    assert artefact.load_model(str(path)).calibration is not None
    assert [found.name for found in path.parent.iterdir()] == [path.name]
