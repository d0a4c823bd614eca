"""Training in shards, beside the training that takes all photos at once, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import plate_photos
import pytest
import torch
from PIL import Image

from andon import datasets, images, recipes
from andon.datasets import Dataset
from andon.detectors.patchcore import PatchCore
from andon.engines.local import LocalEngine
from andon.errors import ConfigError, InputError
from andon.images import OpenedPhotos
from andon.models.save import save
from andon.models.taught import Taught
from andon.teaching.photos import Batches, Frames
from andon.teaching.shards import banks, survey
from andon.teaching.shards import teach as in_shards
from andon.teaching.shards.settled import Settled
from andon.teaching.train import teach as at_once

pytestmark = pytest.mark.slow

N = 10
SETTINGS = (*plate_photos.FAST, "detector.coreset_ratio=0.2", "training.folds=2")
COLOUR = "detector.colour_weight=0.5"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts") / "ok"
    plate_photos.write_parts(folder, range(N))
    return folder


@pytest.fixture(scope="module")
def sharded(photos: Path) -> Taught:
    return taught(photos)


@pytest.fixture(scope="module")
def whole(photos: Path) -> Taught:
    return plain(photos)


def taught(photos: Path | Dataset, *settings: str, shard_size: int = 4) -> Taught:
    dataset = photos if isinstance(photos, Dataset) else datasets.read(photos)
    recipe = recipes.build("default", [*SETTINGS, *settings])
    return in_shards.teach(recipe, dataset, LocalEngine(), shard_size=shard_size, precision="f32")


def plain(photos: Path, *settings: str) -> Taught:
    return at_once(recipes.build("default", [*SETTINGS, *settings]), datasets.read(photos), precision="f32")


def patchcore(model: Taught) -> PatchCore:
    assert isinstance(model.detector, PatchCore)
    return model.detector


def patches_of(model: Taught, photos: list[Path]) -> torch.Tensor:
    frames = Frames(model.recipe.steps.values(), OpenedPhotos())
    with torch.inference_mode():
        return torch.cat(list(patchcore(model).patches(Batches(photos, model.recipe, "", frames=frames), [])))


def model_bytes(model: Taught, path: Path) -> bytes:
    save(model, path)
    return path.read_bytes()


def test_its_radius_is_that_of_all_patches_of_all_shards(sharded: Taught, photos: Path) -> None:
    patches = patches_of(sharded, sorted(photos.iterdir()))
    assert len(patches) == sharded.manifest.facts["patches"]
    away = torch.cdist(patches, patchcore(sharded).bank_).amin(dim=1).max()
    assert sharded.manifest.facts["bank_radius"] == pytest.approx(float(away), rel=1e-3)


def test_one_shard_comes_as_near_as_a_training_at_once(photos: Path, whole: Taught) -> None:
    one = taught(photos, shard_size=N)
    assert one.manifest.facts["bank_radius"] == pytest.approx(whole.manifest.facts["bank_radius"], rel=0.02)
    assert one.manifest.trained == whole.manifest.trained
    assert one.calibration is not None and whole.calibration is not None
    assert one.calibration.threshold == pytest.approx(whole.calibration.threshold, rel=0.1)
    assert one.pipeline.guard is not None and whole.pipeline.guard is not None
    assert np.array_equal(one.pipeline.guard.limits, whole.pipeline.guard.limits)
    assert [one.jpeg for one in one.pipeline.thumbnails] == [one.jpeg for one in whole.pipeline.thumbnails]


def test_shards_come_within_twice_what_a_training_at_once_asks_for(sharded: Taught, whole: Taught) -> None:
    reached = sharded.manifest.facts["bank_radius"]
    assert reached <= 2 * whole.manifest.facts["bank_radius"] * 1.02
    assert sharded.calibration is not None
    assert len(sharded.calibration.ok_scores) == N
    photo, spot = plate_photos.rusty(400)
    inspection = sharded.pipeline.inspect(photo)
    assert inspection.verdict == "NG"
    assert inspection.anomaly_map is not None
    assert spot[np.unravel_index(inspection.anomaly_map.argmax(), spot.shape)]


def test_rows_of_the_bank_come_from_the_photos_that_they_name(sharded: Taught, photos: Path) -> None:
    paths = sorted(photos.iterdir())
    rows, origin = patchcore(sharded).bank_, patchcore(sharded).origin_
    for number in (0, 5, N - 1):
        own = origin[:, 0] == number
        assert own.any()
        assert torch.cdist(rows[own], patches_of(sharded, [paths[number]])).amin(dim=1).max() < 5e-3  # cdist in float32


def test_the_same_shards_give_the_same_file_with_any_number_of_threads(
    sharded: Taught, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANDON_THREADS", "3")
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        again = taught(photos)
    finally:
        torch.set_num_threads(before)
    assert model_bytes(again, tmp_path / "b.safetensors") == model_bytes(sharded, tmp_path / "a.safetensors")


def test_no_photo_is_scored_by_a_bank_that_knows_it(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ok"
    plate_photos.write_parts(folder, range(N))
    images.write(folder / "odd.png", plate_photos.rusty(99)[0])
    model = taught(folder, "training.guard=false", shard_size=5)
    assert model.calibration is not None
    assert model.calibration.ok_scores[-1] > 1.5 * model.calibration.ok_scores[-2]
    assert any("odd.png" in remark for remark in model.manifest.remarks)


def test_a_calibration_split_is_scored_by_the_model_of_all(data: Path) -> None:
    model, whole = taught(data), plain(data)
    assert model.calibration is not None and whole.calibration is not None
    assert model.manifest.calibrated == whole.manifest.calibrated
    assert len(model.calibration.ok_scores) == len(whole.calibration.ok_scores)
    assert model.calibration.threshold == pytest.approx(whole.calibration.threshold, rel=0.15)
    assert len(model.pipeline.thumbnails) == len(model.manifest.trained)


def test_scales_of_colour_are_settled_over_all_shards(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "PHOTOS_OF_TASK", 3)
    model, whole = patchcore(taught(photos, COLOUR, shard_size=3)), patchcore(plain(photos, COLOUR))
    assert torch.allclose(model.colour_scale_, whole.colour_scale_, rtol=1e-4)
    assert torch.allclose(model.projection_, whole.projection_, rtol=1e-4, atol=1e-7)


def test_tiles_and_photos_that_are_not_enhanced(photos: Path) -> None:
    model = taught(photos, "tiling.size=64", "training.enhanced_share=0.5", "training.guard=false")
    assert model.manifest.facts["patches"] == len(patches_of(model, sorted(photos.iterdir())))
    assert patchcore(model).origin_[:, 0].max() > N  # tiles are counted


def test_a_bank_of_a_given_size(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = taught(photos, "detector.coverage=0", "detector.coreset_ratio=0.01")
    assert model.manifest.facts["bank_rows"] == round(0.01 * model.manifest.facts["patches"])
    monkeypatch.setattr(banks, "LEAST_ROOM", 100)
    with pytest.raises(ConfigError, match=r"cannot be chosen from shards of 4 photos.*coreset_ratio to 0\.\d+, or"):
        taught(photos, "detector.coverage=0", "detector.coreset_ratio=0.5")


def test_damaged_photos_may_be_among_those_that_are_not_alone(photos: Path) -> None:
    model = taught(photos, "detector.density_keep=0.8", shard_size=7)
    assert model.manifest.facts["patches"] == pytest.approx(
        0.8 * len(patches_of(model, sorted(photos.iterdir()))), 0.01
    )
    assert model.manifest.facts["bank_radius"] > 0


def test_photos_that_do_not_say_what_is_white_are_scaled_as_all_of_them_need(tmp_path: Path) -> None:
    for seed in range(N):
        grey = plate_photos.part(seed)[:, :, 0].astype(np.uint16) * 12 + seed
        path = tmp_path / "ok" / f"{seed:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(grey).save(path)
    assert taught(tmp_path / "ok").pipeline.white == 2047  # the least that no value lies above, in whole bits


def test_an_unreadable_photo_is_left_out_and_said(photos: Path, tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(N))
    (tmp_path / "ok" / "broken.png").write_bytes(b"no photo")
    model = taught(tmp_path / "ok")
    assert len(model.manifest.trained) == N
    assert any(remark.startswith("broken.png is left out: ") for remark in model.manifest.remarks)


def test_a_photo_that_a_worker_does_not_see_is_not_left_out_in_silence(photos: Path) -> None:
    dataset = datasets.read(photos)
    gone = replace(dataset.samples[3], path=photos / "gone.png")
    with pytest.raises(InputError, match=r"does not see .*gone\.png; put the photos into a folder"):
        taught(replace(dataset, samples=(*dataset.samples, gone)))


def test_many_photos_are_compared_with_those_of_their_lot_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = plate_photos.write_parts(tmp_path / "ok", range(N))
    (tmp_path / "ok" / "copy.png").write_bytes(paths[0].read_bytes())  # of another lot
    monkeypatch.setattr(in_shards, "MOST_COMPARED", 3)
    model = taught(tmp_path / "ok")
    assert model.calibration is not None
    assert len(model.calibration.ok_scores) == N  # a copy counts once
    assert any("too many to compare each with each other" in remark for remark in model.manifest.remarks)


def test_of_many_photos_no_pictures_are_kept_and_some_say_what_all_are_like(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_shards, "MOST_THUMBNAILS", 3)
    monkeypatch.setattr(in_shards, "SURVEYED", 6)
    monkeypatch.setattr(survey, "SURVEYED", 6)
    model = taught(photos)
    assert model.pipeline.thumbnails == ()
    assert any("come from 6 of the 10 OK photos" in remark for remark in model.manifest.remarks)
    assert len(model.manifest.trained) == N


def test_other_detectors_are_refused_in_a_sentence(photos: Path) -> None:
    with pytest.raises(ConfigError, match=r"^padim learns from all photos at once.*--detector patchcore\.$"):
        taught(photos, "detector.name=padim")


def test_a_worker_with_other_versions_or_weights_is_refused(photos: Path) -> None:
    recipe = recipes.build("default", SETTINGS)
    settled = Settled(recipe, None, "other weights")
    with pytest.raises(Exception, match="has other weights of embedded"):
        settled.detector()
    with pytest.raises(Exception, match=r"has torch .* instead of 1\.0; install the same versions"):
        replace(settled, versions=(("torch", "1.0"),)).detector()


def test_a_shard_that_does_not_fit_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("andon.resources.available_memory", lambda: 2**29)
    with pytest.raises(ConfigError, match=r"A shard needs about \d\.\d GiB .* make --shard smaller\.$"):
        taught(photos)
