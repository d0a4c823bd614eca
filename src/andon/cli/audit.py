"""andon audit: which OK photos are unlike the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from andon.cli import _options as options
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, Exclude, SessionFrom, takes_dataset

OUT = Path("audit")


@takes_dataset
def command(
    data: Annotated[
        Path | None, typer.Argument(metavar="DATA", help="Folder that holds the photos of OK parts.")
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for audit.html, audit.json and a proposed exclude.txt.")
    ] = OUT,
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a .toml file.")] = "default",
    as_json: options.AsJson = False,
    false_reject_rate: options.FalseRejectRate = None,
    review: options.Review = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    which: DatasetOptions = NONE_GIVEN,
    exclude: Exclude = None,
    session_from: SessionFrom = None,
    precision: options.Precision = "auto",
) -> None:
    """Say which OK photos are unlike the others, why, and what they cost.

    Each OK photo is scored by a model that has not seen it. The page shows the
    most unlike ones with their likely reason, the twins, and what the
    thresholds would be without each. Nothing is left out by itself.

    Example: andon audit photos/bolt --recipe fastener --out bolt_audit
    """
    from andon import datasets, recipes
    from andon.audit import audit
    from andon.audit.report import as_text, write_folder
    from andon.images import mark_output

    given = {"calibration.review": review, "training.seed": seed}
    plan = recipes.build(recipe, settings or (), given | options.promise(false_reject_rate))
    dataset = which.read(data, also_ng=plan.data.ng_names)
    dataset = datasets.with_sessions(datasets.excluding(dataset, exclude), session_from)
    for remark in dataset.remarks:
        typer.echo(remark, err=True)
    mark_output(out)
    found = audit(plan, dataset, precision)
    photos = which.as_words(data)
    is_new = write_folder(out, dataset, found, photos if recipe == "default" else f"{photos} --recipe {recipe}")
    typer.echo(json.dumps(found.to_tree(), indent=2, ensure_ascii=False) if as_json else as_text(found))
    proposal = out / datasets.EXCLUDE_FILE
    typer.echo(f"\nReport: {out / 'audit.html'}", err=as_json)
    if is_new:
        typer.echo(f"Proposed for --exclude, every line commented out: {proposal}", err=as_json)
    else:
        typer.echo(f"{proposal} was there before and is kept as it is.", err=as_json)
