"""The row: whatever a command or a pipeline says of a photo fits the one schema that `andon schema` prints."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plate_photos
import pytest
from conftest import Command
from jsonschema import Draft202012Validator, FormatChecker

from andon import images, rows
from andon.line.pipeline import Pipeline, part_id_of
from andon.models.header import read_header
from andon.types import Failure

VALIDATOR = Draft202012Validator(rows.schema(), format_checker=FormatChecker())


def checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row, after the schema was held against it, once it had gone through JSON that knows no NaN."""
    VALIDATOR.validate(parsed(json.dumps(row)))
    return row


def parsed(line: str) -> dict[str, Any]:
    def refuse(word: str) -> None:
        pytest.fail(f"a row holds {word}, which is no JSON")

    row: dict[str, Any] = json.loads(line, parse_constant=refuse)
    return row


def checked_lines(text: str) -> list[dict[str, Any]]:
    """The rows of JSON Lines."""
    return [checked(parsed(line)) for line in text.splitlines()]


@pytest.fixture
def photos(data: Path, tmp_path: Path) -> Path:
    """An OK part, a rusty one, and a file that is no photo; their names tell which part it was and from which side."""
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(data / "test/good/200.png", folder / "A17_top.png")
    shutil.copy(data / "test/rust/300.png", folder / "B4_top.png")
    (folder / "C8_top.png").write_text("no photo, really")
    return folder


def test_the_schema_has_exactly_the_fields_of_a_row_and_all_are_required() -> None:
    schema = rows.schema()
    Draft202012Validator.check_schema(schema)
    region = schema["properties"]["regions"]["items"]
    looks_like = region["properties"]["looks_like"]["oneOf"][1]
    for record, part in (
        (rows.Row, schema),
        (rows.ModelOfRow, schema["properties"]["model"]),
        (rows.RegionOfRow, region),
        (rows.LooksLike, looks_like),
    ):
        names = [field.name for field in fields(record)]
        assert list(part["properties"]) == part["required"] == names
        assert part["additionalProperties"] is False
    assert tuple(schema["properties"]) == rows.COLUMNS
    assert schema["properties"]["schema_version"]["const"] == rows.SCHEMA_VERSION


def test_the_schema_is_printed(andon_: Command) -> None:
    ran = andon_("schema")
    assert ran.code == 0
    assert json.loads(ran.out) == rows.schema()


def test_every_verdict_makes_a_row_of_the_schema(pipeline: Pipeline) -> None:
    calibration = pipeline.calibration
    assert calibration is not None
    banded = replace(pipeline, calibration=replace(calibration, review_threshold=0.0))
    ok, rusty = plate_photos.part(1), plate_photos.rusty(50)[0]
    made = [
        pipeline.inspect(ok).to_row(),
        banded.inspect(ok).to_row(),
        pipeline.inspect(rusty, explain=True).to_row(),
        Failure("a.png", "It is damaged.").to_row(),
    ]
    assert [checked(row)["verdict"] for row in made] == ["OK", "review", "NG", "error"]
    assert [len(row["reasons"]) for row in made] == [0, 1, 1, 1]
    assert [row["review_threshold"] for row in made] == [None, 0.0, None, None]
    assert all(tuple(row) == rows.COLUMNS for row in made)
    assert made[0]["model"] == {"name": "", "sha256": ""}  # it was never saved
    for region in made[2]["regions"]:
        assert region["looks_like"]["photo"].startswith("train/good/") and region["looks_like"]["distance"] > 0
    failed = made[3]
    assert failed["error"] == failed["reasons"][0] == "It is damaged."
    assert [failed[name] for name in ("score", "threshold", "p_value", "sigma", "confidence", "milliseconds")] == [
        None
    ] * 6


def test_a_row_says_what_was_judged_by_what_and_when(andon_: Command, model: Path, photos: Path) -> None:
    before = datetime.now(UTC)
    ok, rusty, failed = made = checked_lines(andon_("inspect", model, photos, "--json").out)
    assert [row["verdict"] for row in made] == ["OK", "NG", "error"]
    assert len({row["inspection_id"] for row in made}) == 3
    for row in made:
        assert row["model"] == {"name": "plates", "sha256": read_header(model).model_id.sha256}
        at = datetime.fromisoformat(row["inspected_at"])
        assert at.utcoffset() == UTC.utcoffset(None) and abs((at - before).total_seconds()) < 60
    assert ok["sha256"] == images.sha256((photos / "A17_top.png").read_bytes()) and failed["sha256"] == ""
    assert rusty["milliseconds"] > 0 and rusty["regions"]
    assert "is not a photo" in failed["error"]


