"""The computer's clock is set, or was wrong: nothing goes too early for that, and nothing is sent or seen never."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clocks import Clock, clock
from drawn_rows import content, drawn_row

from andon.store import KeptPhoto, NewDelivery, NewInspection, PhotoStore, Store, strays
from andon.store.steady_clock import SWITCHED_OFF, SteadyClock

__all__ = ["clock"]
RIGHT = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MES = NewDelivery(kind="webhook", target="https://mes.example", payload="{}")


@dataclass
class Computer:
    """What its clock says, and how long it has run."""

    says: datetime = RIGHT
    seconds: float = 0.0

    def steady(self, last: datetime | None = None) -> SteadyClock:
        return SteadyClock(last, computer=lambda: self.says, seconds=lambda: self.seconds)

    def run(self, time: timedelta) -> None:
        self.says += time
        self.seconds += time.total_seconds()


def test_a_right_clock_is_followed() -> None:
    computer = Computer()
    steady = computer.steady()
    for _ in range(5):
        computer.run(HOUR)
        assert steady.now() == steady.at_least() == computer.says


@pytest.mark.parametrize("step", [YEAR, -YEAR, 2 * HOUR])
def test_a_clock_that_is_set_is_followed_by_small_steps(step: timedelta) -> None:
    computer = Computer()
    steady = computer.steady()
    computer.says += step
    assert steady.now() == RIGHT
    computer.run(HOUR)
    assert RIGHT + HOUR / 2 <= steady.now() <= RIGHT + 2 * HOUR
    assert steady.at_least() <= computer.says
    computer.says -= step
    for _ in range(3):
        computer.run(HOUR)
        assert computer.says - 2 * HOUR <= steady.now() <= computer.says + 2 * HOUR
    assert steady.now() == computer.says


def test_it_goes_on_where_it_was_when_the_computer_was_started_with_a_wrong_clock() -> None:
    assert Computer(says=datetime(1970, 1, 1, tzinfo=UTC)).steady(RIGHT).now() == RIGHT
    assert Computer(says=RIGHT + 2 * DAY).steady(RIGHT).now() == RIGHT + 2 * DAY
    assert Computer(says=RIGHT + YEAR).steady(RIGHT).now() == RIGHT + SWITCHED_OFF


@pytest.fixture
def photos(tmp_path: Path) -> PhotoStore:
    return PhotoStore(tmp_path)


@pytest.fixture
def keep(store: Store, photos: PhotoStore) -> Callable[[int], None]:
    """Keep a photo with its inspection."""

    def keep(number: int) -> None:
        kept = photos.keep(content(number))
        assert isinstance(kept, KeptPhoto)
        store.inspections.add(NewInspection(row=drawn_row(photo=number), photo=kept))

    return keep


def test_no_photo_goes_because_the_clock_was_set_ahead(
    clock: Clock, store: Store, photos: PhotoStore, keep: Callable[[int], None]
) -> None:
    keep(0)
    clock.ahead = YEAR
    assert store.kept.sweep(photos, max_age=DAY).photos == 0
    keep(1)
    clock.ahead = timedelta(0)
    assert store.kept.sweep(photos, max_age=DAY).photos == 0
    clock.ahead = 2 * DAY  # when they are old by the right clock, both go, whatever the time of their files
    assert store.kept.sweep(photos, max_age=DAY, now=datetime.now(UTC) + 2 * DAY).photos == 2


def test_no_photo_goes_because_the_clock_was_behind_when_it_came(
    clock: Clock, url: str, photos: PhotoStore, keep: Callable[[int], None], tmp_path: Path
) -> None:
    """As of a computer without a battery: until it has asked for the time, it is years behind."""
    keep(0)
    clock.ahead = -10 * YEAR
    with Store.open(url, tmp_path) as started_again:
        kept = photos.keep(content(1))
        assert isinstance(kept, KeptPhoto)
        started_again.inspections.add(NewInspection(row=drawn_row(photo=1), photo=kept))
        assert started_again.kept.sweep(photos, max_age=90 * DAY).photos == 0
        clock.ahead = timedelta(0)
        assert started_again.kept.sweep(photos, max_age=90 * DAY).photos == 0


@pytest.mark.parametrize("attempts", [0, 1, 12])
@pytest.mark.parametrize("back", [2 * HOUR, YEAR])
def test_what_is_to_be_sent_does_not_wait_for_a_clock_that_was_set_back(
    clock: Clock, store: Store, attempts: int, back: timedelta
) -> None:
    delivery = store.outbox.put(MES)
    for _ in range(attempts):
        store.outbox.failed(delivery, "HTTP 500")
    clock.ahead = -back
    assert [one.delivery_id for one in store.outbox.take_due()] == [delivery]
    assert store.outbox.take_due() == []  # another one sends it now


def test_what_is_new_is_sent_at_once_though_the_clock_was_set_back_a_little(clock: Clock, store: Store) -> None:
    delivery = store.outbox.put(MES)
    clock.ahead = -10 * MINUTE
    assert [one.delivery_id for one in store.outbox.take_due()] == [delivery]


def test_what_somebody_looked_at_is_free_again_though_the_clock_was_set_back(clock: Clock, store: Store) -> None:
    kept = KeptPhoto(sha256=drawn_row(photo=1)["sha256"], size=1)
    store.inspections.add(NewInspection(row=drawn_row(verdict="NG", photo=1), photo=kept))
    assert len(store.reviews.next_to_review("ann")) == 1
    clock.ahead = -MINUTE
    assert store.reviews.next_to_review("bob") == []  # as a station whose clock is behind
    clock.ahead = -DAY
    assert len(store.reviews.next_to_review("bob")) == 1


def test_a_file_from_the_future_without_a_row_goes_all_the_same(clock: Clock, store: Store, photos: PhotoStore) -> None:
    kept = photos.keep(content(0))
    assert isinstance(kept, KeptPhoto)
    os.utime(photos.path(kept.sha256), times=(time.time() + 9e7,) * 2)
    assert list(strays.take_in(store, photos)) == [1]
    assert store.kept.sweep(photos, max_age=DAY, now=datetime.now(UTC) + 2 * DAY).photos == 1
