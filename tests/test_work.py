"""How far a work is, on a clock that only the test moves."""

from __future__ import annotations

import pytest

from andon.work import Phase, Work


class Clock:
    """Wall time, and CPU time that passes at some share of it."""

    def __init__(self, cores: float = 1.0) -> None:
        self.seconds, self.cores = 0.0, cores

    def wall(self) -> float:
        return self.seconds

    def cpu(self) -> float:
        return self.seconds * self.cores


def photos_and_bank() -> list[Phase]:
    """What a training expects of itself."""
    return [
        Phase("reading", 200, 0.01, "file"),
        Phase("features", 200, 0.06),
        Phase("choosing", 1, 12.0, "pair"),
        Phase("folds", 10, 0.9, "pair"),
        Phase("scoring", 200, 0.03),
    ]


@pytest.mark.parametrize("cores", [0.4, 1.0, 1.9])  # another program takes some, or two work for us
@pytest.mark.parametrize("network", [0.3, 1.0, 10.0])  # times as slow as was thought
@pytest.mark.parametrize("bank", [0.8, 1.25])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75])
def test_from_a_tenth_on_the_time_left_is_right_within_30_percent(
    cores: float, network: float, bank: float, share: float
) -> None:
    clock = Clock(cores)
    work = Work(photos_and_bank(), clock.wall, clock.cpu)
    steps = []
    for phase in photos_and_bank():
        slower = {"photo": network, "pair": bank, "file": 1.0}[phase.unit]
        n = 20 if phase.items == 1 else int(phase.items)
        steps += [(phase.name, phase.items / n, slower * phase.each * phase.items / n / cores)] * n
    total = sum(seconds for _, _, seconds in steps)
    for name, items, seconds in steps:
        clock.seconds += seconds
        work.advance(name, items, items=1)
        if clock.seconds >= share * total:
            break
    assert work.left == pytest.approx(total - clock.seconds, rel=0.3)
    assert work.share == pytest.approx(clock.seconds / total, abs=0.1)


def test_at_the_end_nothing_is_left_and_before_the_beginning_all_is() -> None:
    clock = Clock()
    work = Work([Phase("one", 4, 2.0), Phase("other", 3, 1.0)], clock.wall, clock.cpu)
    assert (work.left, work.share) == (11.0, 0.0)
    for name, items in (("one", 4), ("other", 3)):
        clock.seconds += 5
        work.advance(name, items, items)
    assert (work.left, work.share) == (0.0, 1.0)


def test_what_ends_early_is_waited_for_no_more() -> None:
    clock = Clock()
    work = Work([Phase("epochs", 100, 1.0)], clock.wall, clock.cpu)
    clock.seconds += 20
    work.advance("epochs", 20, 100)
    assert work.left == pytest.approx(80)
    work.finish("epochs")
    assert work.left == 0


def test_what_nobody_expected_goes_by_its_own_pace_and_changes_no_other() -> None:
    clock = Clock()
    work = Work([Phase("features", 10, 1.0)], clock.wall, clock.cpu)
    clock.seconds += 30
    work.advance("surprise", 1, items=4)
    assert work.left == pytest.approx(3 * 30 + 10)


def test_time_between_phases_counts_to_the_later_one() -> None:
    clock = Clock()
    work = Work([Phase("one", 1, 1.0), Phase("other", 2, 1.0, "own")], clock.wall, clock.cpu)
    clock.seconds += 1
    work.advance("one", 1, 1)
    clock.seconds += 6  # nothing is said meanwhile
    work.advance("other", 1, 2)
    assert work.left == pytest.approx(6)


def test_a_phase_that_is_expected_anew_keeps_what_is_done() -> None:
    clock = Clock()
    work = Work([Phase("one", 10, 1.0)], clock.wall, clock.cpu)
    clock.seconds += 4
    work.advance("one", 4, 10)
    work.expect([Phase("one", 20, 1.0)])
    assert work.left == pytest.approx(16)
