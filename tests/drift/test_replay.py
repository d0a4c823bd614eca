"""Days that are summed up tell the same as a monitor that saw each of them end."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from andon.drift import Day, Monitor, Settings, replay
from andon.drift.daily import Reviews, quantiles
from andon.errors import ConfigError


def day(number, scores, *, station="A", model="screw"):
    return Day(
        day=date(2026, 1, 1) + timedelta(days=number),
        station=station,
        model=model,
        model_sha256=f"digest of {model}",
        verdicts={"OK": len(scores)},
        ok_scores=quantiles(scores),
        reasons={},
        reviews=Reviews({}),
        measured={},
    )


def test_each_station_and_model_is_watched_for_itself():
    rng = np.random.default_rng(1)
    drifting = rng.normal(size=(60, 100))
    drifting[40:] += 2
    steady = rng.normal(size=(60, 100))
    days = [each for n in range(60) for each in (day(n, drifting[n]), day(n, steady[n] + 2 * (n % 2), station="B"))]
    days += [day(70, rng.normal(size=100) + 99, model="bolt")]
    watched = replay(days)
    assert list(watched) == [("A", "digest of screw"), ("B", "digest of screw"), ("A", "digest of bolt")]
    (alarm,) = watched["A", "digest of screw"].alarms
    assert alarm.since == "2026-02-10" and alarm.block > alarm.since  # the 41st day
    assert [len(each.alarms) for each in watched.values()] == [1, 0, 0]

    monitor = Monitor()
    for n, scores in enumerate(drifting):
        for score in scores:
            monitor.update(score, str(date(2026, 1, 1) + timedelta(days=n)))
    monitor.close()
    of_a = watched["A", "digest of screw"]
    assert of_a.monitor.to_dict() == monitor.to_dict()
    assert of_a.evidence[alarm.block] == alarm.evidence and of_a.evidence["2026-03-01"] == monitor.evidence


def test_days_of_few_accepted_parts_are_passed_over():
    days = [day(0, []), day(1, [1.0] * 4), day(2, [1.0] * 5)]
    assert list(replay(days, Settings(least=5))["A", "digest of screw"].evidence) == ["2026-01-03"]


def test_a_quantile_that_days_do_not_have_is_refused():
    with pytest.raises(ConfigError, match=r"no quantile 0\.8"):
        replay([], Settings(shares=(0.5, 0.8)))
