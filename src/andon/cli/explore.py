"""andon explore: a first look at a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from andon.cli._dataset import NONE_GIVEN, DatasetOptions, takes_dataset

EXIT_INPUT = 2


@takes_dataset
def command(
    data: Annotated[Path | None, typer.Argument(metavar="DATA", help="Folder that holds the photos.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for exploration.html, plots and sample sheets.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    which: DatasetOptions = NONE_GIVEN,
) -> None:
    """Look at a data set before training: samples and colours of each class.

    It says how far colours alone tell OK from NG, which any detector has to
    beat, and which OK photos look unlike the others.

    Exit code: 0 all photos were read, 2 bad input or a photo cannot be read.

    Example: andon explore photos/bolt --out first_look
    """
    from andon.exploration import explore
    from andon.exploration.report import as_text, write_folder
    from andon.images import mark_output

    if out is not None:
        mark_output(out)
    dataset = which.read(data)
    for remark in dataset.remarks:
        typer.echo(remark, err=True)
    found = explore(dataset)
    if out is not None:
        write_folder(out, dataset.root.resolve().name, found)
    typer.echo(json.dumps(found.figures, indent=2, ensure_ascii=False) if as_json else as_text(found.figures))
    if out is not None:
        typer.echo(f"Report: {out / 'exploration.html'}", err=as_json)
    if found.figures["failures"]:
        raise typer.Exit(EXIT_INPUT)
