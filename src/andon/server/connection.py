"""A connection of a client, which must ask for something in time; and how many there may be."""

from __future__ import annotations

import asyncio
import logging

from uvicorn.protocols.http.h11_impl import H11Protocol

LOG = logging.getLogger("andon")
WITHOUT_LIMIT = 10_000


def most_connections() -> int:
    """A quarter of the files that this process may have open; who waits to be let in, photos and so on need others."""
    try:
        import resource  # not on Windows, where sockets are no files
    except ImportError:
        return WITHOUT_LIMIT
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return WITHOUT_LIMIT if most == resource.RLIM_INFINITY else most // 4


class Connection(H11Protocol):
    """HTTP/1.1 that is closed where no request has begun within the time for keeping it alive.

    uvicorn alone waits for ever for the first request, and for the rest of one whose head comes in pieces, so that
    clients that say nothing could take up all connections that a process may have. One too many is cut off at once.
    """

    is_crowded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        most = most_connections()
        crowded, Connection.is_crowded = Connection.is_crowded, len(self.connections) > most
        if Connection.is_crowded:
            if not crowded:
                LOG.warning(f"More than {most} clients are connected, so others are cut off.")
            transport.abort()
            return
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Wait no longer, if the head of a request is whole with it."""
        waiting, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None
        super().data_received(data)
        if waiting is None:
            return
        if self.cycle is None or self.cycle.response_complete:
            self.timeout_keep_alive_task = waiting
        else:
            waiting.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def _should_upgrade(self) -> bool:
        return False  # and no advice in the log
