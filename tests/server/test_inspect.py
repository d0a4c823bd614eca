"""A photo in, its row out: the same that `andon inspect` prints."""

from __future__ import annotations

import io
import json
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Command
from numpy_scorer import orange_pipeline
from PIL import Image
from serving import NG_PHOTO, OK_PHOTO, PART, Gated, Served, Versions, served, sha

from andon.rows import schema
from andon.server.desk import Incoming

OF_THE_OCCASION = ("inspection_id", "inspected_at", "path", "milliseconds")


def without_occasion(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OF_THE_OCCASION}


def test_the_row_is_that_of_andon_inspect(tmp_path: Path, data: Path, model: Path, andon_: Command) -> None:
    """Also many at once, which are judged in batches."""
    photos = sorted((data / "test").rglob("*.png"))
    ran = andon_("inspect", model, *photos, "--json")
    expected = [json.loads(line) for line in ran.out.splitlines()]
    assert {row["verdict"] for row in expected} == {"OK", "NG"}
    with served(tmp_path / "data", [model]) as running:
        for photo, row in zip(photos, expected, strict=True):
            answer = running.inspect(photo.read_bytes())
            assert answer.status_code == 200
            assert without_occasion(answer.json()) == without_occasion(row)


def test_a_row_keeps_to_its_schema_and_says_what_it_was_told(plain: Served) -> None:
    row = plain.inspect(NG_PHOTO, part_id="A-17", station="cell 3", model="part").json()
    jsonschema.validate(row, schema())
    assert (row["verdict"], row["part_id"], row["model"]["name"]) == ("NG", "A-17", "part")
    found = plain.client.get(f"/v1/inspections/{row['inspection_id']}").json()
    assert found == {"row": row, "station": "cell 3", "photo_kept": True, "reviewed_as": None, "reviews": []}


def test_a_photo_that_cannot_be_judged_is_a_row_all_the_same(plain: Served) -> None:
    row = plain.inspect(NG_PHOTO[: len(NG_PHOTO) // 2]).json()
    assert row["verdict"] == "error"
    assert "damaged or cut short" in row["error"]
    jsonschema.validate(row, schema())
    assert plain.client.get(f"/v1/inspections/{row['inspection_id']}").json()["row"] == row


def test_photos_of_several_sizes_are_judged_side_by_side(plain: Served) -> None:
    """A batch of the scorer holds photos of one size."""
    jobs = []
    for size in ((96, 144), (64, 64), (96, 144), (80, 48)):
        data = io.BytesIO()
        Image.new("RGB", size, (200, 90, 20)).save(data, "PNG")
        jobs.append(plain.station.submit(Incoming(data=data.getvalue(), name="a photo")))
    rows = [job.answer.result(10).row for job in jobs]
    assert [row["verdict"] for row in rows] == ["NG"] * 4
    assert [row["regions"][0]["x1"] for row in rows] == [96, 64, 96, 80]


BAD: list[tuple[bytes, dict[str, str], int, str]] = [
    (b"", {}, 422, "empty"),
    (b"hello", {}, 422, "not a photo"),
    (b"%PDF-1.7", {}, 422, "PDF"),
    (b"GIF89a" + b"\xff" * 20, {}, 422, "not a photo"),
    (OK_PHOTO, {"model": "nobody"}, 404, "no model 'nobody'"),
    (OK_PHOTO, {"part_id": "a\0b"}, 422, "part_id"),
    (OK_PHOTO, {"part_id": "x" * 201}, 422, "part_id"),
    (OK_PHOTO, {"station": "a/b"}, 422, "station"),
]


def test_no_more_than_half_of_what_is_under_way_is_scored_at_once(tmp_path: Path, versions: Versions) -> None:
    """So that the other half is read meanwhile, instead of all waiting for each other."""
    scorer = Gated(batch_size=4)
    versions[sha(1)] = replace(orange_pipeline(), scorer=scorer)
    with served(tmp_path, [PART]) as running, ThreadPoolExecutor(6) as clients:
        answers = [clients.submit(running.inspect) for _ in range(6)]
        while running.station.desks.of(None).waiting < len(answers):
            time.sleep(0.02)
        scorer.gate.set()
        assert [answer.result().json()["verdict"] for answer in answers] == ["OK"] * 6
    assert sum(scorer.sizes) == 6
    assert max(scorer.sizes) <= 3


def test_bad_input_is_told_in_one_sentence_and_kept_nowhere(plain: Served) -> None:
    for body, params, status, said in BAD:
        answer = plain.inspect(body, **params)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
        assert said in answer.json()["error"]
    assert plain.client.get("/v1/inspections").json() == {"inspections": [], "next": None}
    assert list((plain.station.data / "photos").rglob("?" * 64)) == []


@pytest.mark.parametrize("query", ["partid=A-17", "part_id=A&part_id=B"])
def test_a_parameter_that_is_misspelt_or_given_twice_is_told(plain: Served, query: str) -> None:
    """Its value would be lost, and the part with it."""
    answer = plain.client.post(f"/v1/inspect?{query}", content=OK_PHOTO)
    assert answer.status_code == 422
    assert "part" in answer.json()["error"]
    assert plain.client.get("/v1/inspections?verdict=OK&verdict=NG&limit=1").json()["inspections"] == []
    assert plain.client.get("/v1/inspections?verdicts=OK").status_code == 422


def bomb(side: int) -> bytes:
    """A PNG that says it is much larger than it is."""
    data = io.BytesIO()
    Image.new("L", (32, 32)).save(data, "PNG")
    png = bytearray(data.getvalue())
    png[16:24] = side.to_bytes(4) + side.to_bytes(4)
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4)
    return bytes(png)


def test_a_bomb_is_refused_before_it_is_decoded(plain: Served) -> None:
    for side in (8_000, 50_000):
        answer = plain.inspect(bomb(side))
        assert answer.status_code == 422
        assert "megapixels" in answer.json()["error"]


def test_a_form_is_refused(plain: Served) -> None:
    answer = plain.client.post("/v1/inspect", files={"photo": OK_PHOTO})
    assert answer.status_code == 415


def test_several_models_must_be_told_apart(tmp_path: Path, versions: Versions) -> None:
    versions[sha(2)] = versions[sha(1)]
    with served(tmp_path, [Path("part.1"), Path("other.2")]) as running:
        assert running.inspect().status_code == 409
        assert running.inspect(model="other").json()["model"]["name"] == "other"


def test_headers_without_end_are_refused(plain: Served) -> None:
    assert plain.client.get("/healthz", headers={"x-much": "x" * 100_000}).status_code == 431
    assert plain.client.get("/healthz").status_code == 200


def test_an_answer_leaves_at_once(plain: Served) -> None:
    """Otherwise its second part may wait 40 ms until the client has confirmed the first."""
    plain.inspect()
    (connection,) = plain.server.server_state.connections
    at_once = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert at_once
