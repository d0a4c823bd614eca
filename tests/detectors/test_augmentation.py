"""Random turns, mirrors, painted rectangles and spots of light."""

from __future__ import annotations

import torch
from torch import Tensor

from andon.detectors._augmentation import paint_over, rotate_and_flip, shine

SIZE = 24, 40


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photo_with_spot(n: int, row: int, column: int) -> tuple[Tensor, Tensor]:
    """Dark photos with a bright spot of 4 x 4 pixels; the ROI is the spot."""
    x = torch.zeros(n, 3, *SIZE)
    x[:, :, row : row + 4, column : column + 4] = 1.0
    return x, x[:, 0] > 0


def test_without_turns_and_mirrors_photos_stay_as_they_are() -> None:
    x = torch.rand(5, 3, *SIZE)
    roi = x[:, 0] > 0.5
    same, same_roi = rotate_and_flip(x, roi, 0.0, False, generator())
    torch.testing.assert_close(same, x)
    assert torch.equal(same_roi, roi)


def test_a_spot_keeps_shape_and_distance_to_the_centre_and_takes_its_roi_along() -> None:
    x, roi = photo_with_spot(40, 10, 25)
    turned, turned_roi = rotate_and_flip(x, roi, 180.0, True, generator())
    rows, columns = torch.meshgrid(torch.arange(SIZE[0]) - 11.5, torch.arange(SIZE[1]) - 19.5, indexing="ij")
    bright = turned[:, 0].sum(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(bright, torch.full_like(bright, 16), atol=1, rtol=0)  # neither stretched nor squeezed
    y, x = ((turned[:, 0] / bright * place).sum(dim=(1, 2)) for place in (rows, columns))
    away = (x.square() + y.square()).sqrt()
    torch.testing.assert_close(away, torch.full_like(away, 7.0), atol=0.1, rtol=0)
    assert (turned[:, 0][turned_roi] > 0.3).all()
    angles = torch.atan2(y, x)
    assert angles.max() > 2 and angles.min() < -2  # to either side, all the way round


def test_turns_stay_within_the_angle() -> None:
    x, roi = photo_with_spot(40, 10, 33)  # 15 pixels to the right of the centre
    turned, _ = rotate_and_flip(x, roi, 20.0, False, generator())
    rows = torch.arange(SIZE[0]).view(1, -1, 1) - 11.5
    height = (turned[:, 0] * rows).sum(dim=(1, 2)) / turned[:, 0].sum(dim=(1, 2))
    assert 3 < height.abs().max() < 15.5 * 0.343 + 0.5  # sin(20 degrees) = 0.342


def test_about_half_of_the_photos_are_mirrored() -> None:
    x, roi = photo_with_spot(40, 10, 33)
    turned, _ = rotate_and_flip(x, roi, 0.0, True, generator())
    on_the_left = (turned[:, 0, :, :20].sum(dim=(1, 2)) > 8).sum()
    assert 10 < on_the_left < 30


def test_rectangles_of_one_colour_are_painted_over_and_the_photo_itself_is_not() -> None:
    x = torch.full((6, 3, *SIZE), 7.0)
    painted = paint_over(x, 0.5, generator())
    assert (x == 7).all()
    changed = (painted != 7).any(dim=1)
    assert (changed.flatten(1).sum(dim=1) > 0).all()
    assert (changed.float().mean(dim=(1, 2)) < 0.9).all()
    assert painted[painted != 7].abs().max() <= 1
    assert torch.equal(paint_over(x, 0.0, generator()), x)


def test_light_falls_on_one_place_of_each_photo_and_whitens_it_no_further_than_asked() -> None:
    x = torch.tensor([-0.8, -0.2, 0.6]).view(1, 3, 1, 1).expand(30, 3, *SIZE)
    lit = shine(x, 0.8, generator())
    whiter = ((lit - x) / (1 - x))[:, 0]  # the share of the way to white
    torch.testing.assert_close(((lit - x) / (1 - x))[:, 2], whiter)
    assert whiter.min() >= 0 and 0.5 < whiter.max() <= 0.8
    brightest = whiter.flatten(1).argmax(dim=1)
    assert brightest.unique().numel() > 20  # another place each time
    torch.testing.assert_close(shine(x, 0.0, generator()), x)


def test_the_generator_settles_everything() -> None:
    x, roi = photo_with_spot(4, 10, 30)
    one, other, third = (rotate_and_flip(x, roi, 180.0, True, generator(seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, other) and not torch.equal(one, third)
    assert torch.equal(paint_over(x, 0.4, generator(1)), paint_over(x, 0.4, generator(1)))
    assert torch.equal(shine(x, 0.4, generator(1)), shine(x, 0.4, generator(1)))
