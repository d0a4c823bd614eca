"""What was judged: found, looked at, reviewed, followed."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import httpx
import numpy as np
import plate_photos
import pytest
from PIL import Image
from serving import NG_PHOTO, OK_PHOTO, PART, SETTINGS, Served, Versions, served

from andon.server.feed import EVERY
from andon.store import KeptPhoto, NewInspection, NotKept


def ids(page: Any) -> list[str]:
    return [one["row"]["inspection_id"] for one in page["inspections"]]


def test_a_page_says_why_it_has_no_heat_map_of_a_version_that_nobody_knows(plain: Served) -> None:
    """As andon watch leaves it, which judges with the file that it was given."""
    row = plain.inspect(NG_PHOTO).json()
    photo = plain.station.photos.keep(NG_PHOTO)
    assert isinstance(photo, KeptPhoto)
    model = row["model"] | {"sha256": "f" * 64}
    of_another = row | {"inspection_id": str(uuid4()), "model": model}
    added = plain.station.store.inspections.add(NewInspection(row=of_another, photo=photo))
    known, unknown = (
        plain.client.get(f"/inspections/{one}").text for one in (row["inspection_id"], added.inspection_id)
    )
    assert "/heatmap" in known and "No heat map" not in known
    assert "/heatmap" not in unknown and "Make its file known with: andon models add FILE" in unknown


def test_inspections_are_found_by_what_they_are(plain: Served) -> None:
    ok = plain.inspect(OK_PHOTO, part_id="A", station="one").json()
    ng = plain.inspect(NG_PHOTO, part_id="B", station="two").json()
    plain.client.post(f"/v1/inspections/{ng['inspection_id']}/review", json={"verdict": "OK"})
    for params, expected in (
        ({}, [ng, ok]),
        ({"verdict": "NG"}, [ng]),
        ({"verdict": ["NG", "OK"]}, [ng, ok]),
        ({"verdict": "review"}, []),
        ({"part_id": "A"}, [ok]),
        ({"station": "two"}, [ng]),
        ({"model": "part"}, [ng, ok]),
        ({"model": "other"}, []),
        ({"since": ng["inspected_at"]}, [ng]),
        ({"until": ng["inspected_at"]}, [ok]),
        ({"since": "2020-01-01T00:00:00+09:00"}, [ng, ok]),
        ({"reviewed": True}, [ng]),
        ({"reviewed": False}, [ok]),
    ):
        page = plain.client.get("/v1/inspections", params=params).json()
        assert ids(page) == [row["inspection_id"] for row in expected], params
        assert page["next"] is None
    for wrong in (
        {"verdict": "good"},
        {"since": "yesterday"},
        {"since": "2020-01-01T00:00:00"},
        {"since": "2020"},
        {"until": "0001-01-01T00:00:00+23:00"},
        {"limit": 0},
        {"after": 2**63},
        {"reviewed": "perhaps"},
    ):
        answer = plain.client.get("/v1/inspections", params=wrong)
        assert (answer.status_code, list(answer.json())) == (422, ["error"]), wrong


def test_pages_stay_as_they_are_while_photos_come(plain: Served) -> None:
    expected = [plain.inspect().json()["inspection_id"] for _ in range(5)][::-1]
    found, after = [], None
    while True:
        page = plain.client.get("/v1/inspections", params={"limit": 2} | ({"after": after} if after else {})).json()
        found += ids(page)
        plain.inspect()
        after = page["next"]
        if after is None:
            break
    assert found == expected


def test_a_review_counts_until_it_is_taken_back(plain: Served) -> None:
    url = f"/v1/inspections/{plain.inspect().json()['inspection_id']}"
    said = plain.client.post(f"{url}/review", json={"verdict": "NG", "note": "a dent", "by": "Ms Rowe"}).json()
    assert (said["verdict"], said["note"], said["by"], said["undone_at"]) == ("NG", "a dent", "Ms Rowe", None)
    assert plain.client.get(url).json()["reviewed_as"] == "NG"
    undone = plain.client.post(f"{url}/review/undo", json={"by": "Mr Oda"}).json()
    assert (undone["verdict"], undone["undone_by"]) == ("NG", "Mr Oda")
    found = plain.client.get(url).json()
    assert (found["reviewed_as"], found["reviews"]) == (None, [undone])
    assert plain.client.post(f"{url}/review/undo", json={}).status_code == 409


def test_a_review_must_be_one(plain: Served) -> None:
    url = f"/v1/inspections/{plain.inspect().json()['inspection_id']}/review"
    wrong: Any
    for wrong in ({}, {"verdict": "review"}, {"verdict": "OK", "by": ""}, {"verdict": "OK", "x": 1}, [], "OK"):
        assert plain.client.post(url, json=wrong).status_code == 422
    for body in (b"{", b"\xff\xfe"):
        assert plain.client.post(url, content=body, headers={"content-type": "application/json"}).status_code == 422
    unknown = "/v1/inspections/00000000-0000-0000-0000-000000000000"
    assert plain.client.post(f"{unknown}/review", json={"verdict": "OK"}).status_code == 404
    assert plain.client.get(unknown).status_code == 404
    assert plain.client.get("/v1/inspections/..%2f..%2fetc%2fpasswd").status_code in (404, 422)


def test_what_is_wrong_is_told_in_words_of_the_line(plain: Served) -> None:
    """Not in those of the library that reads it."""
    client = plain.client
    one = f"/v1/inspections/{plain.inspect().json()['inspection_id']}/review"
    said = [
        (client.post(one, content=b'{"verdict": "OK"}'), "the header Content-Type: application/json"),
        (client.post("/v1/inspect?station=a/b", content=OK_PHOTO), "none of /, + and #"),
        (client.get("/v1/inspections?since=2026-11-26T08:00:00+00:00"), "a + must be sent as %2B"),
        (client.get("/v1/inspections?since=2026-11-26T08:00"), "expected a time zone"),
    ]
    for answer, words in said:
        assert answer.status_code == 422
        assert words in answer.json()["error"]
        assert "Value error" not in answer.json()["error"]


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


def test_pictures_show_the_photo_and_where_it_deviates(plain: Served) -> None:
    url = f"/v1/inspections/{plain.inspect(NG_PHOTO, part_id='B-1').json()['inspection_id']}"
    original = plain.client.get(f"{url}/photo")
    assert (original.content, original.headers["content-type"]) == (NG_PHOTO, "image/png")
    assert picture(plain.client.get(f"{url}/photo?size=view")).size == plate_photos.SIZE[::-1]
    assert max(picture(plain.client.get(f"{url}/photo?size=thumbnail")).size) <= 240
    heat = picture(plain.client.get(f"{url}/heatmap"))
    assert heat.mode == "RGBA"
    alpha = heat.getchannel("A")
    x, y = plate_photos.SPOT_AT
    assert np.asarray(alpha)[y, x] > 100
    assert np.asarray(alpha)[10, 10] == 0
    panel = picture(plain.client.get(f"{url}/panel"))
    assert panel.width > 640
    assert plain.client.get(f"{url}/photo?size=huge").status_code == 422


def test_a_photo_that_is_gone_is_said_to_be(plain: Served) -> None:
    row = plain.inspect().json()
    plain.station.photos.path(row["sha256"]).unlink()
    for kind in ("photo", "heatmap", "panel"):
        answer = plain.client.get(f"/v1/inspections/{row['inspection_id']}/{kind}")
        assert answer.status_code == 410
        assert "not kept" in answer.json()["error"]


def test_where_photos_cannot_be_kept_judging_goes_on_and_says_so(plain: Served, monkeypatch: Any) -> None:
    monkeypatch.setattr(plain.station.photos, "keep", lambda *photo: NotKept("The disk is nearly full."))
    row = plain.inspect(NG_PHOTO).json()
    assert row["verdict"] == "NG"
    assert not plain.client.get(f"/v1/inspections/{row['inspection_id']}").json()["photo_kept"]
    assert plain.client.get("/readyz").json() == {"status": "ok", "remarks": ["The disk is nearly full."]}
    assert "The disk is nearly full." in plain.client.get("/").text
    assert "andon_keeps_photos 0.0" in plain.client.get("/metrics").text


def events(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and data of each event of a stream."""
    number = 0
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            number = int(value)
        if name == "data":
            yield number, json.loads(value)


