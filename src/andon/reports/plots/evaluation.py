"""The plots of a report, as SVG or PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from andon.reports.colours import INK, LINE, MUTED, PAPER, TRUTH, VERDICT, hex_code
from andon.reports.text import number, percent
from andon.types import RgbImage

Format = Literal["svg", "png"]
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

OK, NG, REVIEW = hex_code(VERDICT["OK"]), hex_code(VERDICT["NG"]), hex_code(VERDICT["review"])
CURVE, DARK, PALE = hex_code(TRUTH), hex_code(INK), hex_code(MUTED)
CALLED = {"OK": "called OK", "review": "for review", "NG": "called NG"}
N_BINS = 40
COLOUR_BIN = 4
FAR_OUT = 8.0  # times the median OK score


def score_histogram(
    scores: Values, is_anomalous: Flags, threshold: float, review_threshold: float | None = None, file: Format = "svg"
) -> bytes:
    """How far the scores of OK photos (above) and NG photos (below) lie apart, with the threshold through both.

    The axis is logarithmic where NG scores lie so far out that the OK photos would share one bar.

    Args:
        scores: (n,) float64.
        is_anomalous: (n,) bool.
        review_threshold: where the review band begins, if there is one.
    """
    with style():
        bins, scale = _score_bins(scores, is_anomalous)
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
        rows[0].set_title(f"threshold {number(threshold)}", loc="right")
        rows[-1].set_xscale(scale)
        rows[-1].xaxis.set_major_formatter("{x:g}")
        rows[-1].set_xlabel("image score" if scale == "linear" else "image score, logarithmic")
        return save(figure, file)


def _mark_thresholds(axes: Axes, threshold: float, review_threshold: float | None) -> None:
    axes.axvline(threshold, color=DARK, linewidth=1.2, linestyle="--")
    if review_threshold is not None:
        axes.axvspan(review_threshold, threshold, color=REVIEW, alpha=0.35, linewidth=0, zorder=0)


def _score_bins(scores: Values, is_anomalous: Flags) -> tuple[Values, Literal["linear", "log"]]:
    low, high = float(scores.min()), float(scores.max())
    if high <= low:
        return np.array([low - 0.5, low + 0.5]), "linear"
    if low > 0 and not is_anomalous.all() and high > FAR_OUT * np.median(scores[~is_anomalous]):
        return np.geomspace(low, high, N_BINS + 1), "log"
    return np.linspace(low, high, N_BINS + 1), "linear"


def roc_plot(
    scores: Values,
    is_anomalous: Flags,
    threshold: float,
    auroc: float,
    interval: Sequence[float] | None = None,
    file: Format = "svg",
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
    scores: Values, is_anomalous: Flags, threshold: float, average_precision: float, file: Format = "svg"
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


def confusion_plot(confusion: Mapping[str, Mapping[str, int]], file: Format = "svg") -> bytes:
    """How many OK and NG photos (rows) got which verdict (columns); the column "review" only where it is used.

    Args:
        confusion: truth "OK" | "NG" -> verdict "OK" | "review" | "NG" -> number of photos.
    """
    verdicts = [verdict for verdict in ("OK", "review", "NG") if verdict != "review" or _uses_review(confusion)]
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


def _uses_review(confusion: Mapping[str, Mapping[str, int]]) -> bool:
    return any(counts["review"] for counts in confusion.values())


def _judgement(truth: str, verdict: str) -> str:
    return REVIEW if verdict == "review" else OK if truth == verdict else NG


def _confusion_cell(axes: Axes, row: int, column: int, count: int, of: int, colour: str) -> None:
    share = count / of if of else 0.0
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.1 + 0.5 * share))
    axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor=hex_code(PAPER), linewidth=4))
    axes.text(column + 0.5, row + 0.46, str(count), ha="center", va="center", fontsize=20, fontweight="bold")
    axes.text(column + 0.5, row + 0.78, percent(share) if of else "none", ha="center", va="center")


def difference_plot(differences: Sequence[tuple[str, float, float, float]], what: str, file: Format = "svg") -> bytes:
    """Each method's difference to the best: a point in its interval; an interval that reaches 0 shows no difference.

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
        axes.set(ylim=(len(differences) - 0.5, -0.5), xlabel=f"{what}: difference to the best")
        axes.tick_params(axis="y", length=0, labelcolor=DARK)
        axes.spines["left"].set_visible(False)
        return save(figure, file)


def count_colours(photo: RgbImage) -> Counts:
    """(3, 256) how often each value of red, green and blue occurs; add up those of many photos."""
    return np.stack([np.bincount(photo[..., channel].ravel(), minlength=256) for channel in range(3)])


def colour_plot(ok: Counts, ng: Counts, file: Format = "svg") -> bytes:
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


def loss_plot(losses: Mapping[str, Sequence[float]], best_epoch: int, file: Format = "svg") -> bytes:
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


def save(figure: Figure, file: Format) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format=file, dpi=160, metadata={"Date": None} if file == "svg" else None)
    return data.getvalue()


def style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 10,
            "text.color": DARK,
            "axes.labelcolor": DARK,
            "axes.edgecolor": PALE,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 10,
            "xtick.color": PALE,
            "ytick.color": PALE,
            "grid.color": hex_code(LINE),
            "legend.frameon": False,
            "svg.hashsalt": "andon",  # the same plot is the same file
        }
    )