@pytest.mark.parametrize("words", [(), ("--explain",)])
def test_rows_on_screen_and_in_files_fit_the_schema(
    words: tuple[str, ...], andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    shown = checked_lines(andon_("inspect", model, photos, "--json", "--out", tmp_path / "out", *words).out)
    written = checked_lines((tmp_path / "out" / "inspections.jsonl").read_text(encoding="utf-8"))
    assert written == shown and len(shown) == 3
    is_explained = [region["looks_like"] is not None for region in shown[1]["regions"]]
    assert is_explained and set(is_explained) == {bool(words)}


def test_a_table_says_the_same_in_the_columns_that_were_promised(
    andon_: Command, model: Path, photos: Path, tmp_path: Path
) -> None:
    ran = andon_("inspect", model, photos, "--csv", "--part-id-from", "^[A-Z][0-9]+", "--out", tmp_path / "out")
    table = list(csv.DictReader(io.StringIO(ran.out)))
    plain = checked_lines((tmp_path / "out" / "inspections.jsonl").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / "inspections.csv").read_text(encoding="utf-8") == ran.out
    assert ran.out.splitlines()[0].split(",") == list(rows.CSV_COLUMNS)
    assert set(rows.CSV_COLUMNS) == {*rows.COLUMNS, "model_sha256"}
    for cells, row in zip(table, plain, strict=True):
        assert (cells["model"], cells["model_sha256"]) == (row["model"]["name"], row["model"]["sha256"])
        assert json.loads(cells["regions"]) == row["regions"]
        assert (cells["reasons"], cells["notes"]) == ("; ".join(row["reasons"]), "; ".join(row["notes"]))
        for name in ("score", "threshold", "review_threshold", "p_value", "sigma", "confidence", "milliseconds"):
            assert (float(cells[name]) if cells[name] else None) == row[name]
        for name in ("inspection_id", "part_id", "path", "sha256", "inspected_at", "verdict", "error"):
            assert cells[name] == row[name]


@pytest.mark.usefixtures("undrawn")
def test_evaluate_writes_rows_of_the_schema(andon_: Command, model: Path, data: Path, tmp_path: Path) -> None:
    photos = Path(shutil.copytree(data, tmp_path / "plates"))
    (photos / "test" / "rust" / "broken.png").write_bytes(b"rubbish")
    andon_("evaluate", model, photos, "--out", tmp_path / "out", "--explain")
    made = checked_lines((tmp_path / "out" / "inspections.jsonl").read_text(encoding="utf-8"))
    assert sorted(row["verdict"] for row in made) == ["NG", "NG", "OK", "OK", "error"]
    assert any(region["looks_like"] for row in made for region in row["regions"])


def test_a_part_id_comes_from_python_or_from_the_file_name(
    pipeline: Pipeline, andon_: Command, model: Path, photos: Path
) -> None:
    assert checked(pipeline.inspect(plate_photos.part(1), part_id="P-7").to_row())["part_id"] == "P-7"
    assert checked(pipeline.inspect(plate_photos.part(1)).to_row())["part_id"] is None
    results = pipeline.inspect_batch([photos / "A17_top.png"], part_id_from=re.compile("^[^_]+"))
    assert [result.part_id for result in results] == ["A17"]

    for pattern, expected in (
        ("(.+)_top", ["A17", "B4", "C8"]),
        ("^A[0-9]+", ["A17", None, None]),
        ("lot_(.+)", [None, None, None]),
    ):
        ran = andon_("inspect", model, photos, "--json", "--part-id-from", pattern)
        assert [row["part_id"] for row in checked_lines(ran.out)] == expected  # of the file that is no photo too
        assert ("No row has a part id: --part-id-from 'lot_(.+)'" in ran.err) == (not any(expected))
    refused = andon_("inspect", model, photos, "--part-id-from", "(.+")
    assert refused.code == 2 and refused.out == ""
    assert re.fullmatch(
        r"Error: --part-id-from '\(\.\+' is not a regular expression \(.*\); for example .*\.\n", refused.err
    )


def test_only_the_file_name_is_searched_for_the_part_id() -> None:
    assert part_id_of("lot_9/part_3.png", re.compile("_([0-9]+)")) == "3"
    assert part_id_of(plate_photos.part(1), re.compile(".*")) is None
