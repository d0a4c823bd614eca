"""The monitor finds planted drifts, raises few false alarms, and goes on after it was stored."""

from __future__ import annotations

import json

import numpy as np
import pytest

from andon.drift import Monitor, Settings
from andon.drift.monitor import HORIZONS, MOST_SCORES
from andon.errors import ConfigError

DAYS, PARTS = 100, 200


def days_of_scores(n_days, *, seed, day_spread=0.1):
    """(n_days, PARTS) scores whose level differs a little from day to day."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_days, PARTS)) + rng.normal(scale=day_spread, size=(n_days, 1))


def watch(monitor, scores):
    """Each alarm, with the number of parts that had come before it."""
    alarms = []
    for day, row in enumerate(scores):
        for place, score in enumerate(row):
            if alarm := monitor.update(score, f"day {day}"):
                alarms.append((day * scores.shape[1] + place, alarm))
    if alarm := monitor.close():
        alarms.append((scores.size, alarm))
    return alarms


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("drift", "change", "shares", "most_days"),
    [
        (lambda scores, _: scores + 0.5, "higher", {0.5, 0.9}, 12),
        (lambda scores, _: scores - 0.5, "lower", {0.5, 0.9}, 12),
        (lambda scores, day: scores + 0.02 * day, "higher", {0.5, 0.9}, 30),
        (lambda scores, _: scores * 1.5, "higher", {0.9}, 12),
    ],
    ids=["half a sigma up", "half a sigma down", "a slow ramp", "wider"],
)
def test_a_planted_drift_is_found_and_dated(seed, drift, change, shares, most_days):
    scores = days_of_scores(DAYS + most_days, seed=seed)
    scores[DAYS:] = drift(scores[DAYS:], np.arange(1, most_days + 1)[:, None])
    (parts, alarm), *_ = watch(Monitor(), scores)
    assert parts > DAYS * PARTS and alarm.evidence >= 20
    assert (alarm.change, alarm.share in shares) == (change, True)
    began = int(alarm.since.removeprefix("day "))
    assert DAYS - 3 <= began <= DAYS + 15 and alarm.n_blocks > DAYS
    assert alarm.block in alarm.sentence and alarm.since in alarm.sentence and "at most 0.1" in alarm.sentence


@pytest.mark.parametrize(("shares", "bar"), [((0.5,), 10), ((0.5, 0.9), 20)])
def test_the_quantiles_share_the_probability_of_a_false_alarm(shares, bar):
    assert Settings(alpha=0.1, shares=shares).bar == pytest.approx(bar)


def test_days_that_differ_more_from_each_other_are_called_scattered():
    monitor = Monitor(Settings(shares=(0.5,)))
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(size=DAYS), rng.normal(scale=4, size=40)])
    alarms = [alarm for day, value in enumerate(values) if (alarm := monitor.add(str(day), [value]))]
    assert alarms[0].change == "scattered"
    assert "the median of the accepted parts' scores varies more than before" in alarms[0].sentence


def test_after_an_alarm_the_new_level_is_the_usual_one():
    scores = days_of_scores(2 * DAYS, seed=1)
    scores[DAYS:] += 1
    assert len(watch(Monitor(), scores)) == 1


def test_only_the_order_of_the_values_counts():
    values = np.random.default_rng(2).normal(size=(60, 2))
    plain, curved = Monitor(), Monitor()
    for day, value in enumerate(values):
        plain.add(str(day), value)
        curved.add(str(day), np.exp(3 * value))
        assert plain.evidence == curved.evidence


def test_a_stored_monitor_goes_on_as_if_nothing_had_happened():
    scores = days_of_scores(60, seed=3)
    scores[40:] += 2
    unbroken, stored = Monitor(), Monitor()
    whole = watch(unbroken, scores)
    alarms = []
    for place, score in enumerate(scores.ravel()):
        if place % 737 == 0:
            stored = Monitor.from_dict(json.loads(json.dumps(stored.to_dict())))
        if alarm := stored.update(score, f"day {place // PARTS}"):
            alarms.append((place, alarm))
    stored.close()
    assert alarms == whole and whole
    assert stored.to_dict() == unbroken.to_dict() and stored.evidence == unbroken.evidence


def test_it_stays_small():
    monitor = Monitor(Settings(horizon=10, alpha=0.01))
    ascending = np.arange(20_000.0)
    for score in ascending:
        monitor.update(score, "one long day")
    assert len(json.dumps(monitor.to_dict())) < 15 * MOST_SCORES
    monitor.close()
    assert monitor.values[0] == pytest.approx((10_000, 18_000), rel=0.05)  # of all parts, early and late
    values = np.random.default_rng(4).normal(size=(10 * HORIZONS, 2))
    for day, value in enumerate(values):
        monitor.add(str(day), value)
    assert monitor.names == [str(len(values) - 1)]


def test_a_day_of_few_parts_is_passed_over():
    monitor = Monitor(Settings(least=5))
    for place, day in enumerate("aaaabbbbbcdddd"):
        monitor.update(float(place), day)
    assert monitor.close() is None and monitor.names == ["b"]
    assert monitor.values[0] == pytest.approx((6.0, 7.6))
    assert monitor.close() is None


def test_restart_forgets_everything():
    monitor = Monitor(Settings(least=1))
    for place in range(6):
        monitor.update(float(place), str(place // 2))
    monitor.restart()
    assert (monitor.names, monitor.open_block, monitor.evidence) == ([], None, 1.0)


def test_lots_are_drawn_anew_after_a_restart():
    monitor = Monitor()
    monitor.add("monday", [1.0, 1.0])
    before = monitor.evidence
    monitor.restart()
    monitor.add("tuesday", [1.0, 1.0])
    assert monitor.evidence != before


def test_what_is_no_score_is_refused():
    monitor = Monitor()
    with pytest.raises(ValueError, match="nan is not a finite number"):
        monitor.update(float("nan"), "monday")
    with pytest.raises(ValueError, match="name the day"):
        monitor.update(1.0, "")
    with pytest.raises(ValueError, match="expected 2 finite numbers"):
        monitor.add("monday", [1.0])
    with pytest.raises(ValueError, match="expected 2 finite numbers"):
        monitor.add("monday", [1.0, float("inf")])
    assert monitor.names == [] and monitor.open_block is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"alpha": 1.0}, "alpha is 1.0"),
        ({"horizon": 9}, "horizon is 9"),
        ({"shares": ()}, "shares is"),
        ({"shares": (0.5, 1.0)}, "shares is"),
        ({"least": 0}, "least is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Settings(**settings)


@pytest.mark.parametrize(
    "damage",
    [
        {"stretch": -1},
        {"stretch": "one"},
        {"names": ["a"]},
        {"names": ["a"], "values": [[1.0]]},
        {"names": [str(day) for day in range(40)], "values": [[2.0**day, 2.0**day] for day in range(40)]},
        {"open_block": {"name": "a", "n": 3, "scores": [1.0]}},
        {"unknown": 1},
    ],
    ids=["below 0", "no number", "no values", "too few values", "an alarm", "lost scores", "unknown"],
)
def test_a_damaged_state_is_refused_in_one_sentence(damage):
    with pytest.raises(ConfigError):
        Monitor.from_dict(Monitor().to_dict() | damage)


@pytest.mark.endurance
@pytest.mark.timeout(600)
def test_of_1000_years_without_drift_no_more_have_an_alarm_than_promised():
    settings = Settings()
    rng = np.random.default_rng(9)
    alarms = []
    for year in range(1000):
        monitor = Monitor(Settings(seed=year))
        medians = rng.normal(size=settings.horizon)
        values = np.stack([medians, medians + rng.exponential(size=settings.horizon)], axis=1)
        alarms.append(sum(monitor.add(str(day), value) is not None for day, value in enumerate(values)))
    assert np.mean(np.array(alarms) > 0) <= settings.alpha
    assert np.mean(alarms) <= settings.alpha / (1 - settings.alpha)
