"""The outbox: nothing is lost, nobody sends what another is sending, and what never arrives is given up in sight."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from andon.errors import NotFoundError
from andon.store import NewDelivery, Store
from andon.store.outbox import LEASE, MAX_ATTEMPTS, pause

NOW = datetime.now(UTC) + timedelta(hours=1)
MES = NewDelivery(kind="webhook", target="https://mes.example", payload="{}")
TOPIC = NewDelivery(kind="mqtt", target="andon/A/inspection", payload="{}")


def due(store: Store, now: datetime = NOW) -> list[str]:
    return [one.delivery_id for one in store.outbox.take_due(now=now)]


def test_what_is_taken_is_due_again_only_after_the_lease(store: Store) -> None:
    """As when the sender was killed."""
    ids = [store.outbox.put(MES), store.outbox.put(TOPIC)]
    assert due(store) == ids
    assert due(store, NOW + LEASE - timedelta(seconds=1)) == []
    assert due(store, NOW + LEASE) == ids


def test_senders_at_the_same_time_get_different_ones(url: str, tmp_path: Path) -> None:
    with Store.open(url, tmp_path) as store:
        ids = [store.outbox.put(MES) for _ in range(12)]

    def take(_: int) -> list[str]:
        with Store.open(url, tmp_path) as own:
            return [one.delivery_id for one in own.outbox.take_due(limit=3)]

    with ThreadPoolExecutor(4) as pool:
        assert sorted(one for taken in pool.map(take, range(4)) for one in taken) == sorted(ids)


def test_a_sender_may_ask_for_its_own_alone(store: Store) -> None:
    webhook, topic = store.outbox.put(MES), store.outbox.put(TOPIC)
    assert [one.delivery_id for one in store.outbox.take_due(kind="mqtt", now=NOW)] == [topic]
    assert [one.delivery_id for one in store.outbox.take_due(target=MES.target, now=NOW)] == [webhook]


def test_what_was_sent_is_due_no_more_and_forgotten_in_time(store: Store) -> None:
    (sent, waits) = (store.outbox.put(MES), store.outbox.put(MES))
    store.outbox.sent(sent)
    assert due(store, NOW + LEASE) == [waits]
    assert store.outbox.counts() == {("webhook", MES.target, "sent"): 1, ("webhook", MES.target, "pending"): 1}
    assert store.outbox.failed(sent, "a second sender was too slow") == "sent"
    assert store.outbox.forget_sent(NOW - timedelta(days=1)) == 0
    assert store.outbox.forget_sent(NOW) == 1 and store.outbox.get(waits).state == "pending"


def test_pauses_grow_up_to_an_hour() -> None:
    assert [pause(attempts).total_seconds() for attempts in (1, 2, 3, 12, 13, 500)] == [1, 2, 4, 2048, 3600, 3600]


def test_a_failure_is_tried_again_after_a_pause_and_given_up_at_last(store: Store) -> None:
    delivery = store.outbox.put(MES)
    for attempt in range(1, MAX_ATTEMPTS):
        assert store.outbox.failed(delivery, f"HTTP 500, attempt {attempt}", now=NOW) == "pending"
        assert due(store, NOW + pause(attempt) - timedelta(seconds=0.5)) == []
        assert due(store, NOW + pause(attempt)) == [delivery]
    before = store.events.last()
    assert store.outbox.failed(delivery, "HTTP 500, the last", now=NOW) == "dead"
    assert due(store, NOW + timedelta(days=365)) == []
    (dead,) = store.outbox.dead()
    assert (dead.delivery_id, dead.attempts, dead.last_error) == (delivery, MAX_ATTEMPTS, "HTTP 500, the last")
    assert [(event.kind, event.subject) for event in store.events.since(before)] == [("delivery", delivery)]


def test_the_dead_can_be_sent_again(store: Store) -> None:
    dead, waits = store.outbox.put(MES), store.outbox.put(MES)
    store.outbox.give_up(dead, "HTTP 404")
    assert [one.last_error for one in store.outbox.dead()] == ["HTTP 404"]
    assert store.outbox.send_again([dead, waits, "unknown"]) == 1
    assert store.outbox.get(dead).attempts == 0 and store.outbox.dead() == []
    assert due(store) == [dead, waits]


def test_a_delivery_that_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no delivery 'x'"):
        store.outbox.failed("x", "error")
