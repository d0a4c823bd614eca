"""What is too much is refused in time, and what was taken is never lost."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from numpy_scorer import orange_pipeline
from serving import NG_PHOTO, OK_PHOTO, PART, SETTINGS, Gated, Served, Versions, served, sha

from andon.server import connection, running, settings, shield

QUEUE = 3


@pytest.fixture
def gate(versions: Versions) -> Gated:
    """The model's scorer; the model judges while its gate is open."""
    scorer = Gated(batch_size=2)
    versions[sha(1)] = replace(orange_pipeline(), scorer=scorer)
    return scorer


@pytest.fixture
def narrow(tmp_path: Path, gate: Gated) -> Iterator[Served]:
    """A server that takes three photos and waits half a second."""
    with served(tmp_path, [PART], settings=replace(SETTINGS, queue=QUEUE, deadline=0.5)) as running:
        yield running
        gate.gate.set()


def until(condition: object) -> None:
    for _ in range(200):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_full_queue_says_when_to_come_again(tmp_path: Path, gate: Gated) -> None:
    """And everything that it took is answered."""
    with (
        served(tmp_path, [PART], settings=replace(SETTINGS, queue=QUEUE)) as running,
        ThreadPoolExecutor(QUEUE) as clients,
    ):
        taken = [clients.submit(running.inspect) for _ in range(QUEUE)]
        until(lambda: running.station.desks.of(None).waiting == QUEUE)
        refused = running.inspect()
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        gate.gate.set()
        assert [one.result().status_code for one in taken] == [200] * QUEUE
        assert running.inspect().status_code == 200
        assert running.station.store.inspections.counts() == {"OK": QUEUE + 1}


def test_what_is_late_is_dropped_and_its_place_is_free_again(narrow: Served, gate: Gated) -> None:
    with ThreadPoolExecutor(QUEUE) as clients:
        answers = list(clients.map(lambda _: narrow.inspect(), range(QUEUE)))
    assert [answer.status_code for answer in answers] == [503] * QUEUE
    assert "dropped" in answers[0].json()["error"]
    gate.gate.set()
    until(lambda: narrow.station.desks.of(None).waiting == 0)
    assert narrow.inspect(NG_PHOTO).json()["verdict"] == "NG"
    assert narrow.station.store.inspections.counts() == {"NG": 1}


