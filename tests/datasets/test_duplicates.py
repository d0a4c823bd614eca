"""Repeated pictures: what is the same picture twice, and what only looks alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from andon import datasets, images
from andon.types import RgbImage, Sample

SIZE = (240, 360)


def scene(seed: int) -> RgbImage:
    """A picture of its own: random shapes and texture, (240, 360, 3)."""
    rng = np.random.default_rng(seed)
    h, w = SIZE
    coarse = rng.integers(60, 180, (9, 13, 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC), np.uint8)
    for _ in range(12):
        centre = (int(rng.integers(0, w)), int(rng.integers(0, h)))
        colour = tuple(int(value) for value in rng.integers(30, 220, 3))
        cv2.circle(image, centre, int(rng.integers(8, 40)), colour, thickness=-1, lineType=cv2.LINE_AA)
    return image


def machined_part(seed: int) -> RgbImage:
    """A part under a fixed camera: always the same ring and holes, with its own brush marks, noise and stains."""
    rng = np.random.default_rng(seed)
    h, w = SIZE
    image = np.full((h, w, 3), 225, dtype=np.uint8)
    cv2.circle(image, (w // 2, h // 2), 104, (110, 112, 118), thickness=-1, lineType=cv2.LINE_AA)
    cv2.circle(image, (w // 2, h // 2), 48, (30, 30, 34), thickness=-1, lineType=cv2.LINE_AA)
    for x in (-76, 76):
        cv2.circle(image, (w // 2 + x, h // 2), 12, (40, 40, 40), thickness=-1, lineType=cv2.LINE_AA)
    marks = cv2.GaussianBlur(rng.normal(0, 80, (h, w, 1)), (0, 0), sigmaX=12, sigmaY=1.5)[:, :, None]
    return np.clip(image + marks + rng.normal(0, 2, (h, w, 3)), 0, 255).astype(np.uint8)


def find(root: Path, pictures: dict[str, RgbImage]) -> datasets.Duplicates:
    for name, picture in pictures.items():
        images.write(root / name, picture)
    return datasets.find_duplicates([Sample(path) for path in images.walk_folder(root).photos])


def names(groups: tuple[datasets.Group, ...]) -> list[list[str]]:
    return [[path.name for path in group.paths] for group in groups]


def jpeg(image: RgbImage, quality: int) -> RgbImage:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def scaled(image: RgbImage, factor: float) -> RgbImage:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), dtype=np.uint8)


AGAIN: dict[str, Callable[[RgbImage], RgbImage]] = {
    "jpeg 40": lambda image: jpeg(image, 40),
    "half the size": lambda image: scaled(image, 0.5),
    "darker": lambda image: (image * 0.7).astype(np.uint8),
    "less contrast": lambda image: (image * 0.6 + 60).astype(np.uint8),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "upside down": lambda image: np.ascontiguousarray(image[::-1]),
    "turned left": lambda image: np.ascontiguousarray(np.rot90(image)),
    "mirrored, half, jpeg": lambda image: jpeg(scaled(np.ascontiguousarray(image[:, ::-1]), 0.5), 90),
    "squeezed": lambda image: np.asarray(cv2.resize(image, (260, 260), interpolation=cv2.INTER_AREA), dtype=np.uint8),
    "noisier": lambda image: np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(
        np.uint8
    ),
}


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.parametrize("draw", [scene, machined_part])
def test_the_same_picture_again_is_a_twin(tmp_path: Path, how: str, draw: Callable[[int], RgbImage]) -> None:
    pictures = {f"{seed}.png": draw(seed) for seed in range(8)}
    found = find(tmp_path, pictures | {"again.png": AGAIN[how](draw(3))})
    assert names(found.near) == [["3.png", "again.png"]]
    assert found.identical == ()


@pytest.mark.parametrize("n", [2, 4, 5, 30])
@pytest.mark.parametrize("draw", [scene, machined_part])
def test_different_parts_are_no_twins_however_alike(tmp_path: Path, n: int, draw: Callable[[int], RgbImage]) -> None:
    found = find(tmp_path, {f"{seed}.png": draw(seed) for seed in range(n)})
    assert found.near == () and found.identical == ()


def test_parts_that_cannot_be_told_apart_are_no_twins(tmp_path: Path) -> None:
    part = machined_part(0).astype(np.float64)
    noise = np.random.default_rng(1).normal(0, 1.5, (8, *part.shape))
    found = find(tmp_path, {f"{i}.png": np.clip(part + noise[i], 0, 255).astype(np.uint8) for i in range(8)})
    assert found.near == ()


def test_equal_pixels_in_different_formats_are_identical(tmp_path: Path) -> None:
    picture = scene(0)
    pictures = {"a.png": picture, "b.bmp": picture, "c.tif": picture, "d.png": scene(1)}
    found = find(tmp_path, pictures)
    assert names(found.identical) == [["a.png", "b.bmp", "c.tif"]]
    assert found.near == ()


def test_an_identical_photo_of_a_twin_is_in_its_group(tmp_path: Path) -> None:
    picture = scene(0)
    pictures = {"a.png": picture, "b.bmp": picture, "c.jpg": jpeg(picture, 70)}
    found = find(tmp_path, pictures | {f"{seed}.png": scene(seed) for seed in range(1, 6)})
    assert names(found.identical) == [["a.png", "b.bmp"]]
    assert names(found.near) == [["a.png", "b.bmp", "c.jpg"]]
    assert found.keep_together == (frozenset(tmp_path / name for name in ("a.png", "b.bmp", "c.jpg")),)


def test_blank_photos_are_no_twins(tmp_path: Path) -> None:
    blanks = {f"{grey}.png": np.full((*SIZE, 3), grey, dtype=np.uint8) for grey in (0, 99, 101, 255)}
    found = find(tmp_path, blanks)
    assert found.near == () and found.identical == ()


def test_the_same_light_on_blank_photos_makes_no_twins(tmp_path: Path) -> None:
    y, x = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j]
    darker_corners = (200 - 80 * (x**2 + y**2))[:, :, None]
    noise = np.random.default_rng(0).normal(0, 5, (3, *SIZE, 3))
    found = find(tmp_path, {f"{i}.png": np.clip(darker_corners + noise[i], 0, 255).astype(np.uint8) for i in range(3)})
    assert found.near == ()


def test_the_same_scene_with_a_ball_more_is_no_twin(tmp_path: Path) -> None:
    more = cv2.circle(scene(3), (150, 100), 5, (250, 250, 250), thickness=-1, lineType=cv2.LINE_AA)
    found = find(tmp_path, {f"{seed}.png": scene(seed) for seed in range(8)} | {"more.png": np.asarray(more)})
    assert found.near == ()


def test_exif_turn_is_undone_before_comparing(tmp_path: Path) -> None:
    picture = scene(0)
    images.write(tmp_path / "a.png", picture)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    Image.fromarray(np.ascontiguousarray(np.rot90(picture))).save(tmp_path / "b.png", exif=exif)
    found = datasets.find_duplicates([Sample(tmp_path / "a.png"), Sample(tmp_path / "b.png")])
    assert names(found.identical) == [["a.png", "b.png"]]
    assert set(found.sizes.values()) == {SIZE}


def test_unreadable_photos_are_reported_and_the_rest_compared(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("not a photo", encoding="utf-8")
    (tmp_path / "empty.png").touch()
    found = find(tmp_path, {"a.png": scene(0), "b.bmp": scene(0)})
    assert names(found.identical) == [["a.png", "b.bmp"]]
    assert {path.name for path in found.unreadable} == {"bad.jpg", "empty.png"}


def test_no_photo_at_all(tmp_path: Path) -> None:
    assert datasets.find_duplicates([]).keep_together == ()
