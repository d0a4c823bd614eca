"""Training and calibrating: who trains, who calibrates, and that the same photos give the same model."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import plate_photos
import pytest
from PIL import Image

from andon import datasets, images, recipes
from andon.errors import DatasetError, ImageError, NotCalibratedError
from andon.images import opened
from andon.images.decode import load
from andon.images.files import read_bytes
from andon.line.calibration import CalibrationRule
from andon.models.save import save
from andon.models.taught import Taught
from andon.models.trained import load_taught
from andon.preprocess.resize import Resize
from andon.teaching.photos import Batches
from andon.teaching.thresholds import recalibrate
from andon.teaching.train import teach, train
from andon.types import Frame

pytestmark = pytest.mark.precision


def digest(path: Path) -> str:
    return images.sha256(path.read_bytes())


def model_bytes(model: Taught, path: Path) -> bytes:
    path.unlink(missing_ok=True)
    save(model, path)
    return path.read_bytes()


def test_the_manifest_names_who_trained_and_who_calibrated_and_no_test_photo(taught: Taught, data: Path) -> None:
    named = taught.manifest.photos()
    for part, folder in (("trained", "train/good"), ("calibrated", "validation/good")):
        assert named[part] == {f"{folder}/{path.name}": digest(path) for path in (data / folder).iterdir()}
    assert taught.manifest.seen == {*named["trained"].values(), *named["calibrated"].values()}
    assert taught.manifest.seen.isdisjoint(digest(path) for path in (data / "test").rglob("*.png"))


def test_test_photos_have_no_influence(taught: Taught, data: Path, tmp_path: Path) -> None:
    without = shutil.copytree(data, tmp_path / "plates", ignore=shutil.ignore_patterns("rust"))
    shutil.rmtree(without / "test")
    (without / "ground_truth").mkdir(exist_ok=True)
    again = train(without, settings=plate_photos.FAST)
    assert again.calibration is not None and taught.calibration is not None
    assert again.calibration.summary() == taught.calibration.summary()
    assert np.array_equal(again.calibration.ok_scores, taught.calibration.ok_scores)
    photo = plate_photos.part(70)
    assert again.pipeline.inspect(photo).score == taught.pipeline.inspect(photo).score


def test_the_threshold_comes_from_the_calibration_photos(taught: Taught, data: Path) -> None:
    scores = [taught.pipeline.inspect(path).score for path in sorted((data / "validation" / "good").iterdir())]
    assert taught.calibration is not None
    np.testing.assert_allclose(taught.calibration.ok_scores, np.sort(scores), rtol=1e-5)
    assert taught.calibration.threshold == pytest.approx(np.percentile(scores, 99), rel=1e-5)


@pytest.mark.slow
def test_with_few_photos_each_is_scored_by_a_model_that_has_not_seen_it(tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path / "ok", range(7))
    odd = tmp_path / "ok" / "odd.png"
    images.write(odd, plate_photos.rusty(40)[0])  # unlike all others: a model that has seen it would find it normal
    settings = (*plate_photos.FAST, "detector.coreset_ratio=1.0", "detector.coverage=0")
    model = train(tmp_path / "ok", settings=settings)
    assert model.calibration is not None
    assert len(model.calibration.ok_scores) == 8
    assert (
        model.pipeline.inspect(odd).score < 0.1
    )  # the final model has seen it, its calibration score came from another
    assert model.calibration.ok_scores[-1] > 1.5 * model.calibration.ok_scores[-2]
    assert len(model.manifest.trained) == 8
    assert any("not seen it" in remark for remark in model.manifest.remarks)
    assert any(
        remark.startswith("This OK photo scores unlike the others") and "odd.png" in remark
        for remark in model.manifest.remarks
    )


@pytest.mark.slow
def test_the_same_photos_and_seed_give_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    first = tmp_path / "here"
    plate_photos.write_parts(first, range(5))
    images.write(first / "odd.png", plate_photos.rusty(40)[0])  # so that remarks name a file
    (first / "text.jpg").write_text("no photo")
    second = shutil.copytree(first, tmp_path / "moved" / "elsewhere")
    models = [model_bytes(train(root, settings=plate_photos.FAST), tmp_path / "model") for root in (first, second)]
    assert models[0] == models[1]
    assert str(tmp_path).encode() not in models[0]


@pytest.mark.slow
def test_another_seed_gives_another_model(taught: Taught, data: Path) -> None:
    other = train(data, settings=(*plate_photos.FAST, "training.seed=1"))
    assert other.recipe.training.seed == 1
    learned, learned_otherwise = taught.detector.learned(), other.detector.learned()
    assert any(not learned[name].equal(learned_otherwise[name]) for name in learned)


def test_a_setting_may_name_another_detector(data: Path) -> None:
    model = train(
        data, settings=(*plate_photos.FAST_WITH_ANY_DETECTOR, "detector.name=padim", "detector.dimensions=12")
    )
    assert model.recipe.detector == "padim" and model.recipe.parameters["dimensions"] == 12
    assert model.pipeline.inspect(plate_photos.rusty(50)[0]).verdict == "NG"


def test_a_batch_size_changes_nothing_that_matters(taught: Taught, data: Path) -> None:
    other = train(data, settings=(*plate_photos.FAST, "training.batch_size=3"))
    photo = plate_photos.rusty(50)[0]
    assert other.pipeline.inspect(photo).score == pytest.approx(taught.pipeline.inspect(photo).score, rel=0.02)


def test_the_open_parameters_of_steps_are_settled_and_kept(taught: Taught) -> None:
    assert recipes.build("default", plate_photos.FAST).steps["resize"].canvas is None  # type: ignore[attr-defined]
    assert taught.recipe.steps["resize"].canvas == (64, 96)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_unreadable_training_photo_is_left_out_and_said(tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path, range(5))
    (tmp_path / "broken.jpg").write_bytes(b"rubbish")
    model = train(tmp_path, settings=plate_photos.FAST)
    assert "broken.jpg" not in model.manifest.trained.names
    assert any("broken.jpg is left out" in remark for remark in model.manifest.remarks)


def test_a_test_photo_that_is_a_training_photo_is_refused(data: Path, tmp_path: Path) -> None:
    leaky = shutil.copytree(data, tmp_path / "leaky")
    shutil.copy(leaky / "train/good/000.png", leaky / "test/good/copy.png")
    with pytest.raises(DatasetError, match=r"1 test photo is identical .*copy.png.*--allow-duplicates"):
        train(leaky, settings=plate_photos.FAST)
    model = train(leaky, settings=plate_photos.FAST, allow_duplicates=True)
    assert any("identical to photos that the model learns from" in remark for remark in model.manifest.remarks)


def test_too_few_photos_for_the_rule_are_refused_before_any_training(data: Path) -> None:
    with pytest.raises(NotCalibratedError, match=r"6 calibration photos .* until there are 99"):
        train(data, settings=(*plate_photos.FAST, "calibration.method=conformal"))


def test_recalibrating_changes_the_thresholds_and_nothing_else(taught: Taught, tmp_path: Path) -> None:
    new = plate_photos.write_parts(tmp_path, range(400, 410))
    rule = CalibrationRule(method="conformal", false_reject_rate=0.1)
    again = recalibrate(taught, rule, new)
    scores = [taught.pipeline.inspect(path).score for path in new]
    assert again.calibration is not None and again.calibration.threshold == pytest.approx(max(scores), rel=1e-5)
    assert again.recipe.calibration == rule
    assert again.pipeline.inspect(new[0]).score == taught.pipeline.inspect(new[0]).score
    assert again.manifest.trained == taught.manifest.trained
    assert set(again.manifest.calibrated.digests) == {digest(path) for path in new}
    assert again.manifest.remarks[-1] == "Calibrated again with 10 OK photos."
    assert taught.recipe.calibration != rule  # the old one is as it was


@pytest.mark.parametrize("kind", [Path, str])
def test_a_photo_that_trained_the_model_may_not_calibrate_it(
    kind: type[Path] | type[str], taught: Taught, data: Path, tmp_path: Path
) -> None:
    new = plate_photos.write_parts(tmp_path, range(400, 403))
    shutil.copy(data / "train" / "good" / "003.png", tmp_path / "renamed.png")
    with pytest.raises(DatasetError, match=r"1 of the 4 photos trained this model, .*renamed.png for one"):
        recalibrate(taught, CalibrationRule(), [kind(path) for path in [*new, tmp_path / "renamed.png"]])


def test_target_recall_uses_the_ng_photos(taught: Taught, tmp_path: Path) -> None:
    ok = plate_photos.write_parts(tmp_path, range(400, 404))
    ng = [plate_photos.rusty(seed)[0] for seed in range(500, 504)]
    again = recalibrate(taught, CalibrationRule(method="target-recall", recall=1.0), ok, ng)
    assert again.calibration is not None
    lowest = min(taught.pipeline.inspect(photo).score for photo in ng)
    assert again.calibration.threshold == pytest.approx(lowest, rel=1e-5)


def test_an_unreadable_calibration_photo_is_an_error(taught: Taught, tmp_path: Path) -> None:
    ok = plate_photos.write_parts(tmp_path, range(400, 403))
    (tmp_path / "broken.jpg").write_bytes(b"rubbish")
    with pytest.raises(ImageError, match=r"broken\.jpg is not a photo"):
        recalibrate(taught, CalibrationRule(), [*ok, tmp_path / "broken.jpg"])


@pytest.mark.slow
def test_photos_of_mixed_shapes_are_trained_on_one_canvas(tmp_path: Path) -> None:
    for seed, size in enumerate([(96, 144), (96, 144), (96, 144), (120, 120), (80, 160)]):
        images.write(tmp_path / f"{seed}.png", plate_photos.part(seed, size=size))
    model = train(tmp_path, settings=plate_photos.FAST)
    for size in [(96, 144), (150, 60)]:
        inspection = model.pipeline.inspect(plate_photos.part(9, size=size))
        assert inspection.anomaly_map is not None and inspection.anomaly_map.shape == size


def test_a_data_set_that_was_read_before_trains_alike(taught: Taught, data: Path, tmp_path: Path) -> None:
    model = teach(recipes.build("default", plate_photos.FAST), datasets.read(data))
    assert model_bytes(model, tmp_path / "a") == model_bytes(taught, tmp_path / "b")


def enhanced(folder: Path, share: float, seed: int = 0) -> list[bool]:
    """Of each photo of the folder, whether gamma acted on it when it was prepared for training."""
    settings = (
        *plate_photos.FAST,
        f"training.enhanced_share={share}",
        f"training.seed={seed}",
        "training.batch_size=3",
    )
    recipe = recipes.build("default", (*settings, "steps.gamma.gamma=3.0"))
    batches = Batches(sorted(folder.iterdir()), recipe, "Training")
    first, again = ([float(photo.mean()) for x, _ in batches for photo in x] for _ in range(2))
    assert first == again
    return [mean < 0.2 for mean in first]  # without gamma they are at 0.4


def test_a_seeded_share_of_the_training_photos_is_enhanced(tmp_path: Path) -> None:
    plate_photos.write_parts(tmp_path, range(10))
    assert sum(enhanced(tmp_path, 0.3)) == 3
    assert enhanced(tmp_path, 0.3) == enhanced(tmp_path, 0.3)
    assert len({tuple(enhanced(tmp_path, 0.3, seed)) for seed in range(4)}) > 1
    assert sum(enhanced(tmp_path, 0.0)) == 0
    assert sum(enhanced(tmp_path, 1.0)) == 10


def test_on_inspection_every_photo_is_enhanced(data: Path) -> None:
    gamma = "steps.gamma.gamma=3.0"
    model = train(data, settings=(*plate_photos.FAST, gamma, "training.enhanced_share=0"))
    photo = plate_photos.part(70)
    assert model.pipeline.prepare(photo).frame.image.mean() < 0.5 * photo.mean()


@pytest.mark.slow
def test_a_photo_is_prepared_once_for_all_models_that_it_trains(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[bytes] = []
    resize = Resize.__call__

    def recorded(step: Resize, frame: Frame) -> Frame:
        prepared.append(frame.image.tobytes())
        return resize(step, frame)

    monkeypatch.setattr(Resize, "__call__", recorded)
    photos = [s for s in datasets.read(data).samples if s.split == "train"]
    few = datasets.Dataset(data, "folder", tuple(photos))
    model = teach(recipes.build("default", plate_photos.FAST), few)
    assert any("models that have not seen it" in said for said in model.manifest.remarks) and model.pipeline.thumbnails
    assert set(Counter(prepared).values()) == {1}  # to train six models, to be scored by one, and for its thumbnail


def test_a_photo_is_opened_and_decoded_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: Counter[Path] = Counter()

    def opens(path: Path) -> bytes:
        done[path] += 1
        return read_bytes(path)

    def decodes(data: bytes, path: Path, white: float | None) -> images.Photo:
        done[path] += 1
        return load(data, path, white)

    monkeypatch.setattr(opened, "read_bytes", opens)
    monkeypatch.setattr(opened, "load", decodes)
    for name in ("read", "read_bytes", "load", "decode"):
        monkeypatch.setattr(images, name, lambda path, *_: pytest.fail(f"{path} was read another time"))
    train(data, settings=plate_photos.FAST)
    assert done == dict.fromkeys((sample.path for sample in datasets.read(data).samples), 2)


@pytest.mark.slow
def test_what_is_white_in_photos_of_12_bits_is_learnt_and_kept(tmp_path: Path) -> None:
    for seed in range(6):
        grey = plate_photos.part(seed).mean(axis=2)
        deep = (grey * 16).astype(np.uint16)
        deep[0, 0] = 4080  # of 4095
        Image.fromarray(deep).save(tmp_path / f"{seed}.png")
    taught = train(tmp_path, settings=plate_photos.FAST)
    assert taught.pipeline.white == 4095
    save(taught, tmp_path / "m.safetensors")
    dim = (plate_photos.part(9).mean(axis=2) * 4).astype(np.uint16)  # by itself it seems to have fewer bits
    Image.fromarray(dim).save(tmp_path / "dim.png")
    image = load_taught(tmp_path / "m.safetensors").pipeline.prepare(tmp_path / "dim.png").frame.image
    assert image.max() <= dim.max() / 4095 * 255 + 1


@pytest.mark.slow
def test_copies_of_a_photo_count_once(taught: Taught, tmp_path: Path) -> None:
    different = plate_photos.write_parts(tmp_path, range(400, 412))
    copies = [
        Path(shutil.copy(path, tmp_path / f"copy {number} {path.name}")) for path in different for number in range(9)
    ]
    with pytest.raises(NotCalibratedError, match=r"12 calibration photos can promise a false-reject rate of 7\.7 % at"):
        recalibrate(taught, CalibrationRule(method="conformal", false_reject_rate=0.01), [*different, *copies])
    again = recalibrate(taught, CalibrationRule(), [*different, *copies])
    assert again.calibration is not None and len(again.calibration.ok_scores) == 12
    assert "108 more show the same pictures" in again.manifest.remarks[-1]


def test_copies_among_the_training_photos_are_granted_no_promise(tmp_path: Path) -> None:
    for path in plate_photos.write_parts(tmp_path / "ok", range(12)):
        for number in range(9):
            shutil.copy(path, path.with_name(f"{path.stem}-{number}.png"))
    settings = (*plate_photos.FAST, "calibration.method=conformal", "calibration.false_reject_rate=0.01")
    with pytest.raises(NotCalibratedError, match=r"12 calibration photos can promise"):
        train(tmp_path / "ok", settings=settings)


def test_photos_of_another_part_may_not_calibrate(taught: Taught, tmp_path: Path) -> None:
    for seed in range(8):
        images.write(
            tmp_path / f"{seed}.png", np.random.default_rng(seed).integers(0, 255, (96, 144, 3), dtype=np.uint8)
        )
    with pytest.raises(DatasetError, match=r"they seem to show another part, or defects"):
        recalibrate(taught, CalibrationRule(), sorted(tmp_path.iterdir()))
