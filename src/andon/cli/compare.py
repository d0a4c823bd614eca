"""andon compare: which method is better on these photos, and whether the photos can tell."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from andon.cli import _options as options
from andon.cli._dataset import NONE_GIVEN, DatasetOptions, SessionFrom, takes_dataset
from andon.errors import InputError

EXIT_INPUT = 2
CORES = 4  # of a trial on a cluster, where nobody has said


@takes_dataset
def command(
    data: Annotated[Path | None, typer.Argument(metavar="DATA", help="Data set with labelled photos.")] = None,
    detectors: Annotated[
        str | None, typer.Option(help="Detectors, separated by commas; by default the recipe's own.")
    ] = None,
    backbones: Annotated[
        str | None, typer.Option(help="Backbones, separated by commas; each detector is tried on each.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Recipes or .toml files, separated by commas.")] = "default",
    weights: Annotated[
        list[str] | None,
        typer.Option(metavar="BACKBONE=PATH", help="A backbone's weights file, as backbone=path. Repeatable."),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="Compare on this many folds of the photos to learn from.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.html and finished results, which are reused.")
    ] = None,
    as_json: options.AsJson = False,
    false_reject_rate: options.FalseRejectRate = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    which: DatasetOptions = NONE_GIVEN,
    session_from: SessionFrom = None,
    allow_duplicates: options.AllowDuplicates = False,
    precision: options.Precision = "auto",
    engine: Annotated[Literal["local", "ray"], typer.Option(help="What runs the trials.")] = "local",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster; without it, one on this computer.")] = None,
    cores: Annotated[int | None, typer.Option(min=1, help="Of each trial on Ray; 4 at most unless given.")] = None,
) -> None:
    """Train several methods with the same photos and say where they differ.

    Every method gets the same photos, seed and promise. Differences come with
    intervals, so that a difference that these photos cannot show is not
    claimed. Without --folds the test photos decide; with --folds 3 they stay
    untouched. With --out, finished results are used again.

    With --engine ray, trials run side by side on a cluster, whose computers must
    all see the photos and --out at the same paths; their times and memory are
    then those of different computers, and of trials that disturb each other.

    Exit code: 0 all methods were compared, 2 bad input or a method failed.

    Example: andon compare photos/bolt --detectors patchcore,padim --out compared
    """
    from andon import datasets, resources
    from andon.comparison import OnRay, compare, figures_of, plan
    from andon.comparison.methods import methods
    from andon.comparison.report import as_text, write_folder
    from andon.files import locked
    from andon.images import mark_output

    runs = None if engine == "local" else OnRay(address, cores or min(CORES, resources.cpus()))
    if runs is None and not (address is None and cores is None):
        raise InputError("--address and --cores are of a Ray cluster; add --engine ray.")
    if address is not None and out is None:
        raise InputError("The computers of a cluster need a folder that all of them see; give it with --out.")
    if out is not None:
        mark_output(out)
    shared = options.promise(false_reject_rate) | {"training.seed": seed}
    chosen = methods(recipe, detectors, backbones, weights or (), settings or (), shared)
    dataset = which.read(data, also_ng=[name for method in chosen for name in method.recipe.data.ng_names])
    dataset = datasets.with_sessions(dataset, session_from)
    todo = plan(dataset, folds, chosen[0].recipe.training.seed, allow_duplicates=allow_duplicates)
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(locked(folder))
        comparison = compare(todo, chosen, folder, precision=precision, engine=runs)
        figures = figures_of(comparison)
        if out is not None:
            write_folder(out, comparison, chosen, figures)
    typer.echo(json.dumps(figures, indent=2, ensure_ascii=False) if as_json else as_text(figures))
    if out is not None:
        typer.echo(f"Report: {out / 'comparison.html'}", err=as_json)
    if figures["failed"]:
        raise typer.Exit(EXIT_INPUT)
