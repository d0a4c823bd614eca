"""Drift: what a day looks like at a station, and an alarm when accepted parts change (docs/drift.md)."""

from andon.drift.daily import Day, Inspected, daily
from andon.drift.monitor import Alarm, Monitor, Settings
from andon.drift.replay import Watched, replay

__all__ = ["Alarm", "Day", "Inspected", "Monitor", "Settings", "Watched", "daily", "replay"]
