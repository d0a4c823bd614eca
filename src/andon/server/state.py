"""What routes and pages need, as `app.make_app` put it into the app's state."""

from __future__ import annotations

from fastapi import Request

from andon.server.access import Access
from andon.server.background import Background
from andon.server.feed import Feed
from andon.server.intake import Intake
from andon.server.metrics import Metrics
from andon.server.pictures import Pictures
from andon.server.station import Station


def station_of(request: Request) -> Station:
    """What is served."""
    station: Station = request.app.state.station
    return station


def access_of(request: Request) -> Access:
    """Who may do what."""
    access: Access = request.app.state.access
    return access


def background_of(request: Request) -> Background:
    """Long work beside judging."""
    background: Background = request.app.state.background
    return background


def feed_of(request: Request) -> Feed:
    """What tells pages of events."""
    feed: Feed = request.app.state.feed
    return feed


def intake_of(request: Request) -> Intake:
    """What bounds the photos that are under way."""
    intake: Intake = request.app.state.intake
    return intake


def pictures_of(request: Request) -> Pictures:
    """What makes pictures of inspections."""
    pictures: Pictures = request.app.state.pictures
    return pictures


def metrics_of(request: Request) -> Metrics:
    """What counts for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return metrics
