"""What a region looks most like: the right photo, the right place in it, and how it is kept and shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import plate_photos
import pytest
import torch
from conftest import Command
from torch import Tensor

from andon import detectors, images
from andon.backbones import Backbone
from andon.detectors._base import patches_in_roi
from andon.detectors._memory_bank import places
from andon.errors import ConfigError
from andon.line.nearest_ok import CROP_SIDE, MARK, crop, patch_at
from andon.line.pipeline import Pipeline
from andon.models.load import load
from andon.models.taught import Taught
from andon.reports.pages.gallery import photo_of
from andon.reports.pictures.panel import panel
from andon.teaching.train import train
from andon.types import Frame, Inspection, Likeness, Region

pytestmark = pytest.mark.precision

HEIGHT, WIDTH = 64, 96


def striped(number: int) -> Tensor:
    """(3, H, W): photos of noise, each of its own."""
    return torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(number))


def batches(n: int, roi: Tensor) -> list[tuple[Tensor, Tensor]]:
    photos = torch.stack([striped(number) for number in range(n)])
    return list(zip(photos.split(2), roi.expand(n, -1, -1).split(2), strict=True))


@pytest.mark.parametrize(
    ("name", "parameters", "share", "chunk"),
    [
        ("patchcore", {"coreset_ratio": 1.0}, 1.0, 10_000),
        ("patchcore", {"coreset_ratio": 0.13}, 0.13, 300),
        ("spade", {"num_photos": 2}, 1.0, 0),
        ("spade", {"num_photos": 2, "pixel_share": 0.4}, 0.4, 0),
    ],
)
def test_a_patch_that_was_learned_is_found_in_its_photo_and_place(
    name: str,
    parameters: dict[str, float],
    share: float,
    chunk: int,
    backbone: Backbone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In chunks too, and with an ROI, which leaves patches out."""
    monkeypatch.setattr("andon.detectors.patchcore.chunk_size", lambda dim: chunk)
    roi = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    roi[:16, :40] = False
    detector = detectors.create(name, backbone, parameters)
    detector.fit(batches(5, roi), 0)
    distance, origin = detector.most_like(striped(3)[None], roi[None])
    rows, columns = distance.shape[1:]
    grid = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1)
    found = patches_in_roi(roi[None], (rows, columns))[0] & (distance[0] < 1e-3)
    assert found.float().mean() > 0.6 * share
    assert (origin[0, ..., 0][found] == 3).all()
    expected = (grid + 0.5) / torch.tensor([rows, columns])
    torch.testing.assert_close(origin[0, ..., 1:][found], expected[found])


def test_places_are_the_centres_of_the_patches_in_the_roi() -> None:
    inside = torch.tensor([[False, True, False], [True, False, False]])
    assert places(inside, 7).tolist() == [[7, 0.25, 0.5], [7, 0.75, pytest.approx(1 / 6)]]


@pytest.mark.parametrize("chunk", [10_000, 300])
def test_patches_that_were_left_out_as_alone_shift_no_others(
    chunk: int, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("andon.detectors.patchcore.chunk_size", lambda dim: chunk)
    roi = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    detector = detectors.create("patchcore", backbone, {"coreset_ratio": 0.13, "density_keep": 0.6})
    detector.fit(batches(6, roi), 0)
    for number in range(6):
        distance, origin = detector.most_like(striped(number)[None], roi[None])
        found = distance[0] < 1e-3
        assert (origin[0, ..., 0][found] == number).all()


def test_a_point_of_the_photo_is_found_in_the_patch_that_shows_it() -> None:
    frame = Frame(
        np.zeros((64, 96, 3), np.uint8), np.ones((64, 96), bool), np.diag([2.0, 2.0, 1.0]), original_size=(128, 192)
    )
    assert patch_at((0, 0), frame, (8, 12)) == (0, 0)
    assert patch_at((191, 127), frame, (8, 12)) == (7, 11)
    assert patch_at((100, 40), frame, (8, 12)) == (2, 6)


def test_a_crop_frames_the_patch_and_stays_within_the_picture() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[8:16, 0:8] = (200, 90, 20)
    piece = crop(picture, (12 / 64, 4 / 96), (8 / 64, 8 / 96))
    assert piece.shape == (CROP_SIDE, CROP_SIDE, 3)
    orange = (piece[..., 0] > 150) & (piece[..., 2] < 100)
    rows, columns = np.nonzero(orange)
    marked = (piece == MARK).all(axis=2)
    assert marked.any()
    at_y, at_x = np.nonzero(marked)
    assert abs(at_y.mean() - rows.mean()) < 4 and at_y.min() <= rows.min() + 2 and rows.max() - 2 <= at_y.max()
    assert columns.max() - 2 <= at_x.max() <= columns.max() + 4


def test_the_region_of_a_rusty_part_is_shown_beside_an_ok_part(taught: Taught, data: Path) -> None:
    inspection = taught.pipeline.inspect(data / "test" / "rust" / "300.png", explain=True)
    region = inspection.regions[0]
    assert region.looks_like is not None
    assert region.looks_like.photo in taught.manifest.trained.names
    assert region.looks_like.distance > 0
    assert is_orange(region.looks_like.region) and not is_orange(region.looks_like.nearest)
    looks_like = inspection.to_row()["regions"][0]["looks_like"]
    assert looks_like == {"photo": region.looks_like.photo, "distance": region.looks_like.distance}


def is_orange(picture: np.ndarray) -> bool:
    """Whether the middle of the picture shows rust."""
    hue, saturation, _ = cv2.split(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2HSV))
    return bool(((hue < 25) & (saturation > 120)).mean() > 0.03)


