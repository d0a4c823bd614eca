"""The inspector of andon watch: a full disk stops nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plate_photos
import pytest
from numpy_scorer import orange_pipeline
from stations import png

from andon.images import sha256
from andon.store import PhotoStore, Store, WatchedFile
from andon.watching import Arrived, PipelineInspector


def arrived(seed: int) -> Arrived:
    content = png(np.asarray(plate_photos.part(seed)))
    return Arrived(content, f"{seed}.png", WatchedFile(sha256=sha256(content), folder="in", path=f"{seed}.png"))


def test_on_a_nearly_full_disk_it_inspects_and_keeps_nothing(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    free = [0]
    photos = PhotoStore(tmp_path, usage=lambda _: (10**9, 0, free[0]))
    inspector = PipelineInspector(orange_pipeline(), store, photos=photos)
    written = list(inspector.inspect([arrived(1), arrived(2)]))
    assert [one.row["verdict"] for one in written] == ["OK", "OK"]
    assert caplog.text.count("Photos are not kept, as the disk of") == 1
    free[0] = 10**9
    list(inspector.inspect([arrived(3)]))
    assert [one.photo_kept for one in store.inspections.each()] == [False, False, True]
