"""andon results: inspections out of the database, for reports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from andon.cli import _store as options
from andon.errors import InputError

if TYPE_CHECKING:
    from andon.store.results import Result

Format = Literal["csv", "jsonl", "parquet"]
TIMES = "Time or day as ISO 8601, such as 2026-11-26 or 2026-11-26T06:00; without an offset, in the local time zone."


def command(
    db: options.Db = None,
    data: options.Data = options.DATA,
    how: Annotated[Format, typer.Option("--format", help="parquet needs --out.")] = "csv",
    since: Annotated[str | None, typer.Option(metavar="TIME", help=f"From then on. {TIMES}")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then; likewise.")] = None,
    station: Annotated[str | None, typer.Option(help="Of this station alone.")] = None,
    verdict: Annotated[
        list[str] | None, typer.Option(metavar="VERDICT", help="Of this verdict alone. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; without it, standard output.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
) -> None:
    """Write the inspections of a database, oldest first: the row of each, its station and its review.

    The columns are those of andon inspect, and station, reviewed_as,
    reviewed_by, reviewed_at and review_note.

    Example: andon results --db sqlite:///andon-data/andon.db --format parquet --since 2026-11-01 --out november.parquet
    """
    from andon.store import Filter, Store
    from andon.store.results import results

    if how == "parquet":
        from andon.store import parquet  # noqa: F401 - whether it is there is said before any work
    if how == "parquet" and out is None:
        raise InputError("A Parquet file is not for standard output; give --out FILE.")
    if out is not None and out.exists() and not overwrite:
        raise InputError(f"{out} is there already; choose another name, or replace it with --overwrite.")
    wanted = Filter(
        verdicts=verdict or (), station=station, since=_time("--since", since), until=_time("--until", until)
    )
    with Store.open(db, data, create=False) as store:
        found = results(store, wanted)
        if out is None:
            for line in _lines(found, how):
                typer.echo(line)
            return
        with _whole(out) as beside:
            _write(beside, found, how)


def _write(path: Path, found: Iterable[Result], how: Format) -> None:
    if how == "parquet":
        from andon.store.parquet import write_parquet

        write_parquet(path, found)
        return
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.writelines(f"{line}\n" for line in _lines(found, how))


def _lines(found: Iterable[Result], how: Format) -> Iterator[str]:
    from andon.reports.row_files import csv_line
    from andon.store.results import RESULT_COLUMNS

    if how == "csv":
        yield csv_line(RESULT_COLUMNS)
    for result in found:
        yield csv_line(result.to_csv_cells()) if how == "csv" else json.dumps(result.to_dict(), ensure_ascii=False)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside it to write to, which takes its place at the end, and goes if that is not reached."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.unfinished")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _time(option: str, text: str | None) -> datetime | None:
    """Raises:
    InputError: it is no time.
    """
    from andon.server.clock import moment

    try:
        return None if text is None else moment(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise InputError(
            f"{option} {text!r} is no time; expected ISO 8601, such as 2026-11-26 or 2026-11-26T06:00+01:00."
        ) from None
