"""Inspections: what is written comes back, all of it or none, in pages that stay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from drawn_rows import NOON, content, drawn_row

from andon.errors import InputError, NotFoundError
from andon.store import Filter, KeptPhoto, NewDelivery, NewInspection, PhotoStore, Store, WatchedFile

WEBHOOK = NewDelivery(kind="webhook", target="https://mes.example/andon")


def numbers(store: Store, **wanted: Any) -> list[int]:
    return [one.number for one in store.inspections.each(Filter(**wanted))]


def test_a_row_comes_back_as_it_was(store: Store) -> None:
    row = drawn_row("NG", part_id="Teil-Ø 7", score=1.25, reasons=["first\nsecond"], path="a\udcff\0.png")
    added = store.inspections.add(NewInspection(row=row, station="A", measures={"light": 0.25}))
    found = store.inspections.get(row["inspection_id"])
    assert (added.number, added.inspection_id, added.is_new) == (found.number, row["inspection_id"], True)
    assert found.row == row and list(found.row) == list(row)
    assert (found.station, found.inspected_at, found.measures) == ("A", NOON, {"light": 0.25})
    assert (found.verdict, found.photo_sha256, found.photo_kept, found.reviewed_as) == (
        "NG",
        row["sha256"],
        False,
        None,
    )


def test_a_part_id_that_no_database_takes_is_stored_and_found_all_the_same(store: Store) -> None:
    row = drawn_row(part_id="a\0b\udcff")
    store.inspections.add(NewInspection(row=row))
    assert [one.row["part_id"] for one in store.inspections.each(Filter(part_id="a\0b\udcff"))] == ["a\0b\udcff"]


def test_an_inspection_that_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(NotFoundError, match="no inspection 'x'"):
        store.inspections.get("x")


def test_the_photo_is_kept_as_long_as_the_database_says(store: Store, tmp_path: Path) -> None:
    photo = PhotoStore(tmp_path).keep(content(3))
    assert isinstance(photo, KeptPhoto)
    store.inspections.add_all(
        [NewInspection(row=drawn_row(photo=3), photo=photo), NewInspection(row=drawn_row(photo=4))]
    )
    assert [one.photo_kept for one in store.inspections.each()] == [True, False]


def test_an_inspection_brings_its_deliveries_and_its_event(store: Store) -> None:
    row = drawn_row()
    topic = NewDelivery(kind="mqtt", target="andon/A/inspection", payload="other")
    store.inspections.add(NewInspection(row=row, deliveries=[WEBHOOK, topic]))
    webhook, mqtt = store.outbox.take_due()
    assert (webhook.kind, webhook.target, webhook.attempts, webhook.state) == ("webhook", WEBHOOK.target, 0, "pending")
    assert f'"{row["inspection_id"]}"' in webhook.payload and mqtt.payload == "other"
    assert [(event.kind, event.subject) for event in store.events.since(0)] == [("inspection", row["inspection_id"])]


def test_of_a_batch_with_a_fault_nothing_is_written(store: Store) -> None:
    """Neither the inspections before the fault nor what came with them."""
    row = drawn_row()
    file = WatchedFile(sha256="a" * 64, folder="in", path="a.png")
    batch = [
        NewInspection(row=drawn_row(), deliveries=[WEBHOOK], watched=file, photo=KeptPhoto(sha256="b" * 64, size=3)),
        *(NewInspection(row=row) for _ in range(2)),
    ]
    with pytest.raises(InputError, match="in the database already"):
        store.inspections.add_all(batch)
    assert (store.inspections.last(), store.outbox.counts(), store.events.last()) == (0, {}, 0)
    assert (list(store.watched.each("in")), store.kept.amount().photos) == ([], 0)


FILTERED: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4]),
    ({"verdicts": ("NG", "review")}, [2, 3]),
    ({"part_id": "p2"}, [2]),
    ({"station": "A"}, [1, 2]),
    ({"station": "A", "verdicts": ("OK",)}, [1]),
    ({"model_name": "nut"}, [4]),
    ({"model_sha256": "ab" * 32}, [1, 2, 3]),
    ({"since": NOON + timedelta(hours=2)}, [2, 3, 4]),
    ({"until": NOON + timedelta(hours=2)}, [1]),
    ({"reviewed": True}, [2, 3]),
    ({"reviewed": False}, [1, 4]),
    ({"reviewed_as": "OK"}, [3]),
    ({"photo_kept": True}, [1]),
    ({"photo_kept": False}, [2, 3, 4]),
    ({"golden": True}, [2]),
    ({"golden": False}, [1, 3, 4]),
]


@pytest.fixture
def four(store: Store) -> Store:
    """Four inspections, two hours apart, that differ in all that a filter knows."""
    for number, verdict in enumerate(("OK", "NG", "review", "error"), start=1):
        at = NOON + timedelta(hours=2 * (number - 1))
        model = {"name": "nut", "sha256": "cd" * 32} if number == 4 else {"name": "bolt", "sha256": "ab" * 32}
        row = drawn_row(verdict, photo=number, at=at, part_id=f"p{number}", model=model, inspection_id=f"i{number}")
        photo = KeptPhoto(sha256=row["sha256"], size=1) if number == 1 else None
        store.inspections.add(NewInspection(row=row, station="A" if number < 3 else "B", photo=photo))
    store.reviews.add("i2", "NG", by="ann")
    store.reviews.add("i3", "OK", by="ann")
    store.golden.add(["i2"], "NG")
    return store


def test_a_filter_finds_what_it_names(four: Store) -> None:
    assert {str(wanted): numbers(four, **wanted) for wanted, _ in FILTERED} == {str(w): n for w, n in FILTERED}


def test_counts_and_overrides(four: Store) -> None:
    assert four.inspections.counts() == {"OK": 1, "NG": 1, "review": 1, "error": 1}
    assert four.inspections.counts(Filter(station="B")) == {"review": 1, "error": 1}
    assert four.inspections.overrides() == {("NG", "NG"): 1, ("review", "OK"): 1}
    assert four.inspections.stations() == ["A", "B"]


def test_figures_are_oldest_first_and_a_limit_takes_the_newest(four: Store) -> None:
    assert [one.number for one in four.inspections.judged()] == [1, 2, 3, 4]
    third, fourth = four.inspections.judged(limit=2)
    assert (third.verdict, third.score, third.reviewed_as, third.station) == ("review", 0.5, "OK", "B")
    assert fourth.inspection_id == "i4"


def add(store: Store, n: int) -> None:
    store.inspections.add_all([NewInspection(row=drawn_row()) for _ in range(n)])


def test_pages_stay_while_inspections_are_added(store: Store) -> None:
    add(store, 7)
    first = store.inspections.page(limit=3)
    oldest = store.inspections.page(limit=3, newest_first=False)
    add(store, 2)
    second = store.inspections.page(limit=3, after=first.next)
    third = store.inspections.page(limit=3, after=second.next)
    found = [[one.number for one in page.inspections] for page in (first, second, third)]
    assert found == [[7, 6, 5], [4, 3, 2], [1]] and third.next is None
    assert [one.number for one in oldest.inspections] == [1, 2, 3]
    rest = store.inspections.page(after=oldest.next, newest_first=False)
    assert [one.number for one in rest.inspections] == [4, 5, 6, 7, 8, 9] and rest.next is None


def test_a_page_that_ends_with_the_last_one_is_the_last(store: Store) -> None:
    add(store, 3)
    assert store.inspections.page(limit=3).next is None


def test_a_watched_file_is_inspected_once_in_each_folder(store: Store) -> None:
    file = WatchedFile(sha256="a" * 64, folder="in", path="a.png", size=5, modified_ns=1_700_000_000_123_456_789)
    first = store.inspections.add(NewInspection(row=drawn_row(), watched=file, deliveries=[WEBHOOK]))
    renamed = WatchedFile(sha256=file.sha256, folder="in", path="b.png")
    again = store.inspections.add(NewInspection(row=drawn_row(), watched=renamed, deliveries=[WEBHOOK]))
    elsewhere = WatchedFile(sha256=file.sha256, folder="other", path="a.png")
    other = store.inspections.add(NewInspection(row=drawn_row(), watched=elsewhere))
    assert (again.number, again.inspection_id, again.is_new) == (first.number, first.inspection_id, False)
    assert other.is_new and store.inspections.last() == other.number == 2 and len(store.outbox.take_due()) == 1
    assert list(store.watched.each("in")) == [file]
    assert store.watched.inspection_of("in", file.sha256) == first.inspection_id
    assert store.watched.inspection_of("in", "c" * 64) is None


def test_of_many_who_see_the_same_file_one_inspects_it(url: str, tmp_path: Path) -> None:
    """Each has a store of its own, as processes have."""

    def see(_: int) -> bool:
        with Store.open(url, tmp_path) as store:
            file = WatchedFile(sha256="a" * 64, folder="in", path="a.png")
            return store.inspections.add(NewInspection(row=drawn_row(), watched=file)).is_new

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(see, range(8))) == 1
