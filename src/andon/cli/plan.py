"""andon plan: how many photos a promise takes, and what a choice of thresholds costs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.errors import InputError

if TYPE_CHECKING:
    from andon.line.calibration import Calibration
    from andon.line.costs import Outcome, Prices

Rows = list[tuple[str, ...]]


def command(
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="Model whose photos and thresholds are looked at.")
    ] = None,
    n_ok: Annotated[int | None, typer.Option(min=1, help="OK photos that there are to calibrate.")] = None,
    n_ng: Annotated[int | None, typer.Option(min=1, help="NG photos that there are.")] = None,
    false_reject_rate: Annotated[float, typer.Option(help="Share of good parts that may be rejected.")] = 0.01,
    escape_rate: Annotated[float, typer.Option(help="Share of defective parts that may be called OK.")] = 0.05,
    price_escape: Annotated[float | None, typer.Option(help="What a defective part called OK costs.")] = None,
    price_reject: Annotated[float | None, typer.Option(help="What a good part called NG costs.")] = None,
    price_review: Annotated[float, typer.Option(help="What a look at one part costs.")] = 0.0,
    share_ng: Annotated[float, typer.Option(help="Share of defective parts in production.")] = 0.01,
) -> None:
    """Say how many photos a promise takes, and what the present ones can promise.

    On average: over many models that are calibrated with as many photos.
    Surely: of one model, with 95 % confidence. Both hold for parts that are
    photographed like those that calibrate.

    With prices, and a model that was calibrated with NG photos (andon calibrate
    MODEL OK_DIR --ng NG_DIR), also which of its thresholds is cheapest.

    Example: andon plan --n-ok 60 --n-ng 20 --false-reject-rate 0.02

    Example: andon plan bolt.safetensors --price-escape 200 --price-reject 5 --price-review 1
    """
    from andon.line.costs import Prices

    for name, rate in (("--false-reject-rate", false_reject_rate), ("--escape-rate", escape_rate)):
        if not 0.0001 <= rate < 1:
            raise InputError(f"{name} is {rate:g}; give a share from 0.0001 to below 1, for example 0.01.")
    if model is None and price_escape is not None:
        raise InputError("What a choice costs depends on a model's scores; name the model, or leave the prices out.")
    if (price_escape is None) != (price_reject is None):
        raise InputError("Costs need both prices; give --price-escape and --price-reject.")
    calibration = None if model is None else _calibration(model)
    lines = needed(false_reject_rate, escape_rate)
    if n_ok is not None or n_ng is not None:
        lines += ["", *present(n_ok, n_ng)]
    if calibration is not None:
        lines += ["", *of_model(calibration)]
        if price_escape is not None and price_reject is not None:
            prices = Prices(escape=price_escape, reject=price_reject, review=price_review, share_ng=share_ng)
            lines += ["", *costs(calibration, prices)]
    typer.echo("\n".join(lines))


def needed(false_reject_rate: float, escape_rate: float) -> list[str]:
    """Photos for the wanted rates."""
    from andon.line.promises import percent, photos_needed, photos_needed_with_confidence

    rejects, escapes = percent(false_reject_rate), percent(escape_rate)
    rows: Rows = [("Photos needed for a promise", "on average", "surely (95 %)")]
    for what, rate, above, kind in (
        (f"{rejects} of good parts rejected, NG above every OK photo", false_reject_rate, 0, "OK"),
        (f"{rejects} of good parts rejected, one OK photo above NG", false_reject_rate, 1, "OK"),
        (f"{escapes} of defects escape, threshold at the lowest NG photo", escape_rate, 0, "NG"),
    ):
        counts = photos_needed(rate, above), photos_needed_with_confidence(rate, above)
        rows.append((what, *(f"{max(2, count)} {kind}" for count in counts)))
    return _table(rows)


def present(n_ok: int | None, n_ng: int | None) -> list[str]:
    """What so many photos can promise."""
    from andon.line.promises import Promise

    rows: Rows = [("What the present photos can promise", "on average", "surely (95 %)")]
    if n_ok is not None:
        rows.append((f"{n_ok} OK: good parts rejected, NG above every OK photo", *_rates(Promise(n_ok, 0))))
        if n_ok > 1:
            rows.append((f"{n_ok} OK: good parts rejected, one OK photo above NG", *_rates(Promise(n_ok, 1))))
        if n_ok >= 6:
            above = n_ok - 1 - math.floor(0.95 * (n_ok - 1))  # of the 95th percentile
            aside = Promise(n_ok, max(3, above))
            rows.append((f"{n_ok} OK: good parts for review or rejected", *_rates(aside)))
    if n_ng is not None:
        rows.append((f"{n_ng} NG: defects that escape, if none of them does", *_rates(Promise(n_ng, 0))))
    return _table(rows)


def of_model(calibration: Calibration) -> list[str]:
    """What the model's own photos promise at its thresholds."""
    from andon.line.promises import Promise

    rows: Rows = [("The model at its thresholds", "on average", "surely (95 %)")]
    for what, promise in (("rejected", calibration.rejects), ("for review or rejected", calibration.sets_aside)):
        rows.append((f"{promise.above} of {promise.n} OK photos {what}: good parts", *_rates(promise)))
    scores = calibration.ng_scores
    if scores.size:
        escaped = Promise(len(scores), sum(calibration.verdict(float(score)) == "OK" for score in scores))
        rows.append((f"{escaped.above} of {escaped.n} NG photos escape: defects", *_rates(escaped)))
    return _table(rows)


