"""How far the colours of each class's photos lie from those of the OK photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from andon.reports.colours import INK, MUTED, hex_code
from andon.reports.plots.style import FAR_OUT, NG, OK, PALE, PlotFormat, Values, save, style


class ClassDistances(NamedTuple):
    """How far the photos of one class are from the OK photos; `remark` stands beside them."""

    name: str
    values: Values
    is_anomalous: bool | None
    remark: str


def class_distances_plot(classes: Sequence[ClassDistances], file: PlotFormat = "svg") -> bytes:
    """One dot per photo, a line at the median; logarithmic where some lie far out."""
    everything = np.concatenate([of_class.values for of_class in classes])
    with style():
        figure = Figure(figsize=(9, 0.8 + 0.5 * len(classes)), layout="constrained")
        axes = figure.subplots()
        for row, of_class in enumerate(classes):
            colour = {True: NG, False: OK, None: PALE}[of_class.is_anomalous]
            spread = np.random.default_rng(0).uniform(-0.28, 0.28, len(of_class.values))
            axes.plot(of_class.values, row + spread, "o", color=colour, alpha=0.55, markersize=4, markeredgewidth=0)
            axes.plot([np.median(of_class.values)] * 2, [row - 0.36, row + 0.36], color=hex_code(INK), linewidth=2)
            axes.text(1.01, row, of_class.remark, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
        axes.set_yticks(range(len(classes)), [f"{c.name} ({len(c.values)})" for c in classes])
        axes.set(ylim=(len(classes) - 0.5, -0.5), xlabel="distance of the photo's colours from those of the OK photos")
        axes.text(1.01, 1.02, "AUROC of colours alone", transform=axes.transAxes, fontsize=9, fontweight="bold")
        if everything.min() > 0 and everything.max() > FAR_OUT * np.median(classes[0].values):
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="y", length=0, labelcolor=hex_code(INK))
        axes.grid(axis="x", linewidth=0.6)
        axes.tick_params(axis="x", colors=hex_code(MUTED))
        return save(figure, file)
