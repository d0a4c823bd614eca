"""Options by which commands find the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA = Path("andon-data")

Db = Annotated[
    str | None,
    typer.Option("--db", metavar="URL", help="sqlite:///FILE or postgresql://…; without it, andon.db in --data."),
]
Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the database and the photos.")]
