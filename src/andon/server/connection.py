"""A connection of a client, which must ask for something in time."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """HTTP/1.1 that is closed where no request has begun within the time for keeping it alive.

    uvicorn alone waits for ever for the first request, and for the rest of one whose head comes in pieces, so that
    clients that say nothing could take up all connections that a process may have.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
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
