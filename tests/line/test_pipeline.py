"""One photo's way from file to verdict, on drawn plates with a spot in a known place."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import plate_photos
import pytest
from numpy.typing import NDArray
from numpy_scorer import Orangeness, orange_pipeline

from andon import images
from andon.errors import ConfigError, ImageError, NotCalibratedError
from andon.line.pipeline import Photo, Pipeline, run_steps, to_batch
from andon.models.taught import Taught, assemble
from andon.recipes import Recipe
from andon.teaching.photos import to_tensors
from andon.types import Failure, Frame, Inspection, Mask, RgbImage, Scores

pytestmark = pytest.mark.precision


def centre(area: Mask) -> tuple[float, float]:
    """x, y of the mean of the True pixels."""
    rows, columns = np.nonzero(area)
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize("size", [plate_photos.SIZE, (192, 288), (240, 300)])
def test_a_defect_is_found_in_the_files_own_pixels(pipeline: Pipeline, tmp_path: Path, size: tuple[int, int]) -> None:
    photo, mask = plate_photos.rusty(50, size=size)
    images.write(tmp_path / "rusty.png", photo)
    inspection = pipeline.inspect(tmp_path / "rusty.png")
    assert inspection.verdict == "NG"
    assert inspection.anomaly_map is not None
    assert inspection.anomaly_map.shape == size
    assert inspection.anomaly_map.dtype == np.float32
    peak = inspection.anomaly_map.max()
    hottest = inspection.anomaly_map > 0.9 * peak
    assert centre(hottest) == pytest.approx(centre(mask), abs=0.03 * size[1])
    x0, y0, x1, y1 = inspection.regions[0].xyxy
    assert hottest[y0:y1, x0:x1].sum() == hottest.sum()
    assert inspection.regions[0].peak == peak
    assert inspection.p_value == 1 / 7  # of 6 calibration photos none scores as high
    assert inspection.sigma > 3 and inspection.confidence > 0.997


def test_a_sound_part_is_ok_and_its_map_stays_low(pipeline: Pipeline) -> None:
    assert pipeline.calibration is not None
    ok_scores = pipeline.calibration.ok_scores
    scores = [pipeline.inspect(plate_photos.part(seed)).score for seed in range(60, 66)]
    assert max(scores) < 1.3 * ok_scores.max()
    assert pipeline.inspect(plate_photos.rusty(50)[0]).score > 2 * max(scores)


def test_a_photo_that_is_ng_or_for_review_always_says_where(pipeline: Pipeline) -> None:
    photo, _ = plate_photos.rusty(7)
    assert pipeline.calibration is not None
    unreachable = replace(pipeline, calibration=replace(pipeline.calibration, pixel_threshold=1e9))
    inspection = unreachable.inspect(photo)
    assert inspection.verdict == "NG" and inspection.anomaly_map is not None
    x0, y0, x1, y1 = inspection.regions[0].xyxy
    row, column = np.unravel_index(inspection.anomaly_map.argmax(), inspection.anomaly_map.shape)
    assert y0 <= row < y1 and x0 <= column < x1
    assert unreachable.inspect(plate_photos.part(7)).regions == ()
    banded = replace(unreachable, calibration=replace(pipeline.calibration, pixel_threshold=1e9, review_threshold=0.0))
    assert banded.inspect(plate_photos.part(7)).verdict == "review"
    assert banded.inspect(plate_photos.part(7)).regions


def test_an_array_and_its_file_get_the_same_inspection(pipeline: Pipeline, tmp_path: Path) -> None:
    photo, _ = plate_photos.rusty(50)
    images.write(tmp_path / "photo.png", photo)
    by_path, by_str = pipeline.inspect(tmp_path / "photo.png"), pipeline.inspect(str(tmp_path / "photo.png"))
    by_array = pipeline.inspect(photo)
    assert by_path == by_str
    assert by_path.path == str(tmp_path / "photo.png") and by_array.path == "<array>"
    assert by_path.sha256 == images.sha256((tmp_path / "photo.png").read_bytes())
    assert (by_path.score, by_path.regions) == (by_array.score, by_array.regions)
    assert np.array_equal(by_path.anomaly_map, by_array.anomaly_map)  # type: ignore[arg-type]


def test_an_array_need_not_be_contiguous_and_is_left_alone(pipeline: Pipeline) -> None:
    photo = plate_photos.rusty(50)[0]
    flipped = photo[:, ::-1]
    before = flipped.copy()
    assert pipeline.inspect(flipped).score == pipeline.inspect(before).score
    assert np.array_equal(flipped, before)


def test_a_batch_says_what_single_inspections_say(pipeline: Pipeline, data: Path) -> None:
    paths = sorted((data / "test").rglob("*.png")) + [data / "train" / "good" / "000.png"] * 12
    batch = list(pipeline.inspect_batch(paths, with_map=True))
    for path, result in zip(paths, batch, strict=True):
        alone = pipeline.inspect(path)
        assert isinstance(result, Inspection)
        assert (result.path, result.verdict, result.sha256) == (str(path), alone.verdict, alone.sha256)
        assert result.score == pytest.approx(alone.score, rel=1e-4, abs=1e-5)
        assert result.anomaly_map is not None and alone.anomaly_map is not None
        np.testing.assert_allclose(result.anomaly_map, alone.anomaly_map, rtol=1e-3, atol=1e-4)


def test_without_a_map_the_regions_are_the_same(pipeline: Pipeline) -> None:
    photo = plate_photos.rusty(50)[0]
    without = pipeline.inspect(photo, with_map=False)
    assert without.anomaly_map is None
    assert without.regions == pipeline.inspect(photo).regions


def test_bad_photos_of_a_batch_are_failures_in_their_places(pipeline: Pipeline, data: Path, tmp_path: Path) -> None:
    good = data / "test" / "good" / "200.png"
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    photos: list[Photo] = [
        good,
        tmp_path / "gone.png",
        good,
        text,
        plate_photos.part(1),
        plate_photos.part(1)[:8],
        good,
    ]
    results = list(pipeline.inspect_batch(photos))
    assert [isinstance(result, Failure) for result in results] == [False, True, False, True, False, True, False]
    assert [result.path for result in results] == [str(p) if isinstance(p, Path) else "<array>" for p in photos]
    assert "cannot be opened" in results[1].error and "is not a photo" in results[3].error  # type: ignore[union-attr]


def test_a_batch_is_inspected_as_it_is_consumed(pipeline: Pipeline, data: Path) -> None:
    good = data / "test" / "good" / "200.png"
    taken = 0

    def photos() -> object:
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield good

    results = pipeline.inspect_batch(photos())  # type: ignore[arg-type]
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken < 500


def test_an_empty_batch_gives_nothing(pipeline: Pipeline) -> None:
    assert list(pipeline.inspect_batch([])) == []


def test_an_unreadable_photo_alone_is_an_error(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot be opened"):
        pipeline.inspect(tmp_path / "gone.png")


def test_without_calibration_there_is_no_verdict(pipeline: Pipeline) -> None:
    bare = replace(pipeline, calibration=None)
    for ask in (lambda: bare.inspect(plate_photos.part(1)), lambda: bare.inspect_batch([])):
        with pytest.raises(NotCalibratedError, match=r"run 'andon calibrate MODEL OK_DIR'"):
            ask()


def test_a_pipeline_inspects_with_whatever_scorer_it_is_handed() -> None:
    pipeline = orange_pipeline()
    photo, mask = plate_photos.rusty(50)
    rusty, sound = pipeline.inspect(photo), pipeline.inspect(plate_photos.part(50))
    assert (rusty.verdict, sound.verdict) == ("NG", "OK")
    ((x0, y0, x1, y1),) = [region.xyxy for region in rusty.regions]
    rows, columns = np.nonzero(mask)
    assert (x0, y0, x1, y1) == pytest.approx((columns.min(), rows.min(), columns.max(), rows.max()), abs=8)
    assert sound.regions == () and sound.notes == ("144 pixels wide",)
    with pytest.raises(ImageError, match=r"^<array> is too small\.$"):
        replace(pipeline, scorer=Small()).inspect(photo)


class Small(Orangeness):
    def refuses(self, frame: Frame) -> str | None:
        return "is too small."


def test_other_thresholds_take_the_same_scorer_and_making_a_pipeline_compiles_nothing(
    taught: Taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_network(*_: object, **__: object) -> None:
        pytest.fail("a network was compiled although there was no photo")

    monkeypatch.setattr("andon.inference.compiled.Requests.__init__", compile_network)
    pipeline = assemble(taught.recipe, taught.detector)
    assert pipeline.calibration is None
    calibrated = replace(pipeline, calibration=taught.calibration)
    assert calibrated.calibration is taught.calibration and calibrated.scorer is pipeline.scorer
    assert taught.calibration is not None
    recalibrated = taught.calibrated(replace(taught.calibration, threshold=1.0))
    assert recalibrated.pipeline.scorer is taught.pipeline.scorer


@pytest.mark.parametrize("threads", [2, 8])
def test_many_threads_in_one_pipeline_say_what_one_says(threads: int, pipeline: Pipeline) -> None:
    photos = [plate_photos.part(seed) for seed in range(63, 67)] + [plate_photos.rusty(seed)[0] for seed in range(4)]
    alone = [pipeline.inspect(photo) for photo in photos]
    with ThreadPoolExecutor(threads) as pool:
        together = list(pool.map(pipeline.inspect, 3 * photos))
    assert {inspection.verdict for inspection in alone} == {"OK", "NG"}
    for one, other in zip(3 * alone, together, strict=True):
        assert other.score == pytest.approx(one.score, rel=1e-6)
        assert (other.verdict, len(other.regions)) == (one.verdict, len(one.regions))
        np.testing.assert_allclose(other.anomaly_map, one.anomaly_map, rtol=1e-5, atol=1e-6)  # type: ignore[arg-type]


def test_a_photo_is_judged_although_the_next_one_has_not_come_yet() -> None:
    """A camera: there is no second photo before the first one's verdict is out, and so on."""
    is_out = [Event() for _ in range(6)]

    def camera() -> Iterator[RgbImage]:
        for number, seen in enumerate(is_out):
            yield plate_photos.part(number)
            assert seen.wait(10), f"the result of photo {number} was held back until the next one would come"

    results = orange_pipeline().inspect_batch(camera())
    for seen in is_out:
        assert isinstance(next(results), Inspection)
        seen.set()
    assert list(results) == []


