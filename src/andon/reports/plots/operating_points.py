"""What the verdicts of several methods do: rejected against escaped, with what goes to review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from andon.reports.plots.style import DARK, NG, REVIEW, PlotFormat, save, style


class OperatingPoint(NamedTuple):
    """The shares of one method, each in [0, 1].

    Attributes:
        rejected_within, escaped_within: their 95 % intervals.
        ok_review, ng_review: shares of the OK and of the NG photos that go to a person.
    """

    name: str
    rejected: float
    escaped: float
    rejected_within: Sequence[float]
    escaped_within: Sequence[float]
    ok_review: float
    ng_review: float


def operating_plot(points: Sequence[OperatingPoint], file: PlotFormat = "svg") -> bytes:
    """A row per method: to the left the good parts that are rejected, to the right the defective ones that escape.

    What goes to review stands outside of these; whiskers are the intervals. The shorter a row, the better.
    """
    with style():
        figure = Figure(figsize=(5.6, 1.6 + 0.42 * len(points)), layout="constrained")
        axes = figure.subplots()
        for row, point in enumerate(points):
            _half(axes, row, -1, point.rejected, point.rejected_within, point.ok_review)
            _half(axes, row, 1, point.escaped, point.escaped_within, point.ng_review)
        axes.axvline(0, color=DARK, linewidth=1.2)
        axes.set(xlim=(-1.02, 1.02), ylim=(len(points) - 0.4, -0.6))
        axes.set_xticks([-1, -0.5, 0, 0.5, 1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * abs(x):.0f} %"))
        axes.set_yticks(range(len(points)), [point.name for point in points])
        axes.tick_params(axis="y", length=0, labelcolor=DARK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_title("good parts rejected", loc="left")
        axes.set_title("defective parts escaped", loc="right")
        keys = [Patch(color=NG, label="rejected or escaped"), Patch(color=REVIEW, label="for review")]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
        return save(figure, file)


def _half(axes: Axes, row: int, side: int, wrong: float, within: Sequence[float], review: float) -> None:
    axes.barh(row, side * wrong, height=0.55, color=NG)
    axes.barh(row, side * review, left=side * wrong, height=0.55, color=REVIEW)
    axes.plot([side * end for end in within], [row, row], color=DARK, linewidth=1.2, marker="|", markersize=6)
