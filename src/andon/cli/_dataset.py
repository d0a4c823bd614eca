"""The options that say which photos a data set holds and which of them are OK, for every command that takes one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from andon.datasets import Dataset

Layout = Annotated[
    str | None,
    typer.Option(help="Read DATA as this layout, such as folder, mvtec, table or coco; by default it is recognised."),
]
OkNames = Annotated[
    list[str] | None,
    typer.Option("--ok-name", help="Name for OK: how folders, labels or photos that are OK begin. Repeatable."),
]
NgNames = Annotated[list[str] | None, typer.Option("--ng-name", help="Name for NG, likewise. Repeatable.")]
OkFolders = Annotated[
    list[Path] | None,
    typer.Option("--ok", help="Folder of OK photos, whatever its name, in place of DATA. Repeatable."),
]
NgFolders = Annotated[list[Path] | None, typer.Option("--ng", help="Folder of NG photos, beside --ok. Repeatable.")]
NgFrom = Annotated[
    float | None, typer.Option(help="Where a table holds probabilities: NG from this one on, for example 0.5.")
]
IgnoreLabels = Annotated[
    bool, typer.Option("--ignore-labels", help="Use folder names alone; ignore tables, annotations and masks.")
]
Exclude = Annotated[
    Path | None,
    typer.Option(help="Text file of photos to leave out, one a line; by default exclude.txt in DATA, if it is there."),
]
SessionFrom = Annotated[
    str | None,
    typer.Option(
        metavar="REGEX|folder|date|none",
        help="What tells apart photos that were not taken in one go: a pattern in file names, folders, EXIF dates.",
    ),
]


def as_words(
    data: Path | None,
    layout: str | None,
    *,
    ok_name: Sequence[str] | None,
    ng_name: Sequence[str] | None,
    ok: Sequence[Path] | None,
    ng: Sequence[Path] | None,
) -> str:
    """The options that say which photos they are, as they are typed in a shell."""
    words = [] if data is None else [str(data)]
    given = (
        ("--layout", [layout] if layout else []),
        ("--ok-name", ok_name),
        ("--ng-name", ng_name),
        ("--ok", ok),
        ("--ng", ng),
    )
    for option, values in given:
        for value in values or ():
            words += [option, str(value)]
    return shlex.join(words)


def read_dataset(
    data: Path | None,
    layout: str | None,
    *,
    ok_name: Sequence[str] | None,
    ng_name: Sequence[str] | None,
    ok: Sequence[Path] | None,
    ng: Sequence[Path] | None,
    ng_from: float | None,
    ignore_labels: bool,
    also_ng: Sequence[str] = (),
) -> Dataset:
    """The data set that the options name.

    Args:
        also_ng: what a recipe calls NG.

    Raises:
        InputError: neither or both of DATA and --ok are given, or an option that does not go with --ok.
        DatasetError: it cannot be read as a data set.
    """
    from andon import datasets
    from andon.errors import InputError

    if not ok and not ng:
        if data is None:
            raise InputError("No photos are given; give the folder that holds them, or folders with --ok and --ng.")
        return datasets.read(
            data,
            layout,
            ng_name or (),
            ok_name or (),
            also_ng=also_ng,
            ng_from=ng_from,
            ignore_labels=ignore_labels,
        )
    if data is not None:
        raise InputError(f"{data} and folders with --ok or --ng are given; give one or the other.")
    if layout or ok_name or ng_name or ng_from is not None or ignore_labels:
        raise InputError(
            "--ok and --ng already say which photos are OK and NG; leave --layout, --ok-name, --ng-name, --ng-from and "
            "--ignore-labels out."
        )
    return datasets.from_folders(ok or (), ng or ())
