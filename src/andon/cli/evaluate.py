"""andon evaluate: figures, pictures and a report from labelled photos."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from andon.cli import _options as options
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, takes_dataset

EXIT_INPUT = 2


@takes_dataset
def command(
    model: options.Model,
    data: Annotated[Path | None, typer.Argument(metavar="DATA", help="Data set with labelled test photos.")] = None,
    as_json: options.AsJson = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, figures.json, inspections and pictures.")
    ] = None,
    explain: options.Explain = False,
    keep_calibrated: Annotated[
        bool,
        typer.Option("--keep-calibrated", help="Evaluate photos that had a say in the threshold, too, and say so."),
    ] = False,
    which: DatasetOptions = NONE_GIVEN,
    no_guard: options.NoGuard = False,
    weights: options.Weights = None,
    precision: options.Precision = "auto",
) -> None:
    """Inspect the labelled test photos of DATA and say how well the model does.

    It begins with the answer: how many defects escape, how many good parts are
    rejected, and what a person must see. A figure that has no meaning on these photos is reported as undefined, with
    the reason. 95 % intervals say how far a figure can be trusted.

    Example: andon evaluate bolt.safetensors photos/bolt --out evaluation
    """
    from andon.models.trained import load_taught
    from andon.reports.evaluation import evaluate
    from andon.reports.figures import answer_as_text, as_text

    taught = load_taught(model, weights=weights, precision=precision)
    if no_guard:
        taught = replace(taught, pipeline=replace(taught.pipeline, guard=None))
    dataset = which.read(data, also_ng=taught.recipe.data.ng_names)
    figures = evaluate(taught, dataset, model_file=model, out=out, explain=explain, keep_calibrated=keep_calibrated)
    if as_json:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        typer.echo(answer_as_text(figures["in_words"]))
        typer.echo(as_text(figures, figures["metrics"]))
    if out is not None:
        typer.echo(f"Report: {out / 'report.html'}", err=as_json)
    if figures["failures"]:
        raise typer.Exit(EXIT_INPUT)