def test_what_a_source_raises_comes_at_its_turn() -> None:
    def camera() -> Iterator[RgbImage]:
        yield plate_photos.part(1)
        yield plate_photos.rusty(2)[0]
        raise OSError("the camera was unplugged")

    results = orange_pipeline().inspect_batch(camera())
    verdicts = []
    with pytest.raises(OSError, match="the camera was unplugged"):
        for result in results:
            verdicts.append(result.to_row()["verdict"])
    assert verdicts == ["OK", "NG"]


ONE_RESULT_OF_A_CAMERA = """
import threading
import plate_photos
from numpy_scorer import orange_pipeline

def camera():
    for number in range(4):
        yield plate_photos.part(number)
    threading.Event().wait()

def take_one():
    print(next(orange_pipeline().inspect_batch(camera())).verdict)

take_one()
"""


def test_a_process_that_takes_one_result_of_a_camera_which_then_waits_forever_ends() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ONE_RESULT_OF_A_CAMERA],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "OK\n", "")


def test_steps_run_in_the_order_of_the_recipe() -> None:
    frame = Frame.whole(plate_photos.part(1))
    resized_first = Recipe.from_tree({"steps": {"resize": {"image_size": 64}, "clahe": {}}})
    clahe_first = Recipe.from_tree({"steps": {"clahe": {}, "resize": {"image_size": 64}}})
    one, other = (run_steps(recipe.steps.values(), frame, "a.png") for recipe in (resized_first, clahe_first))
    assert one.size == other.size == (64, 96)
    assert not np.array_equal(one.image, other.image)


