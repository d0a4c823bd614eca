"""What a station allows, keeps and waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MOST_UNDER_WAY = 500_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Attributes:
    max_bytes: of a photo's file.
    max_megapixels: of a photo; it is asked before the photo is decoded.
    queue: how many photos a model may have taken and not answered.
    deadline: seconds from a request's first byte to its answer.
    rate: requests per second and address, photos apart, which the queue bounds.
    burst: how many of those may come at once.
    max_followers: how many pages may follow the events at once.
    grace: seconds from "not ready" to the end of listening, so that whoever distributes photos can send them elsewhere.
    keep_for: how long photos are kept; None for ever.
    keep_bytes: how many bytes of photos are kept; None for as many as the disk takes.
    """

    max_bytes: int = 50_000_000
    max_megapixels: float = 50
    queue: int = 64
    deadline: float = 10
    rate: float = 50
    burst: int = 200
    max_followers: int = 100
    grace: float = 1
    keep_for: timedelta | None = timedelta(days=90)
    keep_bytes: int | None = None

    @property
    def max_bytes_under_way(self) -> int:
        """Of all photos together that are coming in or waiting."""
        return max(MOST_UNDER_WAY, 10 * self.max_bytes)
