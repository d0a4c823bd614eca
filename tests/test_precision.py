"""What holds in every precision, in any number of threads and with either search of the memory bank.

`make test-precision` runs it, and all else that is marked so, with ANDON_PRECISION=bf16 and with 1 and 2 threads.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import plate_photos
import pytest

from andon import resources
from andon.line.pipeline import Pipeline
from andon.models.taught import Taught
from andon.scorers.choose import fastest_scorer, reference_scorer
from andon.scorers.precision import settle
from andon.types import Inspection, RgbImage

pytestmark = pytest.mark.precision

PHOTOS = [plate_photos.part(70), *(plate_photos.rusty(seed)[0] for seed in (71, 72))]
MOST_OFF = {"f32": 1e-4, "bf16": 0.01}
"""The share by which a score may differ from plain torch's."""


def inspected(pipeline: Pipeline) -> list[Inspection]:
    return [pipeline.inspect(photo) for photo in PHOTOS]


def test_verdicts_are_those_of_plain_torch(taught: Taught) -> None:
    precision = settle("auto")
    assert taught.pipeline.scorer.precision == taught.manifest.precision == precision
    reference = replace(taught.pipeline, scorer=reference_scorer(taught.detector))
    for ours, torchs in zip(inspected(taught.pipeline), inspected(reference), strict=True):
        assert ours.verdict == torchs.verdict
        assert ours.score == pytest.approx(torchs.score, rel=MOST_OFF[precision])
    assert [inspection.verdict for inspection in inspected(taught.pipeline)][1:] == ["NG", "NG"]


@pytest.mark.parametrize("in_8_bits", [True, False])
def test_either_search_gives_the_same_scores(in_8_bits: bool, taught: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = inspected(taught.pipeline)
    monkeypatch.setattr(resources, "has_8_bit_products", lambda: in_8_bits)
    found = inspected(replace(taught.pipeline, scorer=fastest_scorer(taught.detector)))
    assert [one.score for one in found] == pytest.approx([one.score for one in expected], rel=1e-5)
    assert [one.regions for one in found] == [one.regions for one in expected]


def test_a_batch_says_what_single_photos_say(pipeline: Pipeline, data: Path) -> None:
    photos: list[Path | RgbImage] = [*sorted((data / "test").rglob("*.png")), *PHOTOS]
    batch = [result for result in pipeline.inspect_batch(photos) if isinstance(result, Inspection)]
    alone = [pipeline.inspect(photo) for photo in photos]
    assert [one.verdict for one in batch] == [one.verdict for one in alone]
    assert [one.score for one in batch] == pytest.approx([one.score for one in alone], rel=1e-4)
