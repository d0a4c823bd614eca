"""The scores of OK and NG photos, and the threshold between them."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from andon.reports.number_format import number
from andon.reports.plots.style import DARK, FAR_OUT, NG, OK, REVIEW, Flags, PlotFormat, Values, save, style

N_BINS = 40


def score_histogram(
    scores: Values,
    is_anomalous: Flags,
    threshold: float,
    review_threshold: float | None = None,
    file: PlotFormat = "svg",
) -> bytes:
    """How far the scores of OK photos (above) and NG photos (below) lie apart, with the threshold through both.

    The axis is logarithmic where NG scores lie so far out that the OK photos would share one bar.

    Args:
        scores: (n,) float64.
        is_anomalous: (n,) bool.
        review_threshold: where the review band begins, if there is one.
    """
    with style():
        bins, scale = _score_bins(scores, is_anomalous, threshold)
        classes = [("OK photos", OK, scores[~is_anomalous]), ("NG photos", NG, scores[is_anomalous])]
        present = [of_class for of_class in classes if len(of_class[2])]
        figure = Figure(figsize=(5.6, 1 + 1.3 * len(present)), layout="constrained")
        rows: list[Axes] = list(figure.subplots(len(present), 1, sharex=True, squeeze=False)[:, 0])
        for axes, (name, colour, of_class) in zip(rows, present, strict=True):
            axes.hist(of_class, bins=bins.tolist(), color=colour)
            axes.set_title(f"{name} ({len(of_class)})", color=colour, fontweight="bold")
            axes.set_ylabel("photos")
            axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            _mark_thresholds(axes, threshold, review_threshold)
        band = "" if review_threshold is None else f"review from {number(review_threshold)}, "
        rows[0].set_title(f"{band}threshold {number(threshold)}", loc="right")
        rows[-1].set_xscale(scale)
        rows[-1].xaxis.set_major_formatter("{x:g}")
        rows[-1].set_xlabel("image score" if scale == "linear" else "image score, logarithmic")
        return save(figure, file)


def _mark_thresholds(axes: Axes, threshold: float, review_threshold: float | None) -> None:
    axes.axvline(threshold, color=DARK, linewidth=1.2, linestyle="--")
    if review_threshold is not None:
        axes.axvspan(review_threshold, threshold, color=REVIEW, alpha=0.35, linewidth=0, zorder=0)


def _score_bins(scores: Values, is_anomalous: Flags, threshold: float) -> tuple[Values, Literal["linear", "log"]]:
    """Bins of one width, or ratio. One begins at the threshold, so that no bar lies on both sides of it."""
    low, high = float(scores.min()), float(scores.max())
    is_far = low > 0 and not is_anomalous.all() and high > FAR_OUT * np.median(scores[~is_anomalous])
    if high <= low:
        margin = 0.5 * max(1.0, abs(low))
        low, high = low - margin, high + margin
    start = threshold if low <= threshold <= high else low
    if is_far:
        bins = start * np.exp(_steps(math.log(low / start), math.log(high / start)))
    else:
        bins = start + _steps(low - start, high - start)
    bins[0], bins[-1] = min(bins[0], low), max(bins[-1], high)  # no score is lost to rounding
    return bins, "log" if is_far else "linear"


def _steps(low: float, high: float) -> Values:
    """Multiples of one width from below `low` to above `high`; 0, which lies between them, is exactly one of them."""
    width = (high - low) / N_BINS
    return width * np.arange(int(low / width) - 1, int(high / width) + 2, dtype=np.float64)