def test_explaining_changes_no_score_and_is_off_by_default(pipeline: Pipeline, data: Path) -> None:
    photo = data / "test" / "rust" / "301.png"
    plain, explained = pipeline.inspect(photo), pipeline.inspect(photo, explain=True)
    assert plain == explained
    assert all(region.looks_like is None for region in plain.regions)
    regions = plain.to_row()["regions"]
    assert regions and all(region["looks_like"] is None for region in regions)


def test_thumbnails_survive_the_model_file_and_are_told_by_info(taught: Taught, model: Path, andon_: Command) -> None:
    loaded = load(model)
    assert loaded.thumbnails == taught.pipeline.thumbnails
    assert [thumbnail.photo for thumbnail in loaded.thumbnails] == list(taught.manifest.trained.names)
    assert len(loaded.thumbnails) == 8
    assert "thumbnails:\n  photos: 8" in andon_("info", model).out


def test_a_model_without_thumbnails_says_why_it_cannot_explain(data: Path) -> None:
    bare = train(data, settings=(*plate_photos.FAST, "training.thumbnails=false")).pipeline
    assert not bare.thumbnails
    with pytest.raises(ConfigError, match=r"holds no thumbnails.*training\.thumbnails=true"):
        bare.inspect(data / "test" / "rust" / "300.png", explain=True)
    with pytest.raises(ConfigError, match="holds no thumbnails"):
        bare.inspect_batch([], explain=True)


def test_a_detector_that_keeps_no_patches_keeps_no_thumbnails(data: Path) -> None:
    assert not train(
        data, settings=(*plate_photos.FAST_WITH_ANY_DETECTOR, "detector.name=histogram")
    ).pipeline.thumbnails


def test_the_command_line_names_the_photo_and_shows_it(
    andon_: Command, model: Path, data: Path, tmp_path: Path
) -> None:
    photo, out = data / "test" / "rust" / "300.png", tmp_path / "out"
    plain = andon_("inspect", model, photo, "--out", out / "plain", "--visualize")
    ran = andon_("inspect", model, photo, "--explain", "--out", out / "explained", "--visualize")
    assert ran.code == 0
    assert "looks most like a patch of train/good/0" in ran.out and "looks most like" not in plain.out
    row = json.loads((out / "explained" / "inspections.jsonl").read_text())
    assert row["regions"][0]["looks_like"]["photo"].startswith("train/good/")
    heights = [images.read(out / name / "300.png").shape[0] for name in ("plain", "explained")]
    assert heights[1] > heights[0] + CROP_SIDE


def test_the_report_shows_region_and_ok_patch(pipeline: Pipeline, data: Path) -> None:
    inspection = pipeline.inspect(data / "test" / "rust" / "300.png", explain=True)
    photo = plate_photos.rusty(300)[0]
    shown = photo_of(photo, inspection, pixel_threshold=1.0, is_anomalous=True)
    assert shown.likenesses[0].caption.startswith("looks most like train/good/0")


def test_a_narrow_panel_still_shows_one_pair() -> None:
    piece = np.full((CROP_SIDE, CROP_SIDE, 3), 128, np.uint8)
    region = Region((10, 10, 20, 20), 100, 3.0, 2.0)
    explained = replace(region, looks_like=Likeness("train/good/a.png", 2.0, piece, piece))
    photo = np.zeros((60, 90, 3), np.uint8)
    plain, picture = (
        panel(
            photo,
            Inspection("x.png", "0" * 64, 3.0, 2.0, "NG", 0.1, 3.0, 0.99, regions=(one,) * 5),
            pixel_threshold=2.0,
        )
        for one in (region, explained)
    )
    assert picture.shape[2] == 3 and picture.shape[0] > plain.shape[0] + CROP_SIDE
