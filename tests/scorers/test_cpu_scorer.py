"""What scores in place of plain torch must say the same."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import plate_photos
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from andon import detectors, resources
from andon.backbones import Backbone, BackboneConfig, create
from andon.detectors import Detector
from andon.detectors._scoring import nearest
from andon.errors import ConfigError
from andon.inference import network_cache
from andon.inference.compiled import COMPILING, Requests
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.models.taught import Taught
from andon.scorers.choose import fastest_scorer, reference_scorer
from andon.scorers.compiled_backbone import CompiledBackbone
from andon.scorers.cpu import CpuScorer
from andon.scorers.graph import GraphScorer
from andon.scorers.precision import settle
from andon.types import Mask, Precision, Scores

pytestmark = pytest.mark.precision

SIZE = (96, 160)


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is not the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(scope="module")
def detector() -> Detector[object]:
    """PatchCore on the embedded backbone, taught with six noisy plates."""
    batch = as_tensors(*plates(6, seed=0))
    return detectors.create("patchcore", create(BackboneConfig())).fit([batch], seed=0)


@pytest.fixture(scope="module")
def small(backbone: Backbone) -> Detector[object]:
    """The same on a network that is converted in no time."""
    return detectors.create("patchcore", backbone).fit([as_tensors(*plates(6, seed=0))], seed=0)


def test_a_gpu_does_not_round_to_tf32(detector: Detector[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """As cuDNN does unless told. There need be no GPU: the detector stays where it is."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(Detector, "to", lambda moved, _: moved)
    with torch.backends.cudnn.flags(enabled=True):
        assert torch.backends.cudnn.allow_tf32
        assert fastest_scorer(detector).precision == "f32"
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.deterministic


def plates(n: int, seed: int) -> tuple[NDArray[np.uint8], Mask]:
    """Noise, brighter in a square of the last plate; a strip on the left lies outside the ROI."""
    grey = np.random.default_rng(seed).normal(128, 8, (n, *SIZE, 3))
    grey[-1, 32:64, 80:112] += 76
    roi = np.ones((n, *SIZE), bool)
    roi[:, :, :24] = False
    return grey.clip(0, 255).astype(np.uint8), roi


def as_tensors(photos: NDArray[np.uint8], roi: Mask) -> tuple[Tensor, Tensor]:
    """As a detector takes them."""
    return torch.from_numpy(photos).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(roi)


def largest_difference(scores: Scores, others: Scores) -> float:
    """Of image and patch scores, relative to the reference's largest."""
    image = np.abs(scores.image - others.image).max() / others.image.max()
    patch = np.abs(scores.patch - others.patch).max() / others.patch.max()
    return float(max(image, patch))


def test_the_compiled_network_scores_as_torch_does(detector: Detector[object]) -> None:
    x, roi = plates(3, seed=1)
    compiled, reference = fastest_scorer(detector, precision="f32"), reference_scorer(detector)
    assert isinstance(compiled, GraphScorer)
    assert largest_difference(compiled(x, roi), reference(x, roi)) < 1e-5
    found, expected = compiled.most_like(x, roi), reference.most_like(x, roi)
    np.testing.assert_allclose(found.distance, expected.distance, rtol=1e-3, atol=1e-4)
    assert (found.origin == expected.origin).mean() > 0.99  # as good as equal ones may change places


def test_without_a_memory_bank_the_network_alone_is_compiled() -> None:
    batch = as_tensors(*plates(6, seed=0))
    detector = detectors.create("padim", create(BackboneConfig()), {"dimensions": 10}).fit([batch], seed=0)
    compiled, reference = fastest_scorer(detector, precision="f32"), reference_scorer(detector)
    assert isinstance(compiled, CpuScorer) and isinstance(compiled.detector.backbone, CompiledBackbone)
    for n in (1, 3):
        x, roi = plates(n, seed=1)
        assert largest_difference(compiled(x, roi), reference(x, roi)) < 1e-4


def test_maps_of_one_network_are_not_mixed_up_in_the_cache() -> None:
    x = as_tensors(*plates(1, seed=1))[0][:, :, :32, :48]
    for strides in ((8,), (4,)):
        backbone = create(BackboneConfig(strides=strides))
        maps = CompiledBackbone(backbone, "f32")(x)
        for compiled, original in zip(maps, backbone(x), strict=True):
            torch.testing.assert_close(compiled, original, rtol=1e-3, atol=1e-4)


