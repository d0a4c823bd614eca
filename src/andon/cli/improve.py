"""andon improve: a better version of a model from photos that people have reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from andon.cli import _options as options
from andon.cli import _store as store_options

EXIT_NOT_WRITTEN = 1
BY = "andon improve"


def command(
    model: options.Model,
    db: store_options.Db = None,
    data: store_options.Data = store_options.DATA,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Model file to write; if left out, MODEL-2, MODEL-3 and so on."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="What the model is called in the database, if otherwise than its file, as an exported one may."
        ),
    ] = None,
    weights: options.Weights = None,
) -> None:
    """Make a new version of a patchcore model from the photos that were reviewed.

    What people call OK joins the memory bank, and the thresholds are drawn
    again by the model's own rule. What they call NG, and every fifth OK photo,
    is the golden set: it never teaches, and judges the old and the new version.
    The new one is written only if its promise holds and it misses no golden NG
    photo that the old one caught. MODEL itself stays as it is.

    Exit code: 0 offered and written, 1 nothing written, as it was refused or
    nothing was reviewed since it was last offered, 2 bad input.

    Example: andon improve bolt.safetensors --db sqlite:///andon-data/andon.db -o bolt-2.safetensors
    """
    from andon.improving import free_name, improve, offer
    from andon.improving.improve import NothingNewError, ensure_new
    from andon.improving.words import after_offering, in_words
    from andon.rows import printable
    from andon.store import PhotoStore, Store

    target = output or free_name(model)
    with Store.open(db, data, create=False) as store:
        ensure_new(target)
        try:
            improvement = improve(model, store, PhotoStore(data), name=name, weights=weights)
        except NothingNewError as error:
            typer.echo(printable(str(error)), err=True)
            raise typer.Exit(EXIT_NOT_WRITTEN) from None
        for line in in_words(improvement):
            typer.echo(printable(line))
        if not improvement.is_offered:
            raise typer.Exit(EXIT_NOT_WRITTEN)
        offer(improvement, target, store, by=BY)
    for line in after_offering(target, model, improvement.name):
        typer.echo(printable(line))
