"""What holds for every file of preprocess/: a new step is tested here because its file is there."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import plate_photos
import pytest

from andon import preprocess
from andon.config import from_dict, to_dict
from andon.errors import ConfigError
from andon.types import Frame

pytestmark = pytest.mark.parametrize("name", preprocess.names())


def test_its_parameters_survive_the_way_through_a_recipe(name: str) -> None:
    step = preprocess.step_class(name)()
    fitted = step.fit([Frame.whole(plate_photos.part(1))])
    for instance in (step, fitted):
        written = to_dict(instance)
        assert set(written) == {f.name for f in fields(instance) if getattr(instance, f.name) is not None}
        assert from_dict(type(instance), written, name) == instance


def test_an_unknown_parameter_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} has no parameter 'nonsense'; "):
        from_dict(preprocess.step_class(name), {"nonsense": 1}, name)


def test_it_is_frozen(name: str) -> None:
    step = preprocess.step_class(name)()
    for attribute in [field.name for field in fields(step)] or ["anything"]:
        with pytest.raises(FrozenInstanceError):
            setattr(step, attribute, 1)


def test_the_frame_stays_valid_and_its_arrays_are_left_alone(name: str) -> None:
    frame = Frame.whole(plate_photos.rusty(1)[0])
    frame.image.setflags(write=False)
    frame.roi.setflags(write=False)
    frame.to_original.setflags(write=False)
    after = preprocess.step_class(name)().fit([frame])(frame)
    assert after.original_size == plate_photos.SIZE
    assert after.image.dtype == np.uint8 and after.image.shape == (*after.size, 3)
    assert after.roi.dtype == bool and after.roi.shape == after.size and after.roi.any()
    centre = after.to_original @ (after.size[1] / 2, after.size[0] / 2, 1)
    assert 0 <= centre[0] / centre[2] <= plate_photos.SIZE[1] and 0 <= centre[1] / centre[2] <= plate_photos.SIZE[0]
