"""What a training will do and how long it may take, for the bar that counts all of it."""

from __future__ import annotations

from collections.abc import Sequence

from andon import detectors
from andon.datasets import Partition
from andon.teaching.fitting import TRAINING, Fitting, training_without
from andon.teaching.thresholds import CALIBRATING
from andon.types import Sample
from andon.work import Phase

READ, LEARN, SCORE, KEEP = 0.006, 0.06, 0.02, 0.002  # seconds of CPU time of a photo; the first photos correct them
ALL = 0.16  # of these, before more is known
THUMBNAILS = "Keeping thumbnails"


def at_first(samples: Sequence[Sample]) -> list[Phase]:
    """Before it is known which photos train."""
    n_ok = sum(sample.is_anomalous is False for sample in samples)
    return [Phase("Comparing photos", len(samples), READ, "file"), Phase(TRAINING, n_ok, ALL)]


def expected(fitting: Fitting, parts: Partition) -> list[Phase]:
    """All that follows the comparison of photos."""
    detector = detectors.of_recipe(fitting.recipe, fitting.backbone)
    can, folds = detector.capabilities, [len(fold.train) for fold in parts.folds]
    n = len(parts.train)
    passes = 1 + getattr(detector.config, "epochs", 0) if can.learns_by_gradient else 1
    held_out = len(parts.calibration) + sum(len(fold.held_out) for fold in parts.folds)
    looks = [Phase(TRAINING, passes * n, LEARN)]
    if not can.fits_folds:
        looks += [Phase(training_without(number, len(folds)), k, LEARN) for number, k in enumerate(folds, start=1)]
    frame = fitting.frames.read(parts.train[0].path)
    tiling = fitting.recipe.tiling
    tiles = [frame] if tiling is None else [tile.frame for tile in tiling.cut(frame)]
    after, search = detector.expects(n, sum(int(tile.roi.sum()) for tile in tiles))
    scoring = [Phase(CALIBRATING, held_out, SCORE + search), Phase(THUMBNAILS, n, KEEP)]
    return [*looks, *after, *scoring]
