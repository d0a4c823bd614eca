"""The confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from andon.reports.colours import PAPER, hex_code
from andon.reports.number_format import percent
from andon.reports.plots.style import DARK, INVALID, NG, OK, REVIEW, PlotFormat, save, style

CALLED = {"OK": "called OK", "review": "for review", "NG": "called NG", "invalid": "invalid"}


def confusion_plot(confusion: Mapping[str, Mapping[str, int]], file: PlotFormat = "svg") -> bytes:
    """How many OK and NG photos (rows) got which verdict (columns); "review" and "invalid" only where they are used.

    Args:
        confusion: truth "OK" | "NG" -> verdict -> number of photos.
    """
    verdicts = [verdict for verdict in CALLED if verdict in ("OK", "NG") or _is_used(verdict, confusion)]
    with style():
        figure = Figure(figsize=(4.4, 2.9), layout="constrained")
        axes = figure.subplots()
        for row, (truth, counts) in enumerate(confusion.items()):
            for column, verdict in enumerate(verdicts):
                _confusion_cell(axes, row, column, counts[verdict], sum(counts.values()), _judgement(truth, verdict))
        axes.set(xlim=(0, len(verdicts)), ylim=(len(confusion), 0))
        axes.set_xticks([column + 0.5 for column in range(len(verdicts))], [CALLED[verdict] for verdict in verdicts])
        axes.set_yticks([row + 0.5 for row in range(len(confusion))], [f"{truth} photos" for truth in confusion])
        axes.tick_params(length=0, labelcolor=DARK, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
        return save(figure, file)


def _is_used(verdict: str, confusion: Mapping[str, Mapping[str, int]]) -> bool:
    return any(counts.get(verdict, 0) for counts in confusion.values())


def _judgement(truth: str, verdict: str) -> str:
    of_neither = {"review": REVIEW, "invalid": INVALID}
    return of_neither.get(verdict, OK if truth == verdict else NG)


def _confusion_cell(axes: Axes, row: int, column: int, count: int, of: int, colour: str) -> None:
    share = count / of if of else 0.0
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.1 + 0.5 * share))
    axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=hex_code(PAPER), linewidth=4))
    axes.text(column + 0.5, row + 0.46, str(count), ha="center", va="center", fontsize=20, fontweight="bold")
    axes.text(column + 0.5, row + 0.78, percent(share) if of else "none", ha="center", va="center")
