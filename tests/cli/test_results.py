"""andon db and andon results: the database made, and its inspections in three formats."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from clocks import time_zone
from conftest import Command
from drawn_rows import NOON, drawn_row
from pyarrow import parquet

from andon.store import NewInspection, Store, schema
from andon.store.results import RESULT_COLUMNS


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with three inspections, one hour apart; the second, of station B, was reviewed."""
    folder = tmp_path / "data"
    with Store.open(None, folder) as store:
        for hour, verdict in enumerate(("OK", "review", "NG")):
            row = drawn_row(verdict, at=NOON + timedelta(hours=hour), inspection_id=f"i{hour}", part_id="=1+1")
            store.inspections.add(NewInspection(row=row, station="B" if hour == 1 else "A"))
        store.reviews.add("i1", "OK", by="ann")
        store.reviews.add("i1", "NG", by="bob", note="a dent\nat the rim")
    return folder


def rows_of(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_the_tables_are_made_and_made_once(andon_: Command, tmp_path: Path) -> None:
    first = andon_("db", "upgrade", "--data", tmp_path)
    assert (first.code, first.out) == (0, f"{tmp_path / 'andon.db'}: made the tables (form {schema.newest()}).\n")
    again = andon_("db", "upgrade", "--db", f"sqlite:///{tmp_path / 'andon.db'}")
    assert (again.code, "have the newest form already" in again.out) == (0, True)


def test_json_lines_are_the_row_and_what_people_said(andon_: Command, data: Path) -> None:
    ran = andon_("results", "--data", data, "--format", "jsonl")
    first, second, _ = rows_of(ran.out)
    assert ran.code == 0 and set(first) == set(drawn_row()) | set(RESULT_COLUMNS) - {"model_sha256"}
    assert (first["station"], first["reviewed_as"], first["reviewed_by"], first["review_note"]) == (
        "A",
        None,
        None,
        None,
    )
    assert (second["reviewed_as"], second["reviewed_by"], second["review_note"]) == ("NG", "bob", "a dent\nat the rim")


def test_csv_opens_in_a_spreadsheet(andon_: Command, data: Path) -> None:
    ran = andon_("results", "--data", data)
    header, first, second, third = csv.reader(io.StringIO(ran.out))
    assert tuple(header) == RESULT_COLUMNS
    named = dict(zip(header, second, strict=True))
    assert (named["verdict"], named["part_id"], named["review_note"]) == ("review", "'=1+1", "a dent\\nat the rim")
    assert [dict(zip(header, row, strict=True))["inspected_at"] for row in (first, third)] == [
        "2026-11-26T12:00:00.000Z",
        "2026-11-26T14:00:00.000Z",
    ]


def test_parquet_has_numbers_and_times(andon_: Command, data: Path, tmp_path: Path) -> None:
    ran = andon_("results", "--data", data, "--format", "parquet", "--out", tmp_path / "new" / "results.parquet")
    assert (ran.code, ran.out) == (0, "")
    table = parquet.read_table(tmp_path / "new" / "results.parquet")
    assert tuple(table.column_names) == RESULT_COLUMNS
    _, second, _ = table.to_pylist()
    assert (second["score"], second["inspected_at"], second["reasons"]) == (0.5, NOON + timedelta(hours=1), [])
    assert second["reviewed_at"] > second["inspected_at"] - timedelta(days=3650) and second["reviewed_by"] == "bob"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--since", "2026-11-26T13:00Z"], ["i1", "i2"]),
        (["--until", "2026-11-26T14:00+01:00"], ["i0"]),
        (["--since", "2026-11-26T13:30Z", "--until", "2026-11-27"], ["i2"]),
        (["--station", "B"], ["i1"]),
        (["--verdict", "OK", "--verdict", "NG"], ["i0", "i2"]),
        (["--station", "C"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_only_what_is_asked_for(words: list[str], expected: list[str], andon_: Command, data: Path) -> None:
    ran = andon_("results", "--data", data, "--format", "jsonl", *words)
    assert [row["inspection_id"] for row in rows_of(ran.out)] == expected


def test_times_without_an_offset_are_local(andon_: Command, data: Path) -> None:
    with time_zone("Asia/Tokyo"):  # nine hours ahead
        ran = andon_("results", "--data", data, "--format", "jsonl", "--since", "2026-11-26T22:00")
    assert [row["inspection_id"] for row in rows_of(ran.out)] == ["i1", "i2"]


def test_a_day_whose_first_hour_is_skipped_begins_at_one(andon_: Command, data: Path) -> None:
    """As in Egypt, where daylight saving time begins at midnight."""
    with Store.open(None, data) as store:
        store.inspections.add(NewInspection(row=drawn_row() | {"inspected_at": "2026-04-23T23:30:00+02:00"}))
    with time_zone("Africa/Cairo"):
        ran = andon_("results", "--data", data, "--format", "jsonl", "--since", "2026-04-24", "--until", "2026-05-01")
    assert (ran.code, ran.out) == (0, "")


def test_a_file_is_replaced_only_when_asked(andon_: Command, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    out.write_text("mine")
    words = ("results", "--data", data, "--format", "jsonl", "--out", out)
    refused = andon_(*words)
    assert (refused.code, out.read_text()) == (2, "mine") and "is there already" in refused.err
    assert andon_(*words, "--overwrite").code == 0
    assert len(rows_of(out.read_text())) == 3 and sorted(tmp_path.iterdir()) == [data, out]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since", "yesterday"], "--since 'yesterday' is no time; expected ISO 8601"),
        (["--format", "parquet"], "A Parquet file is not for standard output; give --out FILE."),
        (["--db", "sqlite:////nowhere/andon.db"], "There is no database /nowhere/andon.db"),
        (["--db", "oracle://host/x"], "oracle://host/x is no database that Andon can use"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], sentence: str, andon_: Command, tmp_path: Path) -> None:
    ran = andon_("results", "--data", tmp_path, *words)
    assert (ran.code, ran.out) == (2, "") and ran.err.startswith(f"Error: {sentence}")
    assert list(tmp_path.iterdir()) == []
