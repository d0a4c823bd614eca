"""What happens, told to pages as it happens: the store's events as server-sent events.

One task looks into the store: twice a second, and while anybody follows at once after this process has written.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi.concurrency import run_in_threadpool

from andon.errors import AndonError
from andon.server.sparing_log import SparingLog
from andon.server.station import Station
from andon.store import Event

LOG = logging.getLogger("andon")
EVERY = 0.5
ALIVE_EVERY = 15.0
MOST_AT_ONCE = 1000
BEHIND = 1000
"""So many events may a page be behind before its connection is closed; it comes back and asks from where it was."""


class Feed:
    """Tells followers of events. Of one event loop.

    Args:
        most: how many may follow.
    """

    def __init__(self, station: Station, most: int) -> None:
        self._station = station
        self._most = most
        self._followers: set[asyncio.Queue[Event | None]] = set()
        self._news = asyncio.Event()
        self._is_closed = False
        self._log = SparingLog(LOG)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._station.on_rows.append(lambda rows: self.look())
        self._task = asyncio.create_task(self._run())

    def look(self) -> None:
        """Look into the store now, if anybody follows. From any thread."""
        if self._loop is not None and self._followers:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """Let all followers go. From the loop's thread."""
        self._is_closed = True
        self._news.set()
        self._let_go()

    def has_room(self) -> bool:
        """Whether one more may follow."""
        return not self._is_closed and len(self._followers) < self._most

    async def last(self) -> int:
        """The number of the newest event.

        Raises:
            StoreError: the database cannot be used.
        """
        return await run_in_threadpool(self._station.store.events.last)

    async def follow(self, last: int) -> AsyncIterator[bytes]:
        """The events above that number as they come, as the bytes of server-sent events."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BEHIND)
        self._followers.add(queue)
        store = self._station.store.events
        try:
            yield f"retry: 2000\nid: {last}\n\n".encode()
            while missed := await run_in_threadpool(store.since, last, limit=MOST_AT_ONCE):
                for event in missed:
                    yield _told(event)
                last = missed[-1].number
            while not self._is_closed:
                try:
                    next_one = await asyncio.wait_for(queue.get(), ALIVE_EVERY)
                except TimeoutError:
                    yield b": alive\n\n"
                    continue
                if next_one is None:
                    return
                if next_one.number > last:
                    last = next_one.number
                    yield _told(next_one)
        finally:
            self._followers.discard(queue)

    async def _run(self) -> None:
        last: int | None = None
        while not self._is_closed:
            try:
                last = await self._tell(last)
            except AndonError as error:
                self._log.error(str(error))
                self._let_go()  # they come back, and are told why nothing comes
                await asyncio.sleep(ALIVE_EVERY)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), EVERY)
            self._news.clear()

    async def _tell(self, last: int | None) -> int:
        """Tell what is new since `last`, and return where it ends."""
        if last is None:
            return await self.last()
        events = await run_in_threadpool(self._station.store.events.since, last, limit=MOST_AT_ONCE)
        for event in events:
            for follower in list(self._followers):
                if follower.full():
                    self._drop(follower)
                else:
                    follower.put_nowait(event)
        return events[-1].number if events else last

    def _let_go(self) -> None:
        for follower in list(self._followers):
            self._drop(follower)

    def _drop(self, follower: asyncio.Queue[Event | None]) -> None:
        self._followers.discard(follower)
        while follower.full():
            follower.get_nowait()
        follower.put_nowait(None)


def _told(event: Event) -> bytes:
    data = json.dumps({"kind": event.kind, "subject": event.subject, "at": event.at.isoformat()})
    return f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n".encode()
