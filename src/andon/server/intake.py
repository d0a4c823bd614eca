"""How much memory photos take that are coming in or waiting: bounded, however many clients send how slowly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from andon.server.desk import BusyError

RETRY_AFTER = 1


class Intake:
    """The bytes of all photos from their arrival to their answer. Of one event loop.

    Args:
        most: how many there may be. A photo with which there are more is refused, and the others go on.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @contextmanager
    def photo(self) -> Iterator[Arriving]:
        """A photo; at the end of the block it is answered."""
        arriving = Arriving(self)
        try:
            yield arriving
        finally:
            self._held -= arriving.size

    def hold(self, size: int) -> None:
        """Take so many bytes more.

        Raises:
            BusyError: that would be too many.
        """
        if self._held + size > self._most:
            raise BusyError(f"Photos of {self._held / 1e6:.0f} MB are under way already", RETRY_AFTER)
        self._held += size


class Arriving:
    """A photo that is coming in, of which so many bytes are held."""

    def __init__(self, intake: Intake) -> None:
        self.size = 0
        self._intake = intake

    async def read(self, stream: AsyncIterator[bytes]) -> bytes:
        """All of it.

        Raises:
            BusyError: there is no room for it.
        """
        data = bytearray()
        try:
            async for chunk in stream:
                self._intake.hold(len(chunk))
                self.size += len(chunk)
                data += chunk
            return bytes(data)
        finally:
            data.clear()  # an error holds on to it while the rest of the request is read
