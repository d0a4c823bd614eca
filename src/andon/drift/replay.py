"""What monitors say of days that are summed up already, so that no monitor need be stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from andon.drift.daily import SHARES, Day
from andon.drift.monitor import Alarm, Monitor, Settings
from andon.errors import ConfigError


@dataclass
class Watched:
    """A station's days with one model.

    Attributes:
        monitor: after the last of them.
        evidence: for a change, after each day that was taken, by its name (2026-03-04); compare with `settings.bar`.
        alarms: in order.
    """

    monitor: Monitor
    evidence: dict[str, float] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)


def replay(days: Iterable[Day], settings: Settings | None = None) -> dict[tuple[str, str], Watched]:
    """By station and digest of the model, what a monitor has to say.

    Args:
        days: in order, each of them over: one that goes on would be taken for a whole one.

    Raises:
        ConfigError: a quantile is to be watched that `daily` does not give.
    """
    settings = settings or Settings()
    if missing := set(settings.shares) - set(SHARES):
        raise ConfigError(f"A day has no quantile {min(missing)}; watch some of {', '.join(map(str, SHARES))}.")
    found: dict[tuple[str, str], Watched] = {}
    for day in days:
        watched = found.setdefault((day.station, day.model_sha256), Watched(Monitor(settings)))
        if day.ok_scores and day.ok_scores.n >= settings.least:
            _take(watched, str(day.day), [day.ok_scores.by_share[share] for share in settings.shares])
    return found


def _take(watched: Watched, name: str, values: list[float]) -> None:
    alarm = watched.monitor.add(name, values)
    watched.evidence[name] = alarm.evidence if alarm else watched.monitor.evidence
    if alarm:
        watched.alarms.append(alarm)
