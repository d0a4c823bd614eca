"""andon check: does a model's promise hold on another day?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from andon.cli import _options as options

if TYPE_CHECKING:
    from andon.teaching.check import Checked

EXIT_BROKEN, EXIT_INPUT = 1, 2


def command(
    model: options.Model,
    ok: Annotated[
        Path, typer.Argument(metavar="OK_DIR", help="OK photos of another day, which the model has not seen.")
    ],
    as_json: options.AsJson = False,
    weights: options.Weights = None,
    precision: options.Precision = "auto",
) -> None:
    """Say whether a model rejects no more good parts than it promises.

    For the first morning of another day, after a lamp was changed or a camera
    was moved: photograph some good parts, all sure to be OK, and check.

    Exit code: 0 the promise is kept or the photos are too few to tell,
    1 it is broken, 2 bad input or a photo could not be inspected.

    Example: andon check bolt.safetensors tuesday_ok/
    """
    from andon.cli._photos import photos_of_one_class
    from andon.models.trained import load_taught
    from andon.teaching.check import check, in_words

    checked = check(load_taught(model, weights=weights, precision=precision), photos_of_one_class(ok, ng=False))
    for failure in checked.failures:
        typer.echo(f"Error: {failure}", err=True)
    if as_json:
        typer.echo(json.dumps(checked.to_tree(), indent=2, ensure_ascii=False))
    else:
        typer.echo(in_words(checked))
        for line in to_do(checked, model, ok):
            typer.echo(line)
    if checked.failures:
        raise typer.Exit(EXIT_INPUT)
    if checked.outcome == "broken":
        raise typer.Exit(EXIT_BROKEN)


def to_do(checked: Checked, model: Path, ok: Path) -> list[str]:
    """What to look at and what to do next, in lines."""
    from andon.rows import printable

    rejected = checked.of("NG")
    lines = [f"Rejected, to be looked at: {printable(str(one.path))} ({one.score:.4g})" for one in rejected]
    lines += [
        f"Invalid, to be looked at: {printable(str(one.path))} ({' '.join(one.reasons)})"
        for one in checked.of("invalid")
    ]
    again = f"andon calibrate {model} {ok}"
    if checked.outcome == "broken":
        lines += [
            f"If all of these parts are good, set the threshold again with these photos: {again}",
            "Better, train again with them beside the old ones, each day in a folder of its own, so that the model "
            "knows more than one day.",
        ]
    elif checked.outcome == "too few":
        lines += [f"Photograph more good parts and check again, or set the threshold with these as well: {again}"]
    return lines
