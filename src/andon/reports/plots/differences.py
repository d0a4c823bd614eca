"""Differences between methods."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from andon.reports.plots.style import DARK, NG, PALE, PlotFormat, save, style


def difference_plot(
    differences: Sequence[tuple[str, float, float, float]], what: str, file: PlotFormat = "svg"
) -> bytes:
    """Each method's difference from the best: a point in its interval; an interval that reaches 0 shows no difference.

    Args:
        differences: name, difference, lower and upper end, one per method.
        what: the figure that differs.
    """
    with style():
        figure = Figure(figsize=(5.6, 0.9 + 0.36 * len(differences)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=PALE, linewidth=1.2, linestyle="--")
        for row, (_, value, low, high) in enumerate(differences):
            is_shown = not low <= 0 <= high
            axes.plot([low, high], [row, row], color=NG if is_shown else PALE, linewidth=3, solid_capstyle="butt")
            axes.plot(value, row, "o", color=DARK, markersize=7)
        axes.set_yticks(range(len(differences)), [name for name, *_ in differences])
        axes.set(ylim=(len(differences) - 0.5, -0.5), xlabel=f"{what}: difference from the best")
        axes.tick_params(axis="y", length=0, labelcolor=DARK)
        axes.spines["left"].set_visible(False)
        return save(figure, file)
