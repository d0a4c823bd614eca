"""andon calibrate: set the threshold of a model again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli import _options as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.line.calibration import Method


def command(
    model: options.Model,
    ok: Annotated[Path, typer.Argument(metavar="OK_DIR", help="OK photos that the model was not trained with.")],
    method: Annotated[
        Literal["percentile", "conformal", "target-recall"] | None,
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
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Model file to write; MODEL-calibrated, or with --overwrite MODEL itself."),
    ] = None,
    overwrite: options.Overwrite = False,
    weights: options.Weights = None,
) -> None:
    """Set the threshold again, from OK photos, or to catch a share of NG photos.

    percentile: the score below which that share of the OK photos lies.
    conformal: holds the false-reject rate for new parts like these, whatever
    their scores look like; needs at least 1 / rate - 1 photos.
    target-recall: catches that share of the NG photos, whatever it rejects.

    Example: andon calibrate bolt.safetensors more_ok/ --false-reject-rate 0.01
    """
    from dataclasses import replace

    from andon.models.file import ensure_writable
    from andon.models.load import load_taught
    from andon.models.save import save
    from andon.teaching.thresholds import recalibrate

    target = output or (model if overwrite else model.with_stem(f"{model.stem}-calibrated"))
    ensure_writable(target, overwrite=overwrite)
    before = load_taught(model, weights=weights)
    given = {
        "percentile": percentile,
        "false_reject_rate": false_reject_rate,
        "recall": recall,
        "review_percentile": review_percentile,
    }
    rule = replace(
        before.recipe.calibration,
        method=method or _implied_method(given, ng, before.recipe.calibration.method),
        **{name: value for name, value in given.items() if value is not None},
    )
    taught = recalibrate(before, rule, _photos(ok, ng=False), [] if ng is None else _photos(ng, ng=True))
    save(taught, target, bundle_backbone=before.is_bundled, overwrite=overwrite)
    assert taught.calibration is not None
    typer.echo(taught.calibration.describe())
    typer.echo(f"Model: {target}")


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
