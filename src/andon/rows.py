"""The row: what Andon says of one photo, flat and versioned, the same in CSV, JSON Lines, over HTTP and in a database.

`row.schema.json` beside this file is its JSON Schema, which `andon schema` prints; docs/rows.md explains it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

SCHEMA_VERSION = 1
"""Raised whenever a reader of older rows would stumble: a field is renamed, dropped or means something else."""

VERDICTS = ("OK", "review", "NG", "invalid", "error")
"""In the order in which people are told of them."""

PART_VERDICTS = VERDICTS[:3]
"""Those that say something of a part: the photo could be inspected, and shows one."""

SCHEMA_FILE = Path(__file__).with_name("row.schema.json")

Cells = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LooksLike:
    """The OK photo that a region looks most like, and how far its nearest patch is."""

    photo: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class RegionOfRow:
    """A half-open box in the photo file's pixels; see `types.Region`."""

    x0: int
    y0: int
    x1: int
    y1: int
    area_px: int
    peak: float
    mean: float
    looks_like: LooksLike | None


@dataclass(frozen=True, kw_only=True)
class ModelOfRow:
    """Which model judged: its file's name without ending, and the digest of its content in hex."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """Attributes:
    inspection_id: of this one inspection, unlike any other.
    part_id: of the part, where it is known.
    sha256: of the photo's file in hex; "" where it could not be read.
    inspected_at: in UTC, as ISO 8601.
    verdict: OK, review, NG, invalid or error.
    reasons: why, in sentences; empty for OK.
    score, threshold, review_threshold, p_value, sigma, confidence: None where there is no score, and
        `review_threshold` where the model has no review band.
    notes: what else is to be known of this photo.
    milliseconds: of work, from file to verdict.
    error: why the photo could not be inspected, else "".
    """

    schema_version: int = SCHEMA_VERSION
    inspection_id: str
    part_id: str | None
    path: str
    sha256: str
    model: ModelOfRow
    andon_version: str
    inspected_at: str
    verdict: str
    reasons: tuple[str, ...] = ()
    score: float | None = None
    threshold: float | None = None
    review_threshold: float | None = None
    p_value: float | None = None
    sigma: float | None = None
    confidence: float | None = None
    regions: tuple[RegionOfRow, ...] = ()
    notes: tuple[str, ...] = ()
    milliseconds: float | None = None
    error: str = ""

    def to_dict(self) -> Cells:
        """Plain values that JSON knows, in the order of the schema."""
        plain: Cells = asdict(self)
        return plain | {name: list(plain[name]) for name in ("reasons", "regions", "notes")}


COLUMNS = tuple(field.name for field in fields(Row))
"""The keys of `Row.to_dict`, in order."""

CSV_COLUMNS = tuple(column for name in COLUMNS for column in ((name, "model_sha256") if name == "model" else (name,)))
"""A table has no objects, so the model takes two columns."""


FORMULA = ("=", "+", "-", "@")
"""A cell of text that begins so would be computed by a spreadsheet; an apostrophe before it says that it is text."""


def csv_cells(row: Cells) -> list[Any]:
    """The values of `Row.to_dict` in the order of `CSV_COLUMNS`: regions as JSON, reasons and notes as text."""
    flat = row | {
        "model": row["model"]["name"],
        "model_sha256": row["model"]["sha256"],
        "reasons": "; ".join(row["reasons"]),
        "regions": json.dumps(row["regions"]),
        "notes": "; ".join(row["notes"]),
    }
    return [csv_cell(flat[name]) for name in CSV_COLUMNS]


def printable(text: str) -> str:
    """The text with control characters shown rather than sent: a file's name must not command a terminal."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def utf8(text: str) -> str:
    r"""The text as UTF-8 can hold it: of a file's name that is not, the odd bytes become like "\udcff"."""
    return text.encode(errors="backslashreplace").decode()


def csv_cell(cell: Any) -> Any:
    """The value as CSV has it: a text that no spreadsheet takes for a formula, without line ends and the like."""
    if not isinstance(cell, str):
        return cell
    return f"'{printable(cell)}" if cell.startswith(FORMULA) else printable(cell)


def schema() -> Cells:
    """The JSON Schema (draft 2020-12) of a row."""
    content: Cells = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return content
