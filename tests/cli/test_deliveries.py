"""andon deliveries: what waits and what was given up is listed, sent again, or removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Command
from drawn_rows import drawn_row
from new_store import new_store

from andon.store import Delivery, NewDelivery, NewInspection, Store

MES, TOPIC = "https://mes.example/andon", "andon/press/inspection"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "station"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    """One inspection of part A-17, to a webhook that has refused it, and to a broker that does not have it yet."""
    with new_store(data) as store:
        to = (NewDelivery(kind="webhook", target=MES), NewDelivery(kind="mqtt", target=TOPIC))
        store.inspections.add(NewInspection(row=drawn_row("NG", part_id="A-17"), deliveries=to))
        (given_up,) = store.outbox.waiting(target=MES)
        store.outbox.failed(given_up.delivery_id, "HTTP 500", max_attempts=1)
        yield store


def dead(store: Store) -> Delivery:
    (found,) = store.outbox.dead()
    return found


def test_what_waits_and_what_was_given_up_is_listed(store: Store, data: Path, andon_: Command) -> None:
    (waits,) = store.outbox.waiting()
    store.outbox.failed(waits.delivery_id, "the broker did not confirm it", now=datetime.now(UTC) + timedelta(hours=1))
    lines = andon_("deliveries", "--data", data).out.splitlines()
    what = "NG of part A-17 at 2026-11-26T12:00:00.000Z"
    assert lines[0].startswith(f"{waits.delivery_id} to {TOPIC}, {what}; 1 attempt, next 20")
    assert lines[0].endswith(" UTC: the broker did not confirm it")
    assert lines[1] == f"{dead(store).delivery_id} to {MES}, {what}; given up after 1 attempt: HTTP 500"
    assert lines[2:] == [f"{TOPIC}: 1 to be sent", f"{MES}: 1 given up"]
    assert andon_("deliveries", "--dead", "--data", data).out.splitlines() == [lines[1], lines[3]]
    assert andon_("deliveries", "--to", TOPIC, "--data", data).out.splitlines() == [lines[0], lines[2]]


def test_what_nobody_sends_is_told(store: Store, data: Path, andon_: Command) -> None:
    """As when the receiver is no longer among the station's options."""
    (waits,) = store.outbox.waiting()
    store.outbox.failed(waits.delivery_id, "HTTP 500", now=datetime.now(UTC) - timedelta(hours=1))
    assert "but no station sends it: HTTP 500" in andon_("deliveries", "--data", data).out


def test_what_was_given_up_is_sent_again(store: Store, data: Path, andon_: Command) -> None:
    delivery_id = dead(store).delivery_id
    assert andon_("deliveries", "--send-again", delivery_id, "--data", data).out == "1 will be tried again.\n"
    again = store.outbox.get(delivery_id)
    assert (again.state, again.attempts, store.outbox.dead()) == ("pending", 0, [])
    ran = andon_("deliveries", "--send-again", delivery_id, "--data", data)
    assert (ran.code, ran.out) == (2, "") and f"{delivery_id} is pending" in ran.err
    assert "There is no delivery 'x'." in andon_("deliveries", "--send-again", "x", "--data", data).err


def test_all_to_one_receiver_are_sent_again_or_removed(store: Store, data: Path, andon_: Command) -> None:
    other = store.outbox.put(NewDelivery(kind="webhook", target="https://other.example", payload="hello"))
    store.outbox.give_up(other, "refused")
    words = ("--data", data, "--to", MES)
    assert andon_("deliveries", "--send-again", "all", *words).out == "1 will be tried again.\n"
    assert dead(store).delivery_id == other
    assert andon_("deliveries", "--forget", "all", *words).out == "0 removed.\n"
    assert "hello" not in andon_("deliveries", "--data", data).out  # what is no row is told by its length
    assert andon_("deliveries", "--forget", "all", "--data", data).out == "1 removed.\n"
    assert len(store.outbox.waiting()) == 2
    assert andon_("deliveries", "--dead", "--data", data).out == "Nothing was given up.\n"


def test_no_database_is_made(tmp_path: Path, andon_: Command) -> None:
    ran = andon_("deliveries", "--data", tmp_path)
    assert ran.code == 2 and "There is no database" in ran.err
    assert list(tmp_path.iterdir()) == []
