"""andon data: check, begin, find and draw data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli._dataset import NONE_GIVEN, DatasetOptions, takes_dataset

if TYPE_CHECKING:
    from andon.datasets import Verification

MAX_LISTED = 5
INDENT = 9 * " "

app = typer.Typer(no_args_is_help=True, help="Check a data set, begin one, find public ones, draw a synthetic one.")


@app.command()
@takes_dataset
def verify(
    data: Annotated[Path | None, typer.Argument(metavar="DATA", help="Folder that holds the photos.")] = None,
    which: DatasetOptions = NONE_GIVEN,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Read every photo of a data set and say what would make its figures wrong.

    It looks for photos that cannot be read, pictures that occur twice, labels
    that contradict each other, and masks that are missing or do not fit.

    Exit code: 0 nothing is wrong, 1 there are problems, 2 the folder holds no
    data set that Andon can use.

    Example: andon data verify photos/bolt
    """
    from andon import datasets

    dataset = which.read(data)
    found = datasets.verify(dataset)
    typer.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) if as_json else _as_text(found))
    raise typer.Exit(0 if found.is_clean else 1)


def _as_text(found: Verification) -> str:
    lines = [found.dataset.describe(), "", *_table(found.counts()), ""]
    for finding in found.findings:
        lines.append(f"{'PROBLEM' if finding.is_problem else 'Remark '}  {finding.what}")
        for item in finding.items[:MAX_LISTED]:
            lines.append(INDENT + item.replace(" = ", f"\n{INDENT}  = "))
        if len(finding.items) > MAX_LISTED:
            lines.append(f"{INDENT}... and {len(finding.items) - MAX_LISTED} more (--json lists all)")
        lines.append("")
    n_problems = sum(finding.is_problem for finding in found.findings)
    lines.append("Nothing is wrong." if found.is_clean else f"Problems: {n_problems}")
    return "\n".join(lines)


def _table(counts: dict[str, dict[str, int]]) -> list[str]:
    """Aligned lines, one per split, with a column per class."""
    header = ["split", *next(iter(counts.values()))]
    rows = [header, *([split, *map(str, classes.values())] for split, classes in counts.items())]
    return ["".join(f"{cell:<12}" if i == 0 else f"{cell:>12}" for i, cell in enumerate(row)) for row in rows]


@app.command()
def new(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to make; it must be empty or not exist yet.")
    ],
    defect: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Name of a defect that you have photos of. Repeatable.")
    ] = None,
) -> None:
    """Make the empty folders for photos of your own parts, with a README.md that says what goes where.

    Example: andon data new photos/bolt --defect rust --defect scratch
    """
    from andon.datasets import create

    create(folder, defect or ["scratch"])
    typer.echo(
        f"Made {folder}. Put photos of OK parts into {folder / 'train' / 'good'}; {folder / 'README.md'} says more."
    )


@app.command()
def where(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="mvtec, mpdd or visa; leave it out for a list.")
    ] = None,
) -> None:
    """Say where a public data set is obtained, under which licence, and how to unpack it.

    Example: andon data where mvtec
    """
    from andon.datasets import SOURCES
    from andon.errors import DatasetError
    from andon.plugins import suggestion

    if name is None:
        for known, source in SOURCES.items():
            typer.echo(f"{known:<8}{source.title}")
        return
    if name not in SOURCES:
        raise DatasetError(f"Andon does not know the data set {name!r}; {suggestion(name, list(SOURCES))}")
    source = SOURCES[name]
    typer.echo(f"{source.title}\n\nFrom:    {source.url}\nLicence: {source.licence}\n")
    typer.echo("Accept the terms there and download it in a browser. Then unpack and use it:\n")
    for line in (*source.unpack, f"andon data verify {source.data}", f"andon train {source.data}"):
        typer.echo(f"    {line}")


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder to make; it must be empty or not exist yet.")
    ],
    kind: Annotated[Literal["fastener", "canister"], typer.Option(help="What to draw.")] = "fastener",
    seed: Annotated[int, typer.Option(help="The same seed draws the same photos.")] = 0,
) -> None:
    """Draw a synthetic data set with exact masks, OK and with defects.

    fastener: nuts, bolts and screws on four kinds of table.
    canister: a canister on cluttered desks; object_masks says where it is.

    Example: andon data demo photos/demo
    """
    from andon import datasets
    from andon.drawn.canisters import draw_canisters
    from andon.drawn.fasteners import draw_fasteners

    datasets.check_empty(folder)
    (draw_canisters if kind == "canister" else draw_fasteners)(folder, seed=seed)
    typer.echo(f"Drew {folder} ({kind}s). {datasets.read(folder).describe()}")
