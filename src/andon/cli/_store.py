"""Options by which commands find the database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

DATA = Path("andon-data")
DAYS = 90

Db = Annotated[
    str | None,
    typer.Option("--db", metavar="URL", help="sqlite:///FILE or postgresql://…; without it, andon.db in --data."),
]
Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the database and the photos.")]
KeepDays = Annotated[int, typer.Option(help="Days that photos are kept; 0 for ever.", min=0)]
KeepGb = Annotated[float, typer.Option(help="GB of photos that are kept; 0 for all the disk takes.", min=0)]


def keep_for(days: int) -> timedelta | None:
    """What --keep-days means; None for ever."""
    return timedelta(days=days) if days else None


def keep_bytes(gb: float) -> int | None:
    """What --keep-gb means; None for all the disk takes."""
    return int(gb * 1e9) if gb else None
