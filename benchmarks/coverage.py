"""How often the intervals of `andon compare` hold the true difference: 95 % is promised.

    python benchmarks/coverage.py --repeats 600

Test sets are drawn from two methods whose true figures are known: normal scores, correlated from method to method, for
the image AUROC; photos that are harder or easier for both, with a few very hard ones, for the pixel AUROC.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from andon.evaluation.paired import Judged, auroc_difference
from andon.evaluation.pixel_resampling import Resampled, resample

SIZES = [(10, 10), (20, 63), (50, 50)]
AUROCS = [(0.75, 0.75), (0.9, 0.97), (0.99, 0.99), (0.995, 0.95)]
CORRELATIONS = [0.3, 0.8, 0.97]
N_BINS = 60

Values = NDArray[np.float64]


def image_coverage(
    rng: np.random.Generator, n: tuple[int, int], true: tuple[float, float], rho: float, k: int
) -> tuple[float, float]:
    """The share of `k` drawn test sets whose interval holds the difference of the two true AUROCs; and DeLong's."""
    shift = norm.ppf(true) * np.sqrt(2)
    is_anomalous = np.repeat([False, True], n)
    held = by_delong = 0
    for _ in range(k):
        scores = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], sum(n)) + is_anomalous[:, None] * shift
        one, other = (judged(is_anomalous, scores[:, method]) for method in (0, 1))
        difference, (low, high) = auroc_difference(one, other)
        held += low <= true[0] - true[1] <= high
        by_delong += abs(difference - (true[0] - true[1])) <= 1.96 * delong_error(one, other)
    return held / k, by_delong / k


def delong_error(one: Judged, other: Judged) -> float:
    """The standard error of the difference of two AUROCs (DeLong et al., Biometrics 44:837, 1988)."""
    ng = one.is_anomalous
    wins = [np.sign(m.scores[ng][None, :] - m.scores[~ng][:, None]) / 2 for m in (one, other)]
    excess = wins[0] - wins[1]
    return float(np.sqrt(sum(np.var(excess.mean(axis=axis), ddof=1) / excess.shape[1 - axis] for axis in (0, 1))))


def judged(is_anomalous: NDArray[np.bool_], scores: Values) -> Judged:
    """One model's, verdicts aside."""
    n = len(scores)
    return Judged(is_anomalous=is_anomalous, fold=np.zeros(n, np.int64), scores=scores, verdicts=np.full(n, "OK"))


def pixel_photos(rng: np.random.Generator, n: tuple[int, int], strength: float) -> tuple[Values, Values]:
    """The histograms (n, 3, B) of two methods on the same photos, the second seeing defects `strength` more clearly."""
    hardness = rng.gamma(2, 1, sum(n)) * np.where(rng.random(sum(n)) < 0.1, 0.2, 1)
    level = rng.normal(0, 0.3, sum(n))
    is_anomalous = np.arange(sum(n)) >= n[0]
    area = rng.lognormal(0, 0.8, sum(n)) * is_anomalous
    edges = np.linspace(-4, 10, N_BINS + 1)
    methods = []
    for factor in (1.0, 1.0 + strength):
        contrast = 2 * factor * hardness + rng.normal(0, 0.2, sum(n))
        sound = np.diff(norm.cdf(edges - level[:, None]), axis=1)
        defect = np.diff(norm.cdf(edges - (level + contrast)[:, None]), axis=1)
        region = defect * is_anomalous[:, None]
        methods.append(np.stack([100 * sound, area[:, None] * defect, region], axis=1))
    return methods[0], methods[1]


def pixel_coverage(rng: np.random.Generator, n: tuple[int, int], strength: float, k: int) -> Values:
    """The same for pixel AUROC and AUPRO: (2,)."""
    truth = difference(*pixel_photos(rng, (3000, 3000), strength), np.array([True]), whole=True)
    held = np.zeros(2)
    for _ in range(k):
        found = difference(*pixel_photos(rng, n, strength), np.repeat([False, True], n))
        pairs = zip(found.estimates().values(), truth.areas[0], strict=True)
        held += [interval[0] <= true <= interval[1] for (_, interval), true in pairs]
    return held / k


def difference(one: Values, other: Values, is_anomalous: NDArray[np.bool_], *, whole: bool = False) -> Resampled:
    """What `andon compare` takes its pixel intervals from; `whole` makes one photo of all, which has their areas."""
    if whole:
        one, other = one.sum(0, keepdims=True), other.sum(0, keepdims=True)
    fold = np.zeros(len(is_anomalous), np.int64)
    return resample(other, is_anomalous, fold).minus(resample(one, is_anomalous, fold))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=600)
    repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    print("difference of image AUROC\nOK + NG    true AUROCs     correlation  held     by DeLong's alone")
    for n, true, rho in product(SIZES, AUROCS, CORRELATIONS):
        held, by_delong = (f"{100 * share:.1f} %" for share in image_coverage(rng, n, true, rho, repeats))
        line = f"{n[0]:2} + {n[1]:2}    {true[0]:.3f}, {true[1]:.3f}    {rho:.2f}         {held:8} {by_delong}"
        print(line, flush=True)
    print("\ndifference of pixel AUROC and AUPRO\nOK + NG    stronger by  held, held")
    for n, strength in product(SIZES, (0.0, 0.3)):
        area, aupro = pixel_coverage(rng, n, strength, repeats)
        line = f"{n[0]:2} + {n[1]:2}    {100 * strength:.0f} %          {100 * area:.1f} %, {100 * aupro:.1f} %"
        print(line, flush=True)


if __name__ == "__main__":
    main()
