"""What a station sends to webhooks and brokers."""

from __future__ import annotations

from andon.delivery import Deliverer
from andon.server.station import Station


class Sending:
    """Sends what the outbox holds. A helper of a station."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer

    def start(self, station: Station) -> None:
        """Begin."""
        self._deliverer.start()

    def stop(self) -> None:
        """End; what was not sent is sent next time."""
        self._deliverer.stop()
