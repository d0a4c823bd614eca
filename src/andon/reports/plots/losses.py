"""How a detector that learns by gradient was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from andon.reports.plots.style import CURVE, DARK, PlotFormat, save, style


def loss_plot(losses: Mapping[str, Sequence[float]], best_epoch: int, file: PlotFormat = "svg") -> bytes:
    """One curve per loss, each on its own axis, with the best epoch marked.

    Args:
        losses: name -> one value per epoch, all of one length.
        best_epoch: counted from 1.
    """
    with style():
        figure = Figure(figsize=(8, 2.5), layout="constrained")
        for axes, (name, values) in zip(figure.subplots(1, len(losses), squeeze=False)[0], losses.items(), strict=True):
            axes.plot(range(1, len(values) + 1), values, color=CURVE, linewidth=1.5)
            axes.axvline(best_epoch, color=DARK, linewidth=1, linestyle=":")
            axes.plot(best_epoch, values[best_epoch - 1], "o", color=DARK, markersize=5)
            axes.set(title=name, ylim=(min(0, *values), None))
            axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.grid(axis="y", linewidth=0.6)
        figure.supxlabel(f"epoch (dotted: {best_epoch}, the best)", fontsize=10)
        return save(figure, file)
