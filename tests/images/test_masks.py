"""Ground-truth masks as people have them: of any format, size and way up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from raw_pictures import tiff

from andon import images
from andon.errors import ImageError
from andon.types import Mask

SIZE = (60, 90)


def truth(size: tuple[int, int] = SIZE) -> Mask:
    """An area at the top left, of a fifth of the picture's sides."""
    mask = np.zeros(size, dtype=bool)
    mask[size[0] // 5 : 2 * size[0] // 5, size[1] // 10 : 3 * size[1] // 10] = True
    return mask


def written(path: Path, mask: NDArray[Any], **options: Any) -> Path:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["mask.png", "mask.bmp", "mask.tif", "mask.gif"])
def test_a_mask_may_be_any_picture_without_loss(name: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(images.read_mask(written(tmp_path / name, truth())), truth())


@pytest.mark.parametrize("white", [255, 100])
@pytest.mark.parametrize("name", ["mask.jpg", "mask.webp"])
def test_a_blurred_mask_is_cut_at_half(name: str, white: int, tmp_path: Path) -> None:
    Image.fromarray(truth().astype(np.uint8) * white).save(tmp_path / name, quality=75)
    assert abs(images.read_mask(tmp_path / name).sum() / truth().sum() - 1) < 0.05
    (tmp_path / name).rename(tmp_path / "mask.png")  # it is known by what it is
    assert abs(images.read_mask(tmp_path / "mask.png").sum() / truth().sum() - 1) < 0.05


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_a_mask_may_have_any_depth(kind: type[Any], tmp_path: Path) -> None:
    for mask in (truth(), np.repeat(truth()[:, :, None], 3, axis=2)):
        (tmp_path / "mask.tif").write_bytes(tiff(mask.astype(kind)))  # 1 where it marks
        np.testing.assert_array_equal(images.read_mask(tmp_path / "mask.tif"), truth())


def test_a_mask_is_turned_as_its_own_exif_data_say(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    np.testing.assert_array_equal(
        images.read_mask(written(tmp_path / "mask.png", truth(), exif=exif)), np.rot90(truth(), -1)
    )


def test_alpha_that_is_0_everywhere_hides_no_defect(tmp_path: Path) -> None:
    rgba = np.dstack([np.repeat(truth()[:, :, None], 3, axis=2) * np.uint8(255), np.zeros(SIZE, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(images.read_mask(tmp_path / "mask.png"), truth())


def test_a_mask_that_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_text("white where the defect is")
    with pytest.raises(ImageError, match=r"mask.png is not a photo"):
        images.read_mask(tmp_path / "mask.png")


def test_a_mask_of_several_pages_is_refused(tmp_path: Path) -> None:
    pages = [Image.fromarray(truth()), Image.fromarray(truth()[::-1])]
    pages[0].save(tmp_path / "mask.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ImageError, match=r"mask.tif holds several pictures, .*; save each by itself"):
        images.read_mask(tmp_path / "mask.tif")


def test_a_mask_of_its_photos_size_stays_as_it_is() -> None:
    mask, remarks = images.fit_mask(truth(), SIZE)
    assert remarks == ()
    np.testing.assert_array_equal(mask, truth())


@pytest.mark.parametrize("size", [(120, 180), (30, 45), (181, 271)])
def test_a_mask_of_another_size_is_scaled_with_a_remark(size: tuple[int, int]) -> None:
    mask, (remark,) = images.fit_mask(truth(), size)
    assert remark == f"its mask of 90 x 60 pixels was scaled to the photo's {size[1]} x {size[0]}"
    assert mask.shape == size and mask.dtype == np.bool_
    assert (mask & truth(size)).sum() / (mask | truth(size)).sum() > 0.85


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_that_was_drawn_on_the_photo_as_it_lies_in_its_file_is_turned_with_it(orientation: int) -> None:
    turned, remarks = images.fit_mask(truth(), (90, 60), orientation)
    assert remarks == ("its mask was turned as the photo is",)
    np.testing.assert_array_equal(turned, images.upright(truth(), orientation))
    upright, remarks = images.fit_mask(truth(), SIZE, orientation)
    assert remarks == ()
    np.testing.assert_array_equal(upright, truth())


@pytest.mark.parametrize(("size", "orientation"), [((90, 60), 1), ((90, 60), 3), ((60, 120), 6)])
def test_a_mask_of_another_shape_is_refused(size: tuple[int, int], orientation: int) -> None:
    with pytest.raises(ImageError, match=r"but its photo is .*, which is another shape; export the mask again"):
        images.fit_mask(truth(), size, orientation)


def test_what_looks_wrong_is_remarked() -> None:
    assert images.fit_mask(np.ones(SIZE, dtype=bool), SIZE)[1] == ("its mask marks the whole photo",)
    assert images.fit_mask(np.zeros(SIZE, dtype=bool), SIZE)[1] == ("its mask marks nothing",)
    (remark,) = images.fit_mask(~truth(), SIZE)[1]
    assert remark == "its mask marks 96% of the photo, so it may be inverted: white must be the defect"


def test_several_masks_of_a_photo_are_joined() -> None:
    other = truth()[::-1]
    np.testing.assert_array_equal(images.join_masks([truth(), other]), truth() | other)
    with pytest.raises(ImageError, match=r"different sizes \(90 x 60, 60 x 90 pixels\)"):
        images.join_masks([truth(), truth().T])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16", "LA", "RGBA"])
def test_mask_is_whatever_is_neither_black_nor_transparent(tmp_path: Path, mode: str) -> None:
    truth = np.zeros((20, 30), dtype=bool)
    truth[4:9, 10:25] = True
    ones = truth.astype(np.uint8)  # 1, not 255: as some tools write masks
    pictures = {
        "1": Image.fromarray(truth),
        "L": Image.fromarray(ones),
        "P": _palette(ones),
        "RGB": Image.fromarray(np.repeat(ones[:, :, None], 3, axis=2)),
        "I;16": Image.fromarray(ones.astype(np.uint16)),
        "LA": Image.merge("LA", [Image.new("L", (30, 20), 200), Image.fromarray(ones * 255)]),
        "RGBA": Image.merge("RGBA", [*[Image.new("L", (30, 20), 200)] * 3, Image.fromarray(ones * 255)]),
    }
    pictures[mode].save(tmp_path / "mask.png")
    np.testing.assert_array_equal(images.read_mask(tmp_path / "mask.png"), truth)


def _palette(indices: NDArray[np.uint8]) -> Image.Image:
    """Index 0 black, index 1 red."""
    picture = Image.fromarray(indices).convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return picture
