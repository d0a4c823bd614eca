"""Rows of inspections, one per photo, on standard output and in files: written as soon as they are known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self, TextIO

import typer

from andon.errors import InputError
from andon.rows import CSV_COLUMNS, csv_cells, printable

Row = dict[str, Any]
Format = Literal["text", "json", "csv"]
RESULT_FILES = ("inspections.csv", "inspections.jsonl")


def as_text(row: Row) -> str:
    """For people: verdict, score, sigma, p-value and the file."""
    if row["error"]:
        return printable(f"{'error':7} {row['error']}")
    said = [*(row["reasons"] if row["verdict"] == "invalid" else ()), *row["notes"]]
    note = f"  ({'; '.join(said)})" if said else ""
    if like := next((region["looks_like"] for region in row["regions"] if region["looks_like"]), None):
        note += f"  (looks most like a patch of {like['photo']}, at {like['distance']:.4g})"
    return printable(
        f"{row['verdict']:7} score {row['score']:<8.4g} threshold {row['threshold']:<8.4g} {row['sigma']:+z6.1f} sigma"
        f"  p {row['p_value']:<6.3f} {row['path']}{note}"
    )


def as_json(row: Row) -> str:
    """One JSON object."""
    return json.dumps(row, ensure_ascii=False)


def as_csv(row: Row) -> str:
    """Comma-separated values in the order of `CSV_COLUMNS`, numbers with a point."""
    return csv_line(csv_cells(row))


def csv_line(values: Iterable[Any]) -> str:
    """One line of CSV without its line end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


BYTE_ORDER_MARK = "\ufeff"

FORMATS: dict[Format, Callable[[Row], str]] = {"text": as_text, "json": as_json, "csv": as_csv}


def echo(row: Row, how: Format) -> None:
    """Print one row and flush, so that a reader at the other end of a pipe has it at once."""
    typer.echo(FORMATS[how](row))


class RowFile:
    """A CSV or JSON Lines file, by its name's ending, that is whole after every row.

    A file that is there is replaced when the first row comes, not before.

    Args:
        excel: begin CSV with a byte order mark.

    Raises:
        InputError: the folder or the file cannot be written.
    """

    def __init__(self, path: Path, *, excel: bool = False) -> None:
        self._path = path
        self._format: Format = "csv" if path.suffix == ".csv" else "json"
        self._encoding = "utf-8-sig" if excel and self._format == "csv" else "utf-8"
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a"):  # whether it can be written is said before any photo is read
                pass
        except OSError as error:
            raise self._cannot_write(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take was said when the row was written
                self._file.close()

    def write(self, row: Row) -> None:
        """Add one row and flush it."""
        try:
            if self._file is None:
                self._file = self._begun()
            self._file.write(FORMATS[self._format](row) + "\n")
            self._file.flush()
        except OSError as error:
            raise self._cannot_write(error) from None

    def _begun(self) -> TextIO:
        file = self._path.open("w", encoding=self._encoding, errors="backslashreplace", newline="")
        if self._format == "csv":
            file.write(csv_line(CSV_COLUMNS) + "\n")
        return file

    def _cannot_write(self, error: OSError) -> InputError:
        reason = error.strerror or str(error)
        return InputError(
            f"{self._path} cannot be written ({reason}); choose a folder with --out that you may write to."
        )
