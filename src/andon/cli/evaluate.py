"""andon evaluate: figures, pictures and a report from labelled photos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

EXIT_INPUT = 2


def command(
    model: Annotated[Path, typer.Argument(help="Model file made by andon train.")],
    data: Annotated[Path, typer.Argument(help="Data set with labelled test photos.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.html, figures.json, inspections and pictures.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show which OK photo each region looks most like.")
    ] = False,
    layout: Annotated[str | None, typer.Option(help="Read DATA as this layout: folder, mvtec or roboflow.")] = None,
    ng_name: Annotated[
        list[str] | None,
        typer.Option(help="What NG is called: beginning of a label (roboflow) or a folder. Repeatable."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="The backbone's weights, where they have moved.")] = None,
    precision: Annotated[
        Literal["auto", "f32", "bf16"], typer.Option(help="What the network computes in; auto: bf16 where it is fast.")
    ] = "auto",
) -> None:
    """Inspect the labelled test photos of DATA and say how well the model does.

    A figure that has no meaning on these photos is reported as undefined, with
    the reason. 95 % intervals say how far a figure can be trusted.

    Example: andon evaluate bolt.safetensors photos/bolt --out evaluation
    """
    from andon import datasets
    from andon.evaluation import metrics
    from andon.models.files import load_model
    from andon.reports.evaluation import as_lines, evaluate

    dataset = datasets.read(data, layout, ng_name or ())
    figures = evaluate(
        load_model(model, weights=weights, precision=precision),
        dataset,
        model_name=model.stem,
        out=out,
        explain=explain,
    )
    if as_json:
        typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(as_lines(figures, ("n_ok", "n_ng", "threshold", *metrics.names()))))
    if out is not None:
        typer.echo(f"Report: {out / 'report.html'}", err=as_json)
    if figures["failures"]:
        raise typer.Exit(EXIT_INPUT)
