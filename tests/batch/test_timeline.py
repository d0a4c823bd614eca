"""The bars of a batch's page, and how they are drawn."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from andon.batch.timeline import NOWHERE, Timeline
from andon.drift.shares import limits
from andon.reports.pages.batch_charts import Bar, charts

NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
DAY = 86_400.0


def times_of(*parts: tuple[int, float, float]) -> np.ndarray:
    """So many photos from one day on to another, counted from noon."""
    return np.concatenate([NOON.timestamp() + DAY * np.linspace(first, last, n) for n, first, last in parts])


class TestTimeline:
    @pytest.mark.parametrize(
        ("days", "unit", "bars", "first"),
        [
            (0.1, "10 minutes", 15, "2026-10-20 12:00"),
            (2, "hour", 49, "2026-10-20 12:00"),
            (10, "8 hours", 31, "2026-10-20 08:00"),
            (30, "day", 31, "2026-10-20"),
            (400, "week", 58, "2026-10-19"),
        ],
    )
    def test_bars_are_as_short_as_there_is_room_for(self, days: float, unit: str, bars: int, first: str) -> None:
        times = times_of((1000, 0, days))
        timeline = Timeline.over([times], 1000)
        assert (timeline.unit, timeline.bars, timeline.label(0)) == (unit, bars, first)
        counts = np.bincount(timeline.bars_of(0, times), minlength=bars)
        assert counts.sum() == 1000
        assert counts.min() > 0

    def test_days_begin_at_midnight_in_utc(self) -> None:
        times = times_of((100, -20, 20))
        timeline = Timeline.over([times], 100)
        midnight = datetime(2026, 10, 21, tzinfo=UTC).timestamp()
        before, after = timeline.bars_of(0, np.array([midnight - 1, midnight]))
        assert (timeline.label(before), timeline.label(after)) == ("2026-10-20", "2026-10-21")

    def test_a_clock_that_was_never_set_does_not_squeeze_all_others_into_one_bar(self) -> None:
        times = np.append(times_of((5000, 0, 30)), datetime(1980, 1, 1, tzinfo=UTC).timestamp())
        timeline = Timeline.over([times], len(times))
        assert (timeline.unit, timeline.bars) == ("day", 31)
        assert timeline.label(0) == "2026-10-20 and before"
        assert timeline.label(30) == "2026-11-19"
        assert timeline.bars_of(0, times)[-1] == 0

    @pytest.mark.parametrize(
        "times", [np.full(95, NOON.timestamp()), np.where(np.arange(95) % 3, np.nan, np.arange(95) * DAY)]
    )
    def test_times_that_say_nothing_give_way_to_the_photos_order(self, times: np.ndarray) -> None:
        timeline = Timeline.over([times[:60], times[60:]], 95)
        assert timeline.unit == ""
        placed = np.concatenate([timeline.bars_of(0, times[:60]), timeline.bars_of(60, times[60:])])
        for bar in range(timeline.bars):
            (held,) = np.nonzero(placed == bar)
            assert timeline.label(bar) == f"photos {held[0] + 1} to {held[-1] + 1}"
        assert timeline.bars == 9

    def test_a_photo_without_a_time_is_in_no_bar(self) -> None:
        times = times_of((100, 0, 30))
        times[7] = np.nan
        placed = Timeline.over([times], 100).bars_of(0, times)
        assert np.flatnonzero(placed == NOWHERE).tolist() == [7]


class TestCharts:
    """Bars from Monday on: 60 OK and 40 NG, no photo, 5 OK and 5 that could not be inspected."""

    BARS = (
        Bar(label="Mon", verdicts={"OK": 60, "NG": 40}, median=1.0, high=2.0),
        Bar(label="Tue", verdicts={}),
        Bar(label="Wed", verdicts={"OK": 5, "error": 5}, median=1.0, high=1.0),
    )

    @pytest.mark.parametrize(
        ("ng", "top"), [(0, "1.0"), (1, "1.0"), (2, "2.0"), (3, "5.0"), (42, "50.0"), (100, "100.0")]
    )
    def test_the_upper_edge_of_shares_is_the_next_round_one(self, ng: int, top: str) -> None:
        _, shares, *_ = charts([Bar(label="Mon", verdicts={"OK": 100 - ng, "NG": ng}, median=1.0, high=2.0)], None, 2.0)
        assert (shares.heading, shares.top) == ("NG", f"{top}\N{NO-BREAK SPACE}%")

    def test_bars_are_as_high_as_their_shares(self) -> None:
        verdicts, ng, lost, scores = charts(self.BARS, None, threshold=2.0)
        assert [(rect.kind, rect.y, rect.height) for rect in verdicts.rects] == [
            ("OK", 40, 60),
            ("NG", 0, 40),
            ("OK", 95, 5),
            ("error", 90, 5),
        ]
        assert verdicts.top == "100"
        (monday,) = ng.rects
        assert (monday.title, monday.height) == ("Mon: 40.0\N{NO-BREAK SPACE}%", 80)
        assert ng.top == "50.0\N{NO-BREAK SPACE}%"
        (wednesday,) = lost.rects
        assert (wednesday.title, wednesday.x > 2000 / 3) == ("Wed: 50.0\N{NO-BREAK SPACE}%", True)
        assert (scores.bottom, scores.top) == ("0.8500", "2.150")
        median = next(line.path for line in scores.lines if line.kind == "median")
        assert median == "M0.00 88.46H333.33M666.67 88.46H1000.00"

    def test_only_bars_beyond_the_limits_are_dark(self) -> None:
        bars = [Bar(label=f"{n}", verdicts={"OK": 1000, "NG": 80 if n == 4 else 20}) for n in range(12)]
        found = limits([bar.verdicts["NG"] for bar in bars], [bar.judged for bar in bars])
        ng = list(charts(bars, found, 1.0))[1]
        assert [rect.kind for rect in ng.rects] == ["NG" if n == 4 else "NG pale" for n in range(12)]
        assert "beyond the limits" in ng.rects[4].title
