"""andon demo: from drawn photos to a report, in one go."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from andon.errors import InputError

FOLDER = Path("demo")


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for photos, model and report.")] = FOLDER,
    seed: Annotated[int, typer.Option(help="The same seed gives the same photos and model.")] = 0,
) -> None:
    """Draw a set of nuts, bolts and screws, train a model, and write a report.

    Nothing is downloaded. It takes one to three minutes on two cores.

    Example: andon demo
    """
    from andon import datasets, recipes
    from andon.drawn.fasteners import draw_fasteners
    from andon.evaluation import describe_metrics
    from andon.evaluation.headlines import HEADLINES
    from andon.models.file import ensure_writable
    from andon.models.save import save
    from andon.reports.evaluation import evaluate
    from andon.reports.figures import answer_as_text, as_text
    from andon.teaching.train import teach

    photos, model, report = folder / "fasteners", folder / "model.safetensors", folder / "report"
    if folder.is_dir() and any(folder.iterdir()) and not model.exists():
        raise InputError(f"{folder} is not empty and holds no demo; give the name of a new folder.")
    ensure_writable(model, overwrite=True)
    describe_metrics()  # one that cannot be used is told of before the work, not after it
    typer.echo(f"Drawing nuts, bolts and screws into {photos}", err=True)
    draw_fasteners(photos, seed=seed)
    dataset = datasets.read(photos)
    taught = teach(recipes.build("default", [f"training.seed={seed}"]), dataset)
    model.unlink(missing_ok=True)  # of the last demo
    save(taught, model)
    figures = evaluate(taught, dataset, model_file=model, out=report)
    typer.echo(answer_as_text(figures["in_words"]))
    typer.echo(as_text(figures, HEADLINES))
    typer.echo(f"Report: {report / 'report.html'}")
    typer.echo(f"Next: {next_command(model, photos / 'test', folder / 'inspected')}")


def next_command(model: Path, photos: Path, out: Path) -> str:
    """The command line that inspects the photos, as it works when it is typed here."""
    program = sys.argv[0] if shutil.which("andon") is None else "andon"
    words = [sys.executable, "-m", "andon"] if program.endswith(".py") else [program]
    words += ["inspect", str(model), str(photos), "--out", str(out), "--visualize"]
    return " ".join(f'"{word}"' if " " in word else word for word in words)