def test_a_compiled_vit_gives_the_same_tokens_on_a_photo_of_any_size() -> None:
    backbone = create(BackboneConfig(name="deit_tiny_patch16_224", blocks=(0,)), pretrained=False)
    compiled = CompiledBackbone(backbone, "f32")
    x = torch.rand(2, 3, 50, 100, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(compiled(x)[0], backbone(x)[0], rtol=0, atol=1e-4)
    assert not compiled.local


@pytest.mark.slow
def test_bfloat16_stays_within_one_percent_and_is_not_float32(detector: Detector[object]) -> None:
    x, roi = plates(3, seed=1)
    scores, reference = fastest_scorer(detector, precision="bf16")(x, roi), reference_scorer(detector)(x, roi)
    assert 1e-5 < np.abs(scores.image / reference.image - 1).max() < 0.01


def test_no_two_threads_make_the_first_call_of_a_network_at_once(
    detector: Detector[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that do sometimes wait for each other forever."""
    made: list[tuple[int, bool]] = []
    prepare = Requests.__init__

    def recorded(self: Requests, network: ov.CompiledModel, number: int) -> None:
        made.append((number, COMPILING.locked()))
        prepare(self, network, number)

    monkeypatch.setattr(Requests, "__init__", recorded)
    x, roi = plates(4, seed=5)
    fastest_scorer(detector, precision="f32")(x, roi)
    assert made and all(made) and all(number == resources.cpus() for number, _ in made)


@pytest.mark.slow
def test_photos_of_several_sizes_and_batches_go_through_one_scorer(detector: Detector[object]) -> None:
    scorer, reference = fastest_scorer(detector, precision="f32"), reference_scorer(detector)
    x, roi = plates(2, seed=2)
    for window in (np.s_[:, :64, :96], np.s_[:, :, :], np.s_[:, :64, :96]):
        part, inside = np.ascontiguousarray(x[window]), np.ascontiguousarray(roi[window])
        assert largest_difference(scorer(part, inside), reference(part, inside)) < 1e-5
    together = scorer(x, roi)
    alone = [scorer(x[i : i + 1], roi[i : i + 1]) for i in range(2)]
    assert np.allclose(together.image, [float(scores.image[0]) for scores in alone], rtol=1e-5)


def test_photos_side_by_side_keep_their_order_and_leave_torch_its_threads(
    detector: Detector[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = torch.get_num_threads()
    x, roi = plates(7, seed=5)
    x, roi = np.concatenate([x, x[::-1]]), np.concatenate([roi, roi[::-1]])
    torch.set_num_threads(3)
    try:
        scores = fastest_scorer(detector, precision="f32")(x, roi)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert largest_difference(scores, reference_scorer(detector)(x, roi)) < 1e-5
    assert len(set(scores.image[:7].tolist())) == 7


def test_the_detector_itself_is_left_as_it_is(detector: Detector[object]) -> None:
    backbone = detector.backbone
    names = list(detector.state_dict())
    fastest_scorer(detector)(*plates(1, seed=0))
    assert detector.backbone is backbone
    assert list(detector.state_dict()) == names


@pytest.mark.slow
def test_the_cache_is_filled_once_and_knows_weights_from_one_another(
    detector: Detector[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    x, roi = plates(1, seed=3)
    first = fastest_scorer(detector, precision="f32")(x, roi)
    (entry,) = (tmp_path / "andon" / "networks").iterdir()
    assert entry.parent.stat().st_mode & 0o777 == 0o700
    again = fastest_scorer(detector, precision="f32")(x, roi)
    assert list(entry.parent.iterdir()) == [entry]
    assert np.array_equal(first.patch, again.patch)
    other = detectors.create("patchcore", create(BackboneConfig()))
    with torch.no_grad():
        next(other.backbone.parameters()).mul_(1.1)
    other.restore(detector.learned())
    assert largest_difference(fastest_scorer(other, precision="f32")(x, roi), reference_scorer(other)(x, roi)) < 1e-5
    assert len(list(entry.parent.iterdir())) == 2


@pytest.mark.parametrize("damage", ["empty", "cut", "zeroed", "another's", "one bit"])
def test_an_entry_of_the_cache_that_cannot_be_trusted_is_made_anew(
    damage: str, small: Detector[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    x, roi = plates(1, seed=3)
    first = fastest_scorer(small, precision="f32")(x, roi)
    (entry,) = (tmp_path / "andon" / "networks").iterdir()
    whole = entry.read_bytes()
    spoiled = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "zeroed": bytes(len(whole)),
        "another's": whole[::-1],
        "one bit": whole[:-1] + bytes([whole[-1] ^ 1]),
    }
    entry.write_bytes(spoiled[damage])
    assert np.array_equal(fastest_scorer(small, precision="f32")(x, roi).patch, first.patch)
    made_anew = entry.read_bytes()
    assert made_anew != spoiled[damage] and made_anew[:32] == hashlib.sha256(made_anew[32:]).digest()


def test_the_cache_drops_what_was_used_longest_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(network_cache, "MOST_BYTES", 250)
    for age, key in enumerate(("new", "middle", "old")):
        network_cache.put(key, bytes(60))
        os.utime(tmp_path / "andon" / "networks" / key, (1000 - age, 1000 - age))
    assert network_cache.get("old") == bytes(60)  # and now it is the one that was used last
    network_cache.put("newest", bytes(60))
    assert network_cache.get("middle") is None
    assert network_cache.get("old") == network_cache.get("newest") == bytes(60)


def test_without_a_place_for_the_cache_it_works_all_the_same(
    small: Detector[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    x, roi = plates(1, seed=3)
    compiled, reference = fastest_scorer(small, precision="f32"), reference_scorer(small)
    assert largest_difference(compiled(x, roi), reference(x, roi)) < 1e-5


class Unconvertible(Backbone):
    """A network with a layer that OpenVINO does not know."""

    def __init__(self) -> None:
        super().__init__((3,), (8,))

    def features(self, x: Tensor) -> list[Tensor]:
        values, vectors = torch.linalg.eigh(torch.eye(3) + torch.einsum("bihw,bjhw->bij", x, x) * 1e-6)
        return [torch.einsum("bij,bjhw->bihw", vectors * values[:, None], x)[:, :, ::8, ::8]]


def test_a_network_that_does_not_convert_runs_in_torch_with_a_remark(caplog: pytest.LogCaptureFixture) -> None:
    x, roi = plates(3, seed=4)
    taught = detectors.create("patchcore", Unconvertible())
    taught.fit([as_tensors(x, roi)], seed=0)
    with caplog.at_level(logging.WARNING, logger="andon"):
        scores = fastest_scorer(taught)(x, roi)
    assert largest_difference(scores, reference_scorer(taught)(x, roi)) < 1e-2  # eigenvectors of one photo and of three
    assert caplog.messages[-1] == "OpenVINO cannot run this network, so torch does, which is slower."


def test_a_model_warns_when_it_runs_at_another_precision(
    taught: Taught, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def at(precision: Precision) -> list[str]:
        caplog.clear()
        load(model, precision=precision)
        return [record.message for record in caplog.records]

    calibrated_in = taught.manifest.precision
    assert calibrated_in == settle("auto")
    other: Precision = "bf16" if calibrated_in == "f32" else "f32"
    assert at("auto") == []
    (warning,) = at(other)
    assert f"calibrated in {calibrated_in} and now runs in {other}" in warning


@pytest.mark.parametrize("word", ["f32", "bf16"])
def test_the_environment_says_what_auto_means(
    word: str, detector: Detector[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDON_PRECISION", word)
    assert settle("auto") == fastest_scorer(detector).precision == word
    assert settle("bf16") == "bf16" and settle("f32") == "f32"  # what was asked for holds


def test_a_precision_of_the_environment_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_PRECISION", "f16")
    with pytest.raises(ConfigError, match=r"^ANDON_PRECISION is 'f16'; did you mean 'bf16'\?$"):
        settle("auto")


def test_verdicts_are_the_references(taught: Taught, pipeline: Pipeline) -> None:
    compiled = replace(pipeline, scorer=fastest_scorer(taught.detector, precision="f32"))
    plain = replace(pipeline, scorer=reference_scorer(taught.detector))
    for photo in (plate_photos.part(70), plate_photos.rusty(71)[0]):
        ours, reference = compiled.inspect(photo), plain.inspect(photo)
        assert ours.verdict == reference.verdict
        assert ours.score == pytest.approx(reference.score, rel=1e-4)


@pytest.mark.parametrize("rows", [1, 1024, 1025, 3000])
def test_the_search_in_tiles_finds_the_nearest_row(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    bank = torch.randn(rows, 24, generator=generator)
    queries = torch.cat([bank[-1:] + 1e-4, torch.randn(200, 24, generator=generator)])
    distance, index = nearest(queries, bank)
    exact = torch.cdist(queries.double(), bank.double(), compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.equal(index, exact.argmin(dim=1))
    torch.testing.assert_close(distance.double(), exact.amin(dim=1), rtol=1e-4, atol=0)
