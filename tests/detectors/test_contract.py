"""What holds for every file of detectors/: a new detector is tested here because its file is there."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from andon import backbones, detectors
from andon.backbones import Backbone
from andon.config import from_dict, to_dict
from andon.detectors import Batch, Detector, LabelledBatches
from andon.errors import ConfigError, NotFittedError
from andon.export.export import require_exportable
from andon.models.save import save
from andon.models.taught import Taught, assemble
from andon.models.trained import load_taught
from andon.recipes import Recipe
from andon.scorers.choose import reference_scorer
from andon.scorers.convert import DetectorSource, converted
from andon.scorers.graph import GraphScorer

HEIGHT, WIDTH = 64, 96
DEFECT = (slice(24, 40), slice(56, 80))  # rows, columns
OBJECT = (slice(4, 60), slice(20, 64))  # the ROI for a detector that needs an object; the defect sticks out of it
TINY = Path(__file__).parent / "tiny"  # NAME.toml: parameters with which that detector is fitted in a second

pytestmark = pytest.mark.parametrize("name", detectors.names())


class Photos:
    """Batches of noisy stripes, the same at each iteration."""

    def __init__(self, name: str, seed: int, n: int = 6) -> None:
        self.x, self.roi = photos(name, seed, n)

    def __iter__(self) -> Iterator[Batch]:
        yield from zip(self.x.split(4), self.roi.split(4), strict=True)


def photos(name: str, seed: int, n: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    stripes = 0.5 + 0.2 * torch.sin(torch.arange(WIDTH) / 5).expand(n, 3, HEIGHT, WIDTH)
    x = stripes + 0.03 * torch.randn(n, 3, HEIGHT, WIDTH, generator=generator)
    roi = torch.ones(n, HEIGHT, WIDTH, dtype=torch.bool)
    if detectors.detector_class(name).capabilities.needs_object:
        roi[:] = False
        roi[:, *OBJECT] = True
    return x.clamp(0, 1), roi


def with_defect(x: Tensor) -> Tensor:
    damaged = x.clone()
    damaged[:, 0, *DEFECT], damaged[:, 1:, *DEFECT] = 1.0, 0.0
    return damaged


class DamagedPhotos(Photos):
    """The same with the defect, for a detector that learns from labelled NG photos too."""

    def __init__(self, name: str, seed: int, n: int = 6) -> None:
        super().__init__(name, seed, n)
        self.x = with_defect(self.x)


def to_learn_from(name: str, ok: Photos) -> Photos | LabelledBatches:
    needs_ng = detectors.detector_class(name).capabilities.needs_ng
    return LabelledBatches(ok, DamagedPhotos(name, 99)) if needs_ng else ok


def parameters(name: str) -> dict[str, Any]:
    file = TINY / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def new(name: str, backbone: Backbone) -> Detector[Any]:
    return detectors.create(name, backbone, parameters(name))


def fitted(name: str, backbone: Backbone, data_seed: int = 1, seed: int = 0) -> Detector[Any]:
    return new(name, backbone).fit(to_learn_from(name, Photos(name, data_seed)), seed)


@functools.cache
def fitted_once(name: str, backbone: Backbone) -> Detector[Any]:
    """The same one for every test that only scores."""
    return fitted(name, backbone)


def scores(detector: Detector[Any], x: Tensor, roi: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return detector(x, roi)


def test_its_parameters_survive_the_way_through_a_recipe(name: str) -> None:
    config = detectors.detector_class(name).Config()
    written = to_dict(config)
    assert set(written) == {field.name for field in fields(config) if getattr(config, field.name) is not None}
    assert from_dict(type(config), written, "detector") == config


def test_an_unknown_parameter_is_refused_with_the_nearest_known_one(name: str, backbone: Backbone) -> None:
    known = next(iter(to_dict(detectors.detector_class(name).Config())))
    with pytest.raises(ConfigError, match=f"did you mean '{known}'"):
        detectors.create(name, backbone, {f"{known}x": 1})


def test_it_refuses_to_score_before_it_is_fitted(name: str, backbone: Backbone) -> None:
    with pytest.raises(NotFittedError, match="has not been fitted"):
        scores(new(name, backbone), *photos(name, 1, 1))


def test_scores_have_the_promised_shape_and_type(name: str, backbone: Backbone) -> None:
    image, patch = scores(fitted_once(name, backbone), *photos(name, 2, 3))
    assert image.shape == (3,)
    batch, rows, columns = patch.shape
    assert (batch, rows / columns) == (3, HEIGHT / WIDTH)
    assert image.dtype == patch.dtype == torch.float32
    assert image.isfinite().all() and patch.isfinite().all()
    assert (patch >= 0).all()


def test_a_batch_scores_as_its_parts_do(name: str, backbone: Backbone) -> None:
    detector, (x, roi) = fitted_once(name, backbone), photos(name, 2, 5)
    x[1:3] = with_defect(x[1:3])
    together = scores(detector, x, roi)
    one_by_one = [scores(detector, x[i : i + 1], roi[i : i + 1]) for i in range(len(x))]
    for whole, parts in zip(together, zip(*one_by_one, strict=True), strict=True):
        torch.testing.assert_close(whole, torch.cat(parts), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_fitting_again_forgets_what_was_learned_before(name: str, backbone: Backbone) -> None:
    again = fitted(name, backbone, data_seed=1).fit(to_learn_from(name, Photos(name, 7)), seed=0)
    x, roi = photos(name, 2, 2)
    assert torch.equal(scores(again, x, roi)[1], scores(fitted(name, backbone, data_seed=7), x, roi)[1])


def test_the_seed_settles_everything(name: str, backbone: Backbone) -> None:
    x, roi = photos(name, 2, 2)
    torch.manual_seed(1)
    first = fitted(name, backbone)
    torch.manual_seed(2)  # the state of the global generator must not matter
    second = fitted(name, backbone)
    for one, other in zip(scores(first, x, roi), scores(second, x, roi), strict=True):
        assert torch.equal(one, other)


def test_it_changes_neither_its_inputs_nor_its_backbone(name: str, backbone: Backbone) -> None:
    data, weights = Photos(name, 1), {key: value.clone() for key, value in backbone.state_dict().items()}
    x, roi = photos(name, 2, 2)
    roi[:, :16] = False
    before = data.x.clone(), data.roi.clone(), x.clone(), roi.clone()
    scores(new(name, backbone).fit(to_learn_from(name, data), 0), x, roi)
    for tensor, untouched in zip((data.x, data.roi, x, roi), before, strict=True):
        assert torch.equal(tensor, untouched)
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, weights[key])


def test_a_defect_outscores_every_ok_photo_and_is_found_in_its_place(name: str, backbone: Backbone) -> None:
    detector = fitted_once(name, backbone)
    x, roi = photos(name, 2, 8)
    with_bulge = roi[:1].clone()
    with_bulge[:, *DEFECT] = True  # the defect is a piece of the part, also where only the outline counts
    image, patch = scores(detector, torch.cat([x, with_defect(x[:1])]), torch.cat([roi, with_bulge]))
    assert image[-1] > image[:-1].max()
    rows, columns = patch.shape[1:]
    row, column = divmod(int(patch[-1].argmax()), columns)
    y, x_ = (row + 0.5) * HEIGHT / rows, (column + 0.5) * WIDTH / columns
    assert DEFECT[0].start <= y <= DEFECT[0].stop
    assert DEFECT[1].start <= x_ <= DEFECT[1].stop


def test_a_defect_outside_the_roi_changes_nothing(name: str, backbone: Backbone) -> None:
    detector = fitted_once(name, backbone)
    x, roi = photos(name, 2, 2)
    roi[:, DEFECT[0], DEFECT[1]] = False
    sound, damaged = scores(detector, x, roi), scores(detector, with_defect(x), roi)
    assert torch.equal(sound[0], damaged[0])
    assert torch.equal(sound[1], damaged[1])
    rows, columns = sound[1].shape[1:]
    centre = int(32 * rows / HEIGHT), int(68 * columns / WIDTH)
    assert (sound[1][:, centre[0], centre[1]] == 0).all()
    assert (sound[1] > 0).any()


def test_what_lies_outside_the_roi_teaches_nothing(name: str, backbone: Backbone) -> None:
    plain, damaged = Photos(name, 1), Photos(name, 1)
    for data in (plain, damaged):
        data.roi[:, DEFECT[0], DEFECT[1]] = False
    damaged.x = with_defect(damaged.x)
    x, roi = photos(name, 2, 2)
    one, other = (scores(new(name, backbone).fit(to_learn_from(name, data), 0), x, roi) for data in (plain, damaged))
    assert torch.equal(one[1], other[1])


def test_saved_and_loaded_it_scores_the_same_to_the_last_bit(name: str, tmp_path: Path) -> None:
    recipe = Recipe.from_tree({"detector": {"name": name, **parameters(name)}})
    detector = detectors.of_recipe(recipe, backbones.create(recipe.backbone))
    detector.fit(to_learn_from(name, Photos(name, 1)), 0)
    save(Taught(recipe, detector, assemble(recipe, detector)), tmp_path / "model.safetensors")
    restored = load_taught(tmp_path / "model.safetensors").detector
    x, roi = photos(name, 2, 2)
    for one, other in zip(scores(detector, x, roi), scores(restored, x, roi), strict=True):
        assert torch.equal(one, other)


@pytest.mark.slow
def test_one_that_exports_is_converted_whole_and_no_other_can_be_exported(name: str, backbone: Backbone) -> None:
    recipe = Recipe.from_tree({"detector": {"name": name, **parameters(name)}})
    detector = fitted_once(name, backbone)
    x, roi = photos(name, 2, 2)
    pixels = (with_defect(x).permute(0, 2, 3, 1) * 255).round().to(torch.uint8)
    scorer = GraphScorer(DetectorSource(detector), detector.memory(), "f32")
    if not detector.capabilities.exports:
        with pytest.raises(ConfigError, match=f"The detector {name} cannot be exported"):
            require_exportable(Taught(recipe, detector, assemble(recipe, detector)))
        return
    assert converted(detector, (HEIGHT, WIDTH)) is not None
    roi[:, :, :16] = False
    found, expected = scorer(pixels.numpy(), roi.numpy()), reference_scorer(detector)(pixels.numpy(), roi.numpy())
    np.testing.assert_allclose(found.image, expected.image, rtol=1e-4)
    np.testing.assert_allclose(found.patch, expected.patch, rtol=1e-3, atol=1e-4 * expected.patch.max())
    assert found.terms.shape == expected.terms.shape