def test_a_scorer_gets_the_pixels_as_they_are() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    photos, roi = to_batch([Frame.whole(photo), Frame.whole(photo[::-1].copy())])
    assert photos.dtype == np.uint8 and np.array_equal(photos, [photo, photo[::-1]])
    assert roi.shape == (2, 32, 48) and roi.dtype == bool


def test_a_detector_learns_from_rgb_from_0_to_1() -> None:
    photo = np.zeros((32, 48, 3), np.uint8)
    photo[..., 0] = 255
    photo[5, 7] = (0, 51, 102)
    x, roi = to_tensors([Frame.whole(photo), Frame.whole(photo)])
    assert x.shape == (2, 3, 32, 48) and x.is_contiguous() and roi.shape == (2, 32, 48)
    np.testing.assert_allclose(x[1, :, 5, 7], [0, 0.2, 0.4])
    assert x[0, :, 0, 0].tolist() == [1, 0, 0]


def test_frames_of_different_sizes_need_the_step_resize() -> None:
    frames = [Frame.whole(np.zeros((32, width, 3), np.uint8)) for width in (48, 64)]
    with pytest.raises(ConfigError, match=r"48 x 32 and 64 x 32.*add the step 'resize'"):
        to_batch(frames)


def test_no_score_is_computed_in_a_thread_that_the_end_of_the_process_does_not_wait_for() -> None:
    """Such a thread only reads a stage's source; stopped in the middle of a network it aborts the process."""
    threads: list[str] = []

    class Recorded(Orangeness):
        def __call__(self, photos: NDArray[np.uint8], roi: Mask) -> Scores:
            threads.append(threading.current_thread().name)
            return super().__call__(photos, roi)

    pipeline = replace(orange_pipeline(), scorer=Recorded())
    assert len(list(pipeline.inspect_batch([plate_photos.part(seed) for seed in range(3)]))) == 3
    assert threads and "andon-reader" not in threads


def test_one_photo_is_not_taken_for_a_batch() -> None:
    with pytest.raises(ConfigError, match=r"takes several photos; give a list of them, or call inspect for one"):
        orange_pipeline().inspect_batch("photo.png")
