"""Two servers on one PostgreSQL database, as a plant has them, and what becomes of both when it goes away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest
from databases import emptied, run_sql
from serving import NG_PHOTO, OK_PHOTO, PART, Served, Versions, served, sha

from andon.store import Filter, Store, schema
from andon.store.database import Database, url_of

PHOTOS = 12


@pytest.fixture
def db(own_postgres: str) -> str:
    """The URL of a database in the newest form, without entries."""
    with closing(Database(url_of(emptied(own_postgres), Path()))) as database:
        schema.upgrade(database)
    return own_postgres


@pytest.fixture
def two(db: str, tmp_path: Path, versions: Versions) -> Iterator[tuple[Served, Served]]:
    """They share the folder of photos, too."""
    with served(tmp_path, [PART], db=db) as first, served(tmp_path, [PART], db=db) as second:
        for station in (first, second):  # FastAPI builds its routes when it is first asked, not safely in two threads
            assert station.client.get("/nothing").status_code == 404
        yield first, second


def another(photo: bytes, number: int) -> bytes:
    """The same picture as a file of its own."""
    return photo + number.to_bytes(4)


def ids(answer: httpx.Response) -> list[str]:
    return [one["row"]["inspection_id"] for one in answer.json()["inspections"]]


def test_each_shows_what_both_have_inspected(two: tuple[Served, Served]) -> None:
    told = [
        station.inspect(another(OK_PHOTO, number), station=f"cell{number}").json()["inspection_id"]
        for number, station in enumerate(two)
    ]
    for station in two:
        assert ids(station.client.get("/v1/inspections")) == told[::-1]
        for one in told:
            assert station.client.get(f"/v1/inspections/{one}/heatmap").status_code == 200
        assert station.client.get("/readyz").json() == {"status": "ok", "remarks": []}


def test_people_at_two_stations_never_get_the_same_photo(two: tuple[Served, Served]) -> None:
    for number in range(PHOTOS):
        assert two[number % 2].inspect(another(NG_PHOTO, number)).json()["verdict"] == "NG"

    def review(number: int) -> list[str]:
        """Say of each photo that comes what it is, until none comes."""
        said: list[str] = []
        sitting = {"window": f"window-{number}", "by": f"person {number}"}
        with httpx.Client(base_url=two[number % 2].url, timeout=30) as client:
            page = client.post("/review/next", json=sitting).raise_for_status()
            while found := re.search(r'data-id="([^"]+)"', page.text):
                said.append(found[1])
                answer = sitting | {"inspection_id": found[1], "verdict": "NG"}
                page = client.post("/review/say", json=answer).raise_for_status()
        return said

    with ThreadPoolExecutor(4) as people:
        said = [one for each in people.map(review, range(4)) for one in each]
    reviews = [len(two[0].station.store.reviews.of(one)) for one in set(said)]
    assert (len(said), reviews) == (PHOTOS, [1] * PHOTOS)


def test_what_is_activated_at_one_judges_at_the_other(two: tuple[Served, Served], versions: Versions) -> None:
    first, second = two
    versions[sha(2)] = versions[sha(1)]
    first.station.store.models.add(sha(2), name="part", path="part.2", by="ann")
    assert first.client.post("/v1/models/part/activate", json={"sha256": sha(2)}).status_code == 200
    until = time.monotonic() + 10
    while second.inspect().json()["model"]["sha256"] != sha(2) and time.monotonic() < until:
        time.sleep(0.05)
    assert second.inspect().json()["model"]["sha256"] == sha(2)


def test_a_folder_without_the_photos_of_the_others_is_told(db: str, tmp_path: Path, versions: Versions) -> None:
    with served(tmp_path / "one", [PART], db=db) as first:
        first.inspect()
        with served(tmp_path / "two", [PART], db=db) as second:
            health = second.client.get("/readyz")
            assert health.status_code == 200
            assert "1 of the newest 1 photos" in health.json()["remarks"][0]
            assert "give all stations of one database the same --data" in second.client.get("/").text
        with served(tmp_path / "one", [PART], db=db) as third:
            assert third.client.get("/readyz").json()["remarks"] == []


@contextmanager
def gone(url: str, admin: str) -> Iterator[None]:
    """The database lets nobody in, and ends whoever is there."""
    name = url_of(url, Path()).database
    run_sql(
        admin,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    try:
        yield
    finally:
        run_sql(admin, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_database_that_goes_away_is_told_and_taken_up_again(
    two: tuple[Served, Served], db: str, postgres: str
) -> None:
    told: list[str] = []
    refused: list[str] = []
    is_over = Event()

    def send(number: int) -> None:
        with httpx.Client(base_url=two[number % 2].url, timeout=30) as client:
            while not is_over.is_set():
                answer = client.post("/v1/inspect", content=OK_PHOTO)
                if answer.status_code == 200:
                    told.append(answer.json()["inspection_id"])
                else:
                    assert answer.status_code == 503
                    refused.append(answer.json()["error"])
                    time.sleep(0.01)

    def until_more(of: list[str]) -> None:
        before = len(of)
        while len(of) < before + 8:
            time.sleep(0.01)

    with ThreadPoolExecutor(4) as clients:
        sending = [clients.submit(send, number) for number in range(4)]
        try:
            until_more(told)
            for _ in range(3):
                with gone(db, postgres):
                    until_more(refused)
                    for station in two:
                        assert station.client.get("/readyz").status_code == 503
                        assert station.client.get("/healthz").status_code == 200
                        assert station.client.get("/").status_code == 503
                until_more(told)
        finally:
            is_over.set()
        for one in sending:
            one.result()
    assert all("cannot be used" in why for why in refused)
    found = [one.inspection_id for one in two[0].station.store.inspections.each(Filter())]
    assert set(told) <= set(found)
    assert len(found) == len(set(found))
    for station in two:
        assert station.client.get("/readyz").status_code == 200
        assert station.client.get("/").status_code == 200


def test_two_upgrades_at_once_make_the_tables_once(own_postgres: str, tmp_path: Path) -> None:
    url = emptied(own_postgres)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "andon", "db", "upgrade", "--db", url]
    several = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60)[0] for one in several]
    assert [one.returncode for one in several] == [0, 0], said
    with Store.open(url, tmp_path) as store:
        assert store.inspections.last() == 0
