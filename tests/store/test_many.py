"""What pages ask all the time looks at few inspections, however many there are.

SQLite says how many steps its programs take, and reading a row takes several. So who takes fewer steps than there are
inspections has not looked at each of them, and has not even counted them in an index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from drawn_rows import NOON, content, drawn_row
from new_store import new_store
from sqlalchemy import Engine, event

from andon.store import Filter, KeptPhoto, NewInspection, Store

MANY = 2000
FEW = 10
LATELY = NOON + timedelta(minutes=MANY - FEW)


@dataclass
class Steps:
    """Attributes:
    taken: by all statements on SQLite, since somebody set it to 0.
    """

    taken: int = 0
    store: Store = field(init=False)

    def of(self, call: Callable[[Store], object]) -> int:
        call(self.store)  # the first one of a connection asks for its settings, too
        self.taken = 0
        call(self.store)
        return self.taken

    def _take(self) -> int:
        self.taken += 1
        return 0


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    """Of a store with MANY inspections at three stations, one a minute, 1 % of them NG; each photo is kept."""
    found = Steps()

    def count(connection: sqlite3.Connection, _: object) -> None:
        connection.set_progress_handler(found._take, 1)

    found.store = new_store(tmp_path_factory.mktemp("many") / "data")
    found.store.inspections.add_all([_inspection(number) for number in range(MANY)])
    found.store.close()
    event.listen(Engine, "connect", count)
    yield found
    event.remove(Engine, "connect", count)
    found.store.close()


def _inspection(number: int) -> NewInspection:
    row = drawn_row(
        "NG" if number % 100 == 0 else "OK",
        photo=number,
        at=NOON + timedelta(minutes=number),
        part_id=f"A-{number}",
    )
    photo = KeptPhoto(sha256=row["sha256"], size=len(content(number)))
    return NewInspection(row=row, station="ABC"[number % 3], photo=photo)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.inspections.page(limit=FEW),
        lambda store: store.inspections.page(Filter(station="B"), limit=FEW),
        lambda store: store.inspections.page(Filter(station="gone"), limit=FEW),
        lambda store: store.inspections.page(Filter(station="B"), after=MANY // 2, limit=FEW, newest_first=False),
        lambda store: store.inspections.page(Filter(part_id="A-7")),
        lambda store: store.inspections.page(Filter(reviewed=True)),
        lambda store: store.inspections.counts(Filter(since=LATELY)),
        lambda store: store.inspections.counts(Filter(since=LATELY, station="B")),
        lambda store: store.inspections.stations(),
        lambda store: store.reviews.waiting(ok_share=0.01),
        lambda store: store.reviews.waiting(Filter(station="B"), ok_share=0.01),
        lambda store: store.reviews.next_to_review("ann", limit=3),
        lambda store: store.reviews.next_to_review("ann", limit=3, wanted=Filter(station="B"), ok_share=0.01),
        lambda store: store.reviews.hold(store.inspections.page(limit=1).inspections[0].inspection_id, "ann"),
        lambda store: store.events.last(),
        lambda store: store.outbox.take_due(),
    ],
)
def test_few_are_looked_at(steps: Steps, call: Callable[[Store], object]) -> None:
    assert 0 < steps.of(call) < MANY


def test_counting_sees_what_looks_at_all(steps: Steps) -> None:
    assert steps.of(lambda store: store.inspections.counts()) > MANY
