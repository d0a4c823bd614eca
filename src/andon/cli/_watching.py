"""Options of commands that watch folders."""

from __future__ import annotations

from typing import Annotated

import typer

Recursive = Annotated[bool, typer.Option("--recursive", help="Look into the folders below a watched one, too.")]
Pattern = Annotated[str, typer.Option(help="Of the names of watched files, such as 'cam1_*.png'.")]
Afterwards = Annotated[
    str,
    typer.Option(
        metavar="leave|tag|move:DIR",
        help="What becomes of a file that was inspected: it is left, its row is written beside it, or it is moved.",
    ),
]
Every = Annotated[float, typer.Option(min=0.05, help="Seconds between two looks into a watched folder.")]
Settle = Annotated[float, typer.Option(min=0, help="Seconds that a file's size and time must have rested.")]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds after which a resting file that is no photo is an error.")
]
