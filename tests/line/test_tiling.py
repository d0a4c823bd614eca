"""Tiles: every pixel is seen, one map comes out, and no seam shows in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import plate_photos
import pytest
import torch
import torch.nn.functional as F
from conftest import Command
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from andon import recipes
from andon.backbones import Backbone
from andon.detectors import Batch, Detector
from andon.errors import ConfigError
from andon.line.pipeline import Pipeline, Prepared, Scored
from andon.line.tiling import Tiling
from andon.models.header import read_header
from andon.models.save import save
from andon.models.taught import Taught, assemble
from andon.models.trained import load_taught
from andon.recipes import Recipe
from andon.teaching.photos import Batches
from andon.teaching.train import train
from andon.types import Frame, Inspection

pytestmark = pytest.mark.precision

TILED = ("steps.resize.image_size=192", "tiling.size=128", "anomaly_map.sigma=2", "detector.coreset_ratio=0.02")


class Redness(Detector[None]):
    """How red each block of 8 x 8 pixels is: a detector that looks at nothing else."""

    def _fit(self, batches: Iterable[Batch], generator: torch.Generator) -> None:
        """There is nothing to learn."""

    def _score(self, x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
        patches = F.avg_pool2d((x[:, 0] - x[:, 2]).clamp(min=0).unsqueeze(1), 8, ceil_mode=True).squeeze(1)
        return patches.amax(dim=(1, 2)), patches


def whole_and_tiled(backbone: Backbone, tiling: Tiling) -> tuple[Pipeline, Pipeline]:
    recipe, detector = Recipe(), Redness(None, backbone)
    return assemble(recipe, detector), assemble(replace(recipe, tiling=tiling), detector)


def scored(pipeline: Pipeline, *frames: Frame) -> list[Scored]:
    results = pipeline.score([Prepared("photo", "", frame, {}) for frame in frames])
    return [result for result in results if isinstance(result, Scored)]


def sided(size: tuple[int, int]) -> Frame:
    return Frame.whole(np.zeros((*size, 3), np.uint8))


sizes = st.tuples(st.integers(16, 150), st.integers(16, 150))
tilings = st.builds(lambda n, part: Tiling(size=16 * n, overlap=int(8 * n * part)), st.integers(1, 4), st.floats(0, 1))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(size=sizes, tiling=tilings)
def test_tiles_cover_the_frame_and_share_what_was_asked_for(size: tuple[int, int], tiling: Tiling) -> None:
    covered = np.zeros(size, int)
    tops, lefts = set(), set()
    for top, left, frame in tiling.cut(sided(size)):
        assert frame.size == (min(tiling.size, size[0]), min(tiling.size, size[1]))
        assert covered[top : top + frame.size[0], left : left + frame.size[1]].shape == frame.size
        covered[top : top + frame.size[0], left : left + frame.size[1]] += 1
        tops.add(top)
        lefts.add(left)
    assert covered.min() == 1
    assert tiling.overlap is not None
    for starts in (sorted(tops), sorted(lefts)):
        assert all(after - before <= tiling.size - tiling.overlap for before, after in pairwise(starts))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(size=sizes, tiling=tilings)
def test_tiles_that_agree_make_a_map_that_says_the_same(size: tuple[int, int], tiling: Tiling) -> None:
    tiles = tiling.cut(sided(size))
    blended = tiling.blend(tiles, [np.full((3, 4), 2.5, np.float32)] * len(tiles), size)
    assert blended.shape == size and blended.dtype == np.float32
    np.testing.assert_allclose(blended, 2.5, rtol=1e-6)


def test_tiles_that_disagree_make_a_slope_and_no_seam() -> None:
    tiling, size = Tiling(size=64, overlap=16), (64, 112)
    patches = [np.full((8, 8), value, np.float32) for value in (0, 1)]
    slope = np.diff(tiling.blend(tiling.cut(sided(size)), patches, size), axis=1)
    assert slope.min() >= 0
    assert 0 < slope.max() < 2 / 16
    assert abs(slope[:, [47, 63]]).max() < 0.01  # where one tile begins and the other ends


@pytest.mark.parametrize("size", [(96, 144), (192, 288), (40, 144)])
def test_of_a_local_detector_the_map_is_that_of_the_untiled_photo(size: tuple[int, int], backbone: Backbone) -> None:
    frame = Frame.whole(plate_photos.rusty(3, size=size)[0])
    whole, tiled = whole_and_tiled(backbone, Tiling(size=48, overlap=16))
    (one,), (other,) = scored(whole, frame), scored(tiled, frame)
    assert one.score == other.score
    expected, found = whole.anomaly_map(one), tiled.anomaly_map(other)
    assert found.shape == size
    assert np.abs(expected - found).max() < 5e-3 * expected.max()


def test_a_photo_whose_size_is_no_multiple_has_its_defect_in_place(backbone: Backbone) -> None:
    photo, mask = plate_photos.rusty(3, size=(101, 149))
    _, tiled = whole_and_tiled(backbone, Tiling(size=48))
    (found,) = scored(tiled, Frame.whole(photo))
    hot = tiled.anomaly_map(found) > 0.5 * tiled.map_peak(found)
    assert [places.mean() for places in np.nonzero(hot)] == pytest.approx(
        [places.mean() for places in np.nonzero(mask)], abs=2
    )


def test_a_photo_smaller_than_a_tile_is_one_tile(backbone: Backbone) -> None:
    frame = Frame.whole(plate_photos.rusty(3)[0])
    whole, tiled = whole_and_tiled(backbone, Tiling(size=256))
    (one,), (other,) = scored(whole, frame), scored(tiled, frame)
    assert one.score == other.score
    np.testing.assert_allclose(whole.anomaly_map(one), tiled.anomaly_map(other), rtol=1e-5)


def test_photos_of_different_sizes_go_through_together(backbone: Backbone) -> None:
    _, tiled = whole_and_tiled(backbone, Tiling(size=48))
    frames = [Frame.whole(plate_photos.rusty(3, size=size)[0]) for size in ((96, 144), (64, 200))]
    assert [found.patch.shape for found in scored(tiled, *frames)] == [(96, 144), (64, 200)]


def test_a_tile_outside_the_roi_is_not_scored(backbone: Backbone) -> None:
    frame = Frame.whole(plate_photos.rusty(3)[0])
    roi = np.zeros(frame.size, bool)
    roi[50:, 100:] = True  # the spot, whose tile is the lower right one
    tiles = Tiling(size=48, overlap=0).cut(replace(frame, roi=roi))
    assert [(tile.top, tile.left) for tile in tiles] == [(48, 96)]

    _, tiled = whole_and_tiled(backbone, Tiling(size=48, overlap=0))
    (found,) = scored(tiled, replace(frame, roi=roi))
    assert found.patch[48:, 96:].any() and not found.patch[:48].any() and not found.patch[:, :96].any()
    (nothing,) = scored(tiled, replace(frame, roi=np.zeros_like(roi)))
    assert nothing.score == 0 and not nothing.patch.any()


@pytest.fixture(scope="module")
def tiled(data: Path) -> Taught:
    return train(data, settings=TILED)


@pytest.mark.slow
def test_a_defect_across_tile_borders_is_one_region_in_its_place(tiled: Taught) -> None:
    photo, mask = plate_photos.rusty(50)
    inspection = tiled.pipeline.inspect(photo)
    assert inspection.verdict == "NG"
    assert inspection.anomaly_map is not None and inspection.anomaly_map.shape == plate_photos.SIZE
    ((x0, y0, x1, y1),) = [region.xyxy for region in inspection.regions]
    rows, columns = np.nonzero(mask)
    assert (x0, y0, x1, y1) == pytest.approx((columns.min(), rows.min(), columns.max(), rows.max()), abs=16)
    assert inspection.anomaly_map[mask].mean() > 2 * inspection.anomaly_map[~mask].mean()
    assert tiled.pipeline.inspect(plate_photos.part(50)).score < inspection.score / 2


def test_training_sees_tiles(data: Path) -> None:
    recipe = recipes.build("default", TILED)
    photos = sorted((data / "train" / "good").iterdir())[:2]
    batches = list(Batches(photos, recipe, "Training"))
    assert {tuple(x.shape[1:]) for x, _ in batches} == {(3, 128, 128)}
    assert sum(len(x) for x, _ in batches) == 2 * 2 * 3  # of 192 x 288 pixels: they start at 0, 64 and at 0, 96, 160


@pytest.mark.slow
def test_single_and_batch_agree_and_a_saved_model_says_the_same(tiled: Taught, data: Path, tmp_path: Path) -> None:
    save(tiled, tmp_path / "m.safetensors")
    restored = load_taught(tmp_path / "m.safetensors")
    assert restored.recipe == tiled.recipe
    photos = sorted((data / "test").rglob("*.png"))
    for photo, result in zip(photos, restored.pipeline.inspect_batch(photos), strict=True):
        alone = tiled.pipeline.inspect(photo)
        assert isinstance(result, Inspection)
        assert (result.score, result.regions) == (alone.score, alone.regions)


def test_on_the_command_line_a_tile_size_will_do(andon_: Command, data: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    assert andon_("train", data, "-o", model, "--detector", "histogram", "--image-size", 64, "--tile", 48).code == 0
    assert read_header(model).recipe.tiling == Tiling(size=48)
    assert "tiling:\n    size: 48" in andon_("info", model).out
    assert andon_("inspect", model, data / "test" / "rust" / "300.png").out.startswith("NG")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("tiling.size=100", "tiling.size is 100; choose a multiple of 16, such as 256."),
        ("tiling.size=0", "tiling.size is 0; choose a multiple of 16"),
        ("tiling.overlap=129", "tiling.overlap is 129; it must be from 0 to 128, half of tiling.size."),
        ("tiling.overlap=-1", "tiling.overlap is -1; it must be from 0 to 128"),
        ("tiling=256", "tiling is 256; expected a section"),
        ("tilling.size=256", "A recipe has no section 'tilling'; did you mean 'tiling'?"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(setting: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        recipes.build("default", [setting])
    assert str(error.value).startswith(sentence)


def test_a_detector_that_learns_from_ng_photos_is_not_trained_with_their_tiles(data: Path) -> None:
    with pytest.raises(ConfigError, match="linear_probe learns from whole photos"):
        train(data, settings=["detector={name='linear_probe'}", "tiling.size=64"])


def test_a_recipe_without_tiles_says_nothing_of_them() -> None:
    assert recipes.build("default").tiling is None
    assert "tiling" not in recipes.build("default").to_tree()
    tiled = recipes.build("default", ["tiling.size=128"])
    assert Recipe.from_tree(tiled.to_tree()) == tiled
