"""The colours of a data set's classes, a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from andon.reports.colours import INK, hex_code
from andon.reports.plots.photo_colours import COLOUR_BIN, count_colours
from andon.reports.plots.style import Counts, PlotFormat, Values, save, style
from andon.types import RgbImage

RED, GREEN, BLUE = "#c43e1c", "#007d60", "#0072b2"
MAGENTA, GOLD = "#a0277f", "#9a6a00"
SOLID, DASHED, DOTTED = "-", "--", ":"
SHARE_SHOWN = 0.998  # of the pixels, by the axis of a* and b*


class ClassColours(NamedTuple):
    """The colours of one class of photos.

    Attributes:
        rgb, lab: (3, 256) sums of `count_colours` and of `count_lab`.
    """

    name: str
    n_photos: int
    rgb: Counts
    lab: Counts


class Curve(NamedTuple):
    """How one channel is drawn: `values` (256,) on the axis."""

    label: str
    colour: str
    line: str
    values: Values


LEVELS = np.arange(256.0)
CURVES_OF_RGB = (
    Curve("red", RED, SOLID, LEVELS),
    Curve("green", GREEN, DASHED, LEVELS),
    Curve("blue", BLUE, DOTTED, LEVELS),
)
CURVE_OF_LIGHTNESS = Curve("L*", hex_code(INK), SOLID, LEVELS * 100 / 255)
CURVES_OF_CHROMA = (Curve("a*", MAGENTA, SOLID, LEVELS - 128), Curve("b*", GOLD, DASHED, LEVELS - 128))


def count_lab(photo: RgbImage) -> Counts:
    """(3, 256) how often each value of L* (times 2.55), a* and b* (plus 128) occurs."""
    return count_colours(np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB), dtype=np.uint8))


def class_colours_plot(classes: Sequence[ClassColours], file: PlotFormat = "svg") -> bytes:
    """The histograms of each class: red, green and blue; L*; a* and b*. The first class is a shade behind the others.

    All rows have the same axes, so that they can be compared. Heights are square roots of shares, so that the colours
    of small areas show beside those of a background.
    """
    with style():
        figure = Figure(figsize=(9, 0.8 + 1.45 * len(classes)), layout="constrained")
        grid = figure.subplots(len(classes), 3, sharex="col", sharey="col", squeeze=False)
        for axes, of_class in zip(grid, classes, strict=True):
            for part, (curves, channels) in zip(axes, _parts(of_class), strict=True):
                _draw(part, curves, channels)
            axes[0].set_title(f"{of_class.name} ({of_class.n_photos})", fontweight="bold")
            for axis, (curves, shade) in zip(axes, _parts(classes[0]), strict=True):
                if of_class is not classes[0]:
                    _shade(axis, curves, shade)
        _finish(list(grid[0]), list(grid[-1]), classes)
        return save(figure, file)


def _parts(of_class: ClassColours) -> list[tuple[Sequence[Curve], Counts]]:
    """The curves of each of the three plots in a row and the counts that they show."""
    return [
        (CURVES_OF_RGB, of_class.rgb),
        ((CURVE_OF_LIGHTNESS,), of_class.lab[:1]),
        (CURVES_OF_CHROMA, of_class.lab[1:]),
    ]


def _draw(axes: Axes, curves: Sequence[Curve], channels: Counts) -> None:
    for curve, counts in zip(curves, channels, strict=True):
        axes.plot(*_coarse(curve, counts), color=curve.colour, linestyle=curve.line, label=curve.label)


def _shade(axes: Axes, curves: Sequence[Curve], channels: Counts) -> None:
    for curve, counts in zip(curves, channels, strict=True):
        axes.fill_between(*_coarse(curve, counts), color=curve.colour, alpha=0.16, linewidth=0)


def _coarse(curve: Curve, counts: Counts) -> tuple[Values, Values]:
    """The middles of bins of four levels, and how high each is drawn."""
    shares = counts.reshape(-1, COLOUR_BIN).sum(axis=1) / max(counts.sum(), 1)
    return curve.values.reshape(-1, COLOUR_BIN).mean(axis=1), np.sqrt(shares)


def _finish(top: list[Axes], bottom: list[Axes], classes: Sequence[ClassColours]) -> None:
    """Axes for all rows: a black or white background may stand out of the plot, else it would dwarf the part."""
    for column, (axes, limits) in enumerate(zip(top, ((0, 255), (0, 100), _chroma_limits(classes)), strict=True)):
        inner = [
            _coarse(curve, counts)[1][1:-1].max()
            for of_class in classes
            for curve, counts in zip(*_parts(of_class)[column], strict=True)
        ]
        axes.set(xlim=limits, ylim=(0, 1.1 * max(inner) or 1), yticks=[])
        axes.legend(loc="upper right", fontsize=8, handlelength=1.6)
    for axes, label in zip(bottom, ("0 to 255", "lightness L*", "a* green to red, b* blue to yellow"), strict=True):
        axes.set_xlabel(label)


def _chroma_limits(classes: Sequence[ClassColours]) -> tuple[float, float]:
    """An axis around 0 that holds nearly all pixels of all classes."""
    counts = np.sum([of_class.lab[1:] for of_class in classes], axis=(0, 1))
    distance = np.abs(LEVELS - 128)
    nearest_first = np.argsort(distance)
    within = np.cumsum(counts[nearest_first]) / max(counts.sum(), 1)
    reach = distance[nearest_first][np.searchsorted(within, SHARE_SHOWN)]
    limit = max(20.0, 10 * float(np.ceil(reach / 10)))
    return -limit, limit
