"""Photos that are needed several times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plate_photos
import pytest
from PIL import Image

from andon import images
from andon.images import OpenedPhotos, opened


def test_what_is_known_of_a_photo_that_did_not_fit_into_memory_needs_no_second_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "MOST_BYTES", 0)
    photos = plate_photos.write_parts(tmp_path, range(2))
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((32, 48), 4000, np.uint16)).save(deep)
    store = OpenedPhotos()
    for path in (*photos, deep):
        store.open(path)
    monkeypatch.setattr(opened, "read_bytes", lambda path: pytest.fail(f"{path} was read another time"))
    assert [store.sha256(path) for path in photos] == [images.sha256(path.read_bytes()) for path in photos]
    assert store.learn_white(photos) is None
    assert store.learn_white([*photos, deep]) == 4095


def test_what_is_white_is_learnt_from_those_that_guessed_and_then_holds(tmp_path: Path) -> None:
    dim, bright = tmp_path / "dim.png", tmp_path / "bright.png"
    for path, value in ((dim, 500), (bright, 4000)):
        Image.fromarray(np.full((32, 48), value, np.uint16)).save(path)
    store = OpenedPhotos()
    before = store.open(dim).image.max()
    store.open(bright)
    assert store.learn_white([dim, bright]) == 4095
    assert store.open(dim).image.max() < before / 4
