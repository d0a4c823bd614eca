"""Reviews: the most doubtful first, nothing to two people, and what is taken back stays in the history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from drawn_rows import drawn_row

from andon.errors import NotFoundError
from andon.store import Filter, KeptPhoto, NewInspection, Store, StoredInspection

NOW = datetime.now(UTC)


def add(store: Store, name: str, verdict: str, score: float = 0.5, *, kept: bool = True) -> None:
    row = drawn_row(verdict, score=score, inspection_id=name, photo=int.from_bytes(name.encode()))
    photo = KeptPhoto(sha256=row["sha256"], size=1) if kept else None
    store.inspections.add(NewInspection(row=row, photo=photo))


def ids(found: list[StoredInspection]) -> list[str]:
    return [one.inspection_id for one in found]


@pytest.fixture
def queue(store: Store) -> Store:
    """Three to look at, in the order b, c, a, and some that nobody need look at."""
    add(store, "a", "NG", 3.0)
    add(store, "c", "NG", 1.1)
    add(store, "b", "review", 0.9)
    add(store, "invalid", "invalid")
    add(store, "error", "error")
    add(store, "photo gone", "review", 0.9, kept=False)
    return store


def test_the_most_doubtful_comes_first(queue: Store) -> None:
    add(queue, "later and more doubtful", "review", 0.99)
    assert ids(queue.reviews.next_to_review("ann", limit=9)) == ["later and more doubtful", "b", "c", "a"]
    assert queue.reviews.waiting() == {"review": 2, "NG": 2}


def test_of_the_ok_photos_a_random_share_is_looked_at(store: Store) -> None:
    rows = [drawn_row(inspection_id=f"ok {number}") for number in range(400)]
    photo = KeptPhoto(sha256=rows[0]["sha256"], size=1)
    store.inspections.add_all([NewInspection(row=row, photo=photo) for row in rows])
    half = ids(store.reviews.next_to_review("ann", limit=400, ok_share=0.5))
    assert 150 < len(half) < 250 and store.reviews.waiting(ok_share=0.5) == {"OK": len(half)}
    store.reviews.release("ann")
    tenth = ids(store.reviews.next_to_review("ann", limit=400, ok_share=0.1))
    assert 20 < len(tenth) < 70 and half[: len(tenth)] == tenth
    assert store.reviews.next_to_review("bob", ok_share=0.0) == []


def test_two_people_never_get_the_same_until_the_claim_expires(queue: Store) -> None:
    lease = timedelta(minutes=5)
    assert ids(queue.reviews.next_to_review("ann", now=NOW, lease=lease)) == ["b"]
    assert ids(queue.reviews.next_to_review("bob", limit=9, now=NOW + lease / 2)) == ["c", "a"]
    assert queue.reviews.next_to_review("eve", now=NOW + lease - timedelta(seconds=1)) == []
    assert ids(queue.reviews.next_to_review("eve", limit=9, now=NOW + lease)) == ["b"]


def test_who_asks_again_gets_the_same_and_holds_it_longer(queue: Store) -> None:
    lease = timedelta(minutes=5)
    for minutes in (0, 4):
        found = queue.reviews.next_to_review("ann", now=NOW + timedelta(minutes=minutes), lease=lease)
        assert ids(found) == ["b"]
    assert "b" not in ids(queue.reviews.next_to_review("bob", limit=9, now=NOW + timedelta(minutes=8), lease=lease))


def test_what_is_skipped_or_released_is_free_for_others(queue: Store) -> None:
    queue.reviews.next_to_review("ann")
    assert ids(queue.reviews.next_to_review("ann", skip=["b"])) == ["c"]
    assert ids(queue.reviews.next_to_review("bob")) == ["b"]
    queue.reviews.release("ann")
    assert ids(queue.reviews.next_to_review("eve")) == ["c"]


def test_what_is_held_is_all_that_its_person_has(queue: Store) -> None:
    first, second = (one.inspection_id for one in queue.reviews.next_to_review("ann", limit=2))
    queue.reviews.hold(second, "ann")
    assert first in [one.inspection_id for one in queue.reviews.next_to_review("bob", limit=9)]
    queue.reviews.hold(first, "ann")  # bob has it already
    assert second in [one.inspection_id for one in queue.reviews.next_to_review("eve", limit=9)]
    assert first in [one.inspection_id for one in queue.reviews.next_to_review("bob", limit=9)]


def test_only_what_is_wanted_is_handed_out(queue: Store) -> None:
    assert ids(queue.reviews.next_to_review("ann", limit=9, wanted=Filter(verdicts=["NG"]))) == ["c", "a"]


def test_many_people_at_once_get_different_ones(url: str, tmp_path: Path) -> None:
    with Store.open(url, tmp_path) as store:
        for number in range(24):
            add(store, str(number), "NG", 1 + number / 10)

    def look(name: int) -> list[str]:
        with Store.open(url, tmp_path) as own:
            return ids(own.reviews.next_to_review(str(name), limit=4))

    with ThreadPoolExecutor(6) as pool:
        handed_out = [one for found in pool.map(look, range(6)) for one in found]
    assert sorted(handed_out) == sorted(str(number) for number in range(24))


def test_what_was_reviewed_comes_no_more(queue: Store) -> None:
    queue.reviews.next_to_review("ann", limit=9)
    review = queue.reviews.add("b", "OK", by="ann", note="dust\nonly")
    assert (review.verdict, review.by, review.note, review.undone_at) == ("OK", "ann", "dust\nonly", None)
    assert queue.inspections.get("b").reviewed_as == "OK"
    assert ids(queue.reviews.next_to_review("ann", limit=9)) == ["c", "a"]


def test_what_is_taken_back_is_free_for_whoever_comes_first(queue: Store) -> None:
    queue.reviews.next_to_review("ann")
    queue.reviews.add("b", "OK", by="ann")
    queue.reviews.undo("b", by="ann")
    assert ids(queue.reviews.next_to_review("bob")) == ["b"]


def test_the_latest_that_was_not_undone_counts(queue: Store) -> None:
    for verdict, by in (("NG", "ann"), ("OK", "bob")):
        queue.reviews.add("b", verdict, by=by)  # type: ignore[arg-type]
    assert queue.inspections.get("b").reviewed_as == "OK"
    undone = queue.reviews.undo("b", by="eve")
    assert undone is not None and (undone.by, undone.undone_by) == ("bob", "eve") and undone.undone_at is not None
    assert queue.inspections.get("b").reviewed_as == "NG"
    assert queue.reviews.that_count(["a", "b"])["b"].by == "ann"
    assert queue.reviews.undo("b", by="eve") is not None
    assert queue.inspections.get("b").reviewed_as is None and queue.reviews.that_count(["b"]) == {}
    assert queue.reviews.undo("b", by="eve") is None
    assert [(one.by, one.undone_by) for one in queue.reviews.of("b")] == [("bob", "eve"), ("ann", "eve")]
    assert ids(queue.reviews.next_to_review("ann")) == ["b"]


def test_the_last_review_of_a_person_is_known(queue: Store) -> None:
    assert queue.reviews.last_by("ann") is None
    queue.reviews.add("a", "NG", by="ann")
    queue.reviews.add("b", "OK", by="ann")
    queue.reviews.add("c", "OK", by="bob")
    last = queue.reviews.last_by("ann")
    assert last is not None and last.inspection_id == "b"
    queue.reviews.undo("b", by="ann")
    last = queue.reviews.last_by("ann")
    assert last is not None and last.inspection_id == "a"


def test_reviews_are_events(queue: Store) -> None:
    before = queue.events.last()
    queue.reviews.add("a", "NG", by="ann")
    queue.reviews.undo("a", by="ann")
    assert [(event.kind, event.subject) for event in queue.events.since(before)] == [("review", "a"), ("review", "a")]


def test_an_inspection_that_is_not_there_is_said(store: Store) -> None:
    asked = (
        lambda: store.reviews.add("x", "OK", by="ann"),
        lambda: store.reviews.undo("x", by="ann"),
        lambda: store.reviews.of("x"),
    )
    for ask in asked:
        with pytest.raises(NotFoundError, match="no inspection 'x'"):
            ask()
