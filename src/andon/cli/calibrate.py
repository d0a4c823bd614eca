"""andon calibrate: set the threshold of a model again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from andon.cli import _options as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.line.rules import CalibrationRule, Method
    from andon.models.taught import Taught


def command(
    model: options.Model,
    ok: Annotated[
        Path | None,
        typer.Argument(metavar="OK_DIR", help="OK photos that the model was not trained with; not with --threshold."),
    ] = None,
    method: Annotated[
        Literal["percentile", "conformal", "tail-fit", "target-recall"] | None,
        typer.Option(help="How the threshold is set; if left out, it follows from the other options."),
    ] = None,
    percentile: Annotated[float | None, typer.Option(help="Percentile of the OK scores, for example 99.")] = None,
    false_reject_rate: Annotated[
        float | None, typer.Option(help="Share of good parts that may be rejected, for example 0.01 (conformal).")
    ] = None,
    ng: Annotated[Path | None, typer.Option(help="Labelled NG photos (target-recall).")] = None,
    recall: Annotated[float | None, typer.Option(help="Share of NG photos to catch, for example 0.95.")] = None,
    review_percentile: Annotated[
        float | None, typer.Option(help="Review from this percentile of the OK scores up to the threshold.")
    ] = None,
    review: options.Review = None,
    threshold: Annotated[float | None, typer.Option(help="NG from this score on; needs no photos.")] = None,
    review_threshold: Annotated[
        float | None, typer.Option(help="Review from this score on, up to the threshold; needs no photos.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Model file to write; MODEL-calibrated, or with --overwrite MODEL itself."),
    ] = None,
    overwrite: options.Overwrite = False,
    weights: options.Weights = None,
) -> None:
    """Set the threshold again: from OK photos, to catch a share of NG photos, or by hand.

    percentile: the score below which that share of the OK photos lies; of ten
    photos or more at least one lies above it.
    conformal: holds the false-reject rate for new parts like these, on average
    over calibrations; needs at least 1 / rate - 1 photos.
    tail-fit: the percentile of a normal distribution that fits the logarithms
    of the scores; no single photo moves it.
    target-recall: catches that share of the NG photos, whatever it rejects.

    Example: andon calibrate bolt.safetensors more_ok/ --false-reject-rate 0.01

    Example: andon calibrate bolt.safetensors --threshold 1.44 -o bolt2.safetensors
    """
    from andon.models.file import ensure_writable
    from andon.models.save import save
    from andon.models.trained import load_taught
    from andon.teaching.by_hand import rethreshold, what_changes
    from andon.teaching.thresholds import recalibrate

    rule_options = {
        "percentile": percentile,
        "false_reject_rate": false_reject_rate,
        "recall": recall,
        "review_percentile": review_percentile,
    }
    by_hand = threshold is not None or review_threshold is not None
    _check(ok, by_hand, given={**rule_options, "method": method, "ng": ng}, review=review)
    target = output or (model if overwrite else model.with_stem(f"{model.stem}-calibrated"))
    ensure_writable(target, overwrite=overwrite)
    before = load_taught(model, weights=weights)
    if ok is None:
        taught = rethreshold(before, threshold, review_threshold, review=review is not False)
    else:
        rule = _rule(before, method, rule_options, ng, review)
        taught = recalibrate(before, rule, _photos(ok, ng=False), [] if ng is None else _photos(ng, ng=True))
    save(taught, target, bundle_backbone=before.is_bundled, overwrite=overwrite)
    assert taught.calibration is not None
    typer.echo(taught.calibration.describe())
    if before.calibration is not None:
        typer.echo(what_changes(before.calibration, taught.calibration))
    typer.echo(f"Model: {target}")


def _check(ok: Path | None, by_hand: bool, *, given: dict[str, Any], review: bool | None) -> None:
    """Refuse options that contradict each other, before any work.

    Raises:
        InputError: they do.
    """
    if not by_hand and ok is None and review is None:
        raise InputError(
            "Neither photos nor a threshold are given; name a folder of OK photos that are new to the model, or give "
            "--threshold X."
        )
    if by_hand and ok is not None:
        raise InputError("--threshold and --review-threshold need no photos; leave the folder or the options out.")
    others = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if ok is None and others:
        raise InputError(f"{' and '.join(others)} need OK photos; name their folder, or leave the options out.")


def _rule(
    before: Taught, method: Method | None, given: dict[str, float | None], ng: Path | None, review: bool | None
) -> CalibrationRule:
    """The model's rule with the options laid over it.

    Raises:
        InputError: the options belong to several methods, or to none and the model's threshold was given by hand.
    """
    old = before.recipe.calibration
    chosen = method or _implied_method(given, ng, old.method)
    if chosen == "given":
        raise InputError(
            "The model's threshold was given by hand; choose with --method how the photos shall set the new one, for "
            "example --method percentile."
        )
    if review is None and given["review_percentile"] is not None:
        review = True
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    values |= {} if review is None else {"review": review}
    return replace(old, method=chosen, given=None, given_review=None, **values)


def _photos(place: Path, *, ng: bool) -> list[Path]:
    """The OK photos, or the NG photos, in a folder that may also hold others; or those that a file or pattern names."""
    from andon import datasets
    from andon.cli._photos import named_photos

    if not place.is_dir():
        return list(named_photos([str(place)]).photos)
    photos, remarks = datasets.photos_of_one_class(place, ng=ng)
    for remark in remarks:
        typer.echo(remark, err=True)
    return photos


def _implied_method(given: dict[str, float | None], ng: Path | None, otherwise: Method) -> Method:
    """The method to which the given options belong.

    Raises:
        InputError: they belong to several.
    """
    methods: dict[Method, bool] = {
        "percentile": given["percentile"] is not None,
        "conformal": given["false_reject_rate"] is not None,
        "target-recall": given["recall"] is not None or ng is not None,
    }
    implied = [method for method, is_implied in methods.items() if is_implied]
    if len(implied) > 1:
        raise InputError(f"The options belong to the methods {' and '.join(implied)}; choose one with --method.")
    return implied[0] if implied else otherwise