def costs(calibration: Calibration, prices: Prices) -> list[str]:
    """What the model's thresholds cost, and the cheapest ones.

    Raises:
        InputError: the model knows no NG photos.
    """
    from andon.line.costs import cheapest, outcome

    ok, ng = calibration.ok_scores, calibration.ng_scores
    if not ng.size:
        raise InputError(
            "The model knows no NG photos, so nothing can be said of escapes and their costs; calibrate it with some: "
            "andon calibrate MODEL OK_DIR --ng NG_DIR --method percentile."
        )
    now = outcome(ok, ng, calibration.threshold, calibration.review_threshold, prices)
    alone, best = (cheapest(ok, ng, prices, review=review) for review in (False, True))
    rows: Rows = [("Of 1,000 parts", "NG from", "review from", "rejects", "reviews", "escapes", "cost")]
    rows += [_row("the model's thresholds", now), _row("cheapest without review", alone)]
    rows += [_row("cheapest with review", best)] if best.review_threshold is not None else []
    best = min((best, alone, now), key=lambda choice: choice.cost)
    return [
        *_table(rows),
        f"{100 * prices.share_ng:g} % of the parts are defective. The cheapest thresholds are chosen on the very "
        "photos that the model holds; check them with others.",
        "The model's own thresholds are the cheapest." if best == now else f"To take them: {_command(best)}",
    ]


def _command(choice: Outcome) -> str:
    review = "--no-review" if choice.review_threshold is None else f"--review-threshold {choice.review_threshold:.6g}"
    return f"andon calibrate MODEL --threshold {choice.threshold:.6g} {review} -o NEW"


def _row(what: str, choice: Outcome) -> tuple[str, ...]:
    begins = "none" if choice.review_threshold is None else f"{choice.review_threshold:.4g}"
    numbers = (f"{value:.1f}" for value in (choice.rejects, choice.reviews, choice.escapes))
    return (what, f"{choice.threshold:.4g}", begins, *numbers, f"{choice.cost:,.0f}")


def _rates(promise: tuple[int, int]) -> tuple[str, str]:
    from andon.line.promises import Promise, percent

    known = Promise(*promise)
    return percent(known.on_average), percent(known.with_confidence)


def _table(rows: Rows) -> list[str]:
    """The first column to the left, the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for name, *cells in rows
    ]


def _calibration(model: Path) -> Calibration:
    """Raises NotCalibratedError where the model has no threshold."""
    from andon.errors import NotCalibratedError
    from andon.models.header import read_header

    calibration = read_header(model).calibration
    if calibration is None:
        raise NotCalibratedError(f"{model} has no threshold yet; run 'andon calibrate MODEL OK_DIR'.")
    return calibration