def test_what_is_being_written_at_the_deadline_is_waited_for(
    narrow: Served, gate: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told "dropped" of a photo that is in the database."""
    gate.gate.set()
    inspections = narrow.station.store.inspections
    add_all = inspections.add_all

    def slowly(new: object) -> object:
        time.sleep(0.8)
        return add_all(new)  # type: ignore[arg-type]

    monkeypatch.setattr(inspections, "add_all", slowly)
    assert narrow.inspect().status_code == 200
    assert inspections.counts() == {"OK": 1}


def test_a_database_that_cannot_be_written_is_told_and_frees_the_place(
    narrow: Served, gate: Gated, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says it once, not for each photo."""
    from andon.errors import StoreError

    gate.gate.set()

    def fails(new: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(narrow.station.store.inspections, "add_all", fails)
        answers = [narrow.inspect() for _ in range(QUEUE + 1)]
        assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(503, "The disk is full.")] * (
            QUEUE + 1
        )
    assert narrow.inspect().status_code == 200
    assert [record.message for record in caplog.records] == ["The disk is full."]


def test_a_body_of_too_many_bytes_is_refused(tmp_path: Path, versions: Versions) -> None:
    """Whether it says its length or comes in chunks; the answer arrives although not all was sent."""
    with served(tmp_path, [PART], settings=replace(SETTINGS, max_bytes=200_000)) as running:
        large = OK_PHOTO + bytes(300_000)

        def chunks() -> Iterator[bytes]:
            for start in range(0, len(large), 1000):
                yield large[start : start + 1000]

        assert running.inspect(large).status_code == 413
        answer = running.client.post("/v1/inspect", content=chunks())
        assert answer.status_code == 413
        assert list(answer.json()) == ["error"]
        assert running.client.post("/login", content=bytes(100_000)).status_code == 413
        assert running.inspect().status_code == 200


def test_a_review_of_too_many_bytes_is_refused_as_such(plain: Served) -> None:
    """Also where it comes in chunks; FastAPI alone takes it for something that is no JSON."""
    one = f"/v1/inspections/{plain.inspect().json()['inspection_id']}/review"
    answer = plain.client.post(one, content=iter([bytes(1000)] * 200), headers={"Content-Type": "application/json"})
    assert (answer.status_code, "limit" in answer.json()["error"]) == (413, True)


@contextmanager
def connected(running: Served, sent: bytes) -> Iterator[socket.socket]:
    """A client that has sent this, and sends nothing more."""
    address = urlsplit(running.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(sent)
        yield client


def whole_answer(client: socket.socket) -> bytes:
    """What comes from /healthz."""
    answer = b""
    while not answer.endswith(b"}"):
        more = client.recv(2000)
        assert more
        answer += more
    return answer


POST = b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


def test_photos_that_come_in_slowly_take_so_much_memory_and_no_more(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "MOST_UNDER_WAY", 0)  # then it is ten times what a photo may have
    half = b"POST /v1/inspect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n" + bytes(190_000)
    with served(tmp_path, [PART], settings=replace(SETTINGS, max_bytes=200_000)) as running, ExitStack() as clients:
        slow = [clients.enter_context(connected(running, half)) for _ in range(11)]
        (refused,), _, _ = select.select(slow, [], [], 8)
        answer = refused.recv(2000)
        assert answer.startswith(b"HTTP/1.1 429") and b"retry-after: 1" in answer
        assert running.inspect(OK_PHOTO).status_code == 200
        clients.close()
        assert {running.inspect(OK_PHOTO).status_code for _ in range(50)} == {200}


def test_a_photo_that_never_ends_is_given_up(narrow: Served) -> None:
    with connected(narrow, POST % b"/v1/inspect") as client:
        assert client.recv(100).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("path", [b"/login", b"/v1/models/part/activate"])
def test_a_form_that_never_ends_is_given_up(plain: Served, monkeypatch: pytest.MonkeyPatch, path: bytes) -> None:
    monkeypatch.setattr(shield, "SECONDS_TO_SEND", 0.2)
    with connected(plain, POST % path) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: loc"])
def test_a_client_that_asks_for_nothing_is_cut_off(
    tmp_path: Path, versions: Versions, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    """Also after an answer; one that asks, if in pieces, goes on, and so does one that follows events."""
    monkeypatch.setattr(running, "KEEP_ALIVE", 0.8)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    events = whole.replace(b"healthz", b"v1/events")
    with (
        served(tmp_path, [PART]) as plain,
        connected(plain, sent) as silent,
        connected(plain, whole + sent) as once,
        connected(plain, whole) as often,
        connected(plain, events) as follower,
    ):
        follower.recv(2000)
        follower.settimeout(1.2)
        for _ in range(2):
            assert whole_answer(often).startswith(b"HTTP/1.1 200")
            often.sendall(whole[:9])
            time.sleep(0.5)
            often.sendall(whole[9:])
        assert whole_answer(often).startswith(b"HTTP/1.1 200")
        assert silent.recv(100) == b""
        assert whole_answer(once).startswith(b"HTTP/1.1 200")
        assert once.recv(100) == b""
        with pytest.raises(TimeoutError):
            while follower.recv(2000):
                pass


def test_more_clients_than_there_may_be_are_cut_off(
    plain: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once there is room, the next is served; the log says it once."""
    monkeypatch.setattr(connection, "most_connections", lambda: 2)
    asks = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(plain, asks) as first, connected(plain, asks) as second:
        for client in (first, second):
            assert whole_answer(client).startswith(b"HTTP/1.1 200")
        for _ in range(3):
            with connected(plain, b"") as refused, suppress(ConnectionResetError):
                assert refused.recv(100) == b""
    time.sleep(0.2)
    with connected(plain, asks) as later:
        assert whole_answer(later).startswith(b"HTTP/1.1 200")
    assert [record.message for record in caplog.records if "connected" in record.message] == [
        "More than 2 clients are connected, so others are cut off."
    ]


def test_a_client_that_hangs_up_is_no_bug(capfd: pytest.CaptureFixture[str], plain: Served) -> None:
    """Nor is one that asks for a web socket; the log says nothing of either."""
    for path in (b"/v1/inspect", b"/login"):
        with connected(plain, POST % path) as client:
            client.shutdown(socket.SHUT_WR)
            client.recv(100)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert plain.client.get("/healthz", headers=upgrade).status_code == 200
    assert plain.client.post("/login", data={str(n): "1" for n in range(200)}).status_code == 401
    assert capfd.readouterr() == ("", "")


def test_pages_are_limited_in_their_rate_and_photos_are_not(tmp_path: Path, versions: Versions) -> None:
    with served(tmp_path, [PART], settings=replace(SETTINGS, rate=0.01, burst=3)) as running:
        assert [running.client.get("/v1/models").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert [running.inspect().status_code for _ in range(4)] == [200] * 4
