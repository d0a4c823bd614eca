"""What every other threshold would have given: the ROC curve, and precision over recall."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from sklearn.metrics import precision_recall_curve, roc_curve

from andon.reports.number_format import percent
from andon.reports.plots.style import CURVE, DARK, PALE, Flags, PlotFormat, Values, save, style


def roc_plot(
    scores: Values,
    is_anomalous: Flags,
    threshold: float,
    auroc: float,
    interval: Sequence[float] | None = None,
    file: PlotFormat = "svg",
) -> bytes:
    """Caught NG photos against rejected OK photos over all thresholds, with the working point; needs both classes."""
    false_positives, true_positives, _ = roc_curve(is_anomalous, scores)
    rejected = float((scores[~is_anomalous] >= threshold).mean())
    caught = float((scores[is_anomalous] >= threshold).mean())
    between = "" if interval is None else f"\n95\N{NO-BREAK SPACE}%: {interval[0]:.3f} to {interval[1]:.3f}"
    with style():
        figure, axes = _unit_square("OK photos rejected", "NG photos caught")
        axes.plot([0, 1], [0, 1], color=PALE, linewidth=1, linestyle=":")
        axes.plot(false_positives, true_positives, color=CURVE, linewidth=2, clip_on=False)
        _working_point(
            axes, rejected, caught, f"at the threshold:\n{percent(rejected)} rejected\n{percent(caught)} caught"
        )
        axes.text(0.98, 0.04, f"AUROC {auroc:.3f}{between}", ha="right", va="bottom")
        return save(figure, file)


def precision_recall_plot(
    scores: Values, is_anomalous: Flags, threshold: float, average_precision: float, file: PlotFormat = "svg"
) -> bytes:
    """Right NG verdicts against caught NG photos over all thresholds, with the working point; needs both classes."""
    precision, recall, _ = precision_recall_curve(is_anomalous, scores)
    called = scores >= threshold
    with style():
        figure, axes = _unit_square("NG photos caught (recall)", "NG verdicts that are right (precision)")
        axes.axhline(is_anomalous.mean(), color=PALE, linewidth=1, linestyle=":")
        axes.plot(recall, precision, color=CURVE, linewidth=2, clip_on=False)
        if called.any():
            right, caught = float(is_anomalous[called].mean()), float(called[is_anomalous].mean())
            _working_point(axes, caught, right, f"at the threshold:\n{percent(caught)} caught\n{percent(right)} right")
        axes.text(0.02, 0.04, f"average precision {average_precision:.3f}", va="bottom")
        return save(figure, file)


def _unit_square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel=x_label, ylabel=y_label, aspect="equal")
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(linewidth=0.6)
    return figure, axes


def _working_point(axes: Axes, x: float, y: float, text: str) -> None:
    """A dot with its text on the side where the square has room."""
    axes.plot(x, y, "o", color=DARK, markersize=8, clip_on=False, zorder=3)
    shift, side = (10, "left") if x < 0.5 else (-10, "right")
    across = "top" if y > 0.3 else "bottom"
    axes.annotate(text, (x, y), (shift, -6), textcoords="offset points", ha=side, va=across)