def test_events_come_as_they_happen_and_none_is_missed(plain: Served) -> None:
    """Whoever comes back with the number of the last one gets what happened meanwhile."""
    with plain.client.stream("GET", "/v1/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        while not next(lines).startswith("id"):
            pass
        first = plain.inspect().json()["inspection_id"]
        number, event = next(events(lines))
        assert (event["kind"], event["subject"]) == ("inspection", first)
    missed = [plain.inspect().json()["inspection_id"] for _ in range(2)]
    plain.client.post(f"/v1/inspections/{first}/review", json={"verdict": "NG"})
    with plain.client.stream("GET", "/v1/events", headers={"Last-Event-ID": str(number)}) as stream:
        told = events(stream.iter_lines())
        assert [next(told)[1]["subject"] for _ in range(3)] == [*missed, first]
        last = plain.inspect().json()["inspection_id"]
        assert next(told)[1]["subject"] == last


def test_while_nobody_follows_the_store_is_not_asked_for_events_with_every_photo(
    plain: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = plain.station.store.events
    asking = Mock(wraps=store.since)
    monkeypatch.setattr(store, "since", asking)
    started = time.monotonic()
    for _ in range(20):
        plain.inspect()
    assert asking.call_count <= 2 + (time.monotonic() - started) / EVERY


def test_so_many_may_follow_and_no_more(tmp_path: Path, versions: Versions) -> None:
    with (
        served(tmp_path, [PART], settings=replace(SETTINGS, max_followers=1)) as running,
        running.client.stream("GET", "/v1/events") as stream,
    ):
        lines = stream.iter_lines()  # it would end with its iterator
        assert next(lines).startswith("retry")
        assert running.client.get("/v1/events").status_code == 503


def test_metrics_count_what_was_judged(plain: Served) -> None:
    plain.inspect()
    plain.inspect(NG_PHOTO)
    text = plain.client.get("/metrics").text
    assert 'andon_inspections_total{model="part",verdict="NG"} 1.0' in text
    assert 'andon_waiting{model="part"} 0.0' in text
    assert 'andon_request_seconds_count{model="part"} 2.0' in text
