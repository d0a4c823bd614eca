"""The colours of OK photos against those of NG photos."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from andon.reports.plots.style import NG, OK, Counts, PlotFormat, Values, save, style
from andon.types import RgbImage

COLOUR_BIN = 4


def count_colours(photo: RgbImage) -> Counts:
    """(3, 256) how often each value of red, green and blue occurs; add up those of many photos."""
    return np.stack([np.bincount(photo[..., channel].ravel(), minlength=256) for channel in range(3)])


def colour_plot(ok: Counts, ng: Counts, file: PlotFormat = "svg") -> bytes:
    """The colours of OK against NG photos: where they differ, light or camera may differ instead of the parts.

    Args:
        ok, ng: (3, 256) sums of `count_colours`.
    """
    shares = [_coarse_shares(ok), _coarse_shares(ng)]
    inside = max(share[:, 1:-1].max() for share in shares)  # a black or white background would dwarf the part
    values = np.arange(0, 256, COLOUR_BIN)
    with style():
        figure = Figure(figsize=(8, 2.5), layout="constrained")
        for axes, name, of_ok, of_ng in zip(figure.subplots(1, 3), ("red", "green", "blue"), *shares, strict=True):
            axes.fill_between(values, of_ok, color=OK, alpha=0.25, linewidth=0)
            axes.plot(values, of_ok, color=OK, label="OK photos")
            axes.plot(values, of_ng, color=NG, label="NG photos", linestyle="--")
            axes.set(title=name, xlim=(0, 255), ylim=(0, 1.1 * inside or 1), xticks=[0, 128, 255], yticks=[])
        axes.legend(loc="upper right", fontsize=8)
        return save(figure, file)


def _coarse_shares(counts: Counts) -> Values:
    """(3, 64) shares of the channel's pixels."""
    coarse = counts.reshape(3, -1, COLOUR_BIN).sum(axis=2)
    shares: Values = coarse / np.maximum(coarse.sum(axis=1, keepdims=True), 1)
    return shares
