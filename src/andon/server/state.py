"""What routes and pages need, as `app.make_app` put it together."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from andon.server.access import Access
from andon.server.background import Background
from andon.server.feed import Feed
from andon.server.intake import Intake
from andon.server.metrics import Metrics
from andon.server.pictures import Pictures
from andon.server.station import Station


@dataclass(frozen=True)
class State:
    """Attributes:
    station: what is served.
    access: who may do what.
    background: long work beside judging.
    feed: tells pages of events.
    intake: bounds the photos that are under way.
    pictures: makes pictures of inspections.
    metrics: counts for Prometheus.
    """

    station: Station
    access: Access
    background: Background
    feed: Feed
    intake: Intake
    pictures: Pictures
    metrics: Metrics


def state_of(request: Request) -> State:
    """Of the app that was asked."""
    state: State = request.app.state.andon
    return state
