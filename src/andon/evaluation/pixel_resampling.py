"""Pixel figures of resampled test sets: which ones the same method could have got on other photos.

Pixels of one photo are not independent, so whole photos are drawn (bootstrap), OK and NG photos apart. All
methods get the same draws; that makes the difference of two methods a paired one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from andon.evaluation.headlines import PIXELS
from andon.evaluation.intervals import Values
from andon.evaluation.paired import Estimate
from andon.evaluation.pixel_curves import PixelCurves
from andon.evaluation.undefined import Undefined

N_RESAMPLES = 400
SEED = 0

Folds = NDArray[np.int64]


class Resampled(NamedTuple):
    """Pixel AUROC and AUPRO, of one method or of one less another.

    Attributes:
        areas: (1 + 400, 2), in the order of `headlines.PIXELS`: of the photos as they are, then of the test sets that
            were drawn from them.
        n_masks: how many NG photos with a mask stand behind them.
    """

    areas: Values
    n_masks: int

    def minus(self, other: Resampled) -> Resampled:
        """The difference on the same photos."""
        return Resampled(self.areas - other.areas, self.n_masks)

    def estimates(self, level: float = 0.95) -> dict[str, Estimate]:
        """Each figure with its interval by Student's t; one photo with a mask says nothing of others."""
        n = self.n_masks
        half = np.full(len(PIXELS), 1.0)
        if n > 1:
            deviation = np.nanstd(self.areas[1:], axis=0, ddof=1) * np.sqrt(n / (n - 1))
            half = student.ppf(0.5 + level / 2, n - 1) * deviation
        return {
            name: Estimate(float(value), (float(value - margin), float(value + margin)))
            for name, value, margin in zip(PIXELS, self.areas[0], half, strict=True)
        }


def resample(photos: Values, is_anomalous: NDArray[np.bool_], fold: Folds) -> Resampled:
    """The figures of the photos, and of test sets drawn from them; with folds, the mean weighted by defect regions.

    Args:
        photos: (n, 3, B) of `PixelCurves.coarse`, one per photo; zeros for an NG photo without a mask.
        is_anomalous: (n,) the truth.
        fold: (n,) which model judged the photo.

    Raises:
        Undefined: there is no photo with a mask.
    """
    with_mask = photos[:, 2].any(axis=1)
    if not with_mask.any():
        raise Undefined("no photo with a ground-truth mask of its defect")
    photos = photos[:, :, photos.any(axis=(0, 1))]  # nearly all bins are empty
    draws = np.stack([np.ones(len(fold)), *_draws(is_anomalous)])
    areas, regions = [], []
    for number in np.unique(fold):
        inside = fold == number
        areas.append([_areas(draw) for draw in np.einsum("rn,ncb->rcb", draws[:, inside], photos[inside])])
        regions.append(draws[:, inside] @ photos[inside, 2].sum(axis=1))
    weights = np.array(regions)[:, :, None] * np.isfinite(areas)
    with np.errstate(invalid="ignore"):  # a draw without any mask is not a number
        mean: Values = (weights * np.nan_to_num(areas)).sum(axis=0) / weights.sum(axis=0)
    return Resampled(mean, int(with_mask.sum()))


def _draws(is_anomalous: NDArray[np.bool_]) -> Iterator[Values]:
    """How often each photo is drawn (n,): as many OK and as many NG photos as there are."""
    generator = np.random.default_rng(SEED)
    classes = [members for truth in (False, True) if len(members := np.flatnonzero(is_anomalous == truth))]
    for _ in range(N_RESAMPLES):
        drawn = np.concatenate([generator.choice(members, len(members)) for members in classes])
        yield np.bincount(drawn, minlength=len(is_anomalous)).astype(np.float64)


def _areas(histograms: Values) -> tuple[float, float]:
    """Pixel AUROC and AUPRO of (3, B); not a number where no drawn photo has a mask."""
    try:
        curves = PixelCurves.of(*histograms)
        return curves.auroc(), curves.aupro()
    except Undefined:
        return np.nan, np.nan
