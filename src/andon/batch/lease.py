"""Who works on what: a file that one worker creates, keeps alive while it works, and removes.

It takes no more than a file that only one can create, so it holds on shares and in object stores, where locks of the
operating system do not. The number at the end of its name counts the attempts: whoever takes over the work of one that
died creates the next. A worker that was only thought dead sees that, and throws away what it has done. So does all but
one of several that a store let create the same file.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import psutil

from andon.batch.asking import PlaceError
from andon.batch.place import Place

FOLDER = "locks"
BEAT = 5.0  # seconds between two signs of life
SILENCE = 60.0  # seconds without one, after which its holder counts as dead


class Found(NamedTuple):
    """The newest lease on a work, as it was read."""

    attempt: int
    content: bytes


class Lease:
    """The right to do a work, as long as `is_held`. Use it as a context manager: it keeps itself alive in a thread.

    Attributes:
        attempt: 1, or one more than that of the holder that died.
    """

    def __init__(self, place: Place, work: str, attempt: int) -> None:
        self.attempt = attempt
        self._place, self._work = place, work
        self._id = uuid.uuid4().hex
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="andon-lease", daemon=True)

    @classmethod
    def acquire(cls, place: Place, work: str) -> Lease | None:
        """The lease, as soon as it is certain that nobody has it; None where somebody has it and is alive.

        Raises:
            PlaceError: its place cannot be read or written.
        """
        while True:
            found = _newest(place, work)
            if found is not None and not _has_died(place, work, found):
                return None
            lease = cls(place, work, 1 if found is None else found.attempt + 1)
            place.create(_name(work, lease.attempt), lease._content(0))
            if lease.is_held:  # looked at again: the store may have let others create it, or lost its answer
                return lease

    @property
    def is_held(self) -> bool:
        """Whether nobody has taken over."""
        found = _newest(self._place, self._work)
        return found is not None and found.attempt == self.attempt and self._id.encode() in found.content

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if not self.is_held:
            return
        if kind is not None:  # it stays, so that the next attempt knows of this one
            self._place.write(_name(self._work, self.attempt), self._content(0, is_over=True))
            return
        for attempt in range(1, self.attempt + 1):  # the newest last, so that nobody takes an older one for it
            self._place.remove(_name(self._work, attempt))

    def _keep_alive(self) -> None:
        beat = 0
        while not self._over.wait(BEAT):
            beat += 1
            with suppress(PlaceError):  # it is away for a moment; who took over meanwhile is seen when it is back
                if not self.is_held:
                    return
                self._place.write(_name(self._work, self.attempt), self._content(beat))

    def _content(self, beat: int, *, is_over: bool = False) -> bytes:
        process = psutil.Process()
        holder = {"machine": _machine(), "host": socket.gethostname(), "pid": process.pid}
        lease = {"id": self._id, "since": process.create_time(), "beat": beat, "is_over": is_over}
        return json.dumps(holder | lease).encode()


def sweep(place: Place) -> None:
    """Remove what killed workers have left, when all work is done.

    Raises:
        PlaceError: its place cannot be read or written.
    """
    for name in place.names(FOLDER):
        place.remove(f"{FOLDER}/{name}")


def _name(work: str, attempt: int) -> str:
    return f"{FOLDER}/{work}.{attempt}"


def _newest(place: Place, work: str) -> Found | None:
    """The one with the highest number, of those that are left."""
    attempts = [int(name.removeprefix(f"{work}.")) for name in place.names(FOLDER) if name.startswith(f"{work}.")]
    try:
        return Found(max(attempts), place.read(_name(work, max(attempts)))) if attempts else None
    except FileNotFoundError:  # released in between
        return None


def _has_died(place: Place, work: str, found: Found) -> bool:
    """Whether the holder's process is gone; of one on another computer, whether it stays silent for a while."""
    if _is_gone(found.content):
        return True
    deadline = time.monotonic() + SILENCE
    while time.monotonic() < deadline:
        time.sleep(min(BEAT / 5, max(0.0, deadline - time.monotonic())))
        now = _newest(place, work)
        if now != found:
            return now is None
        if _is_gone(found.content):
            return True
    return True


def _is_gone(content: bytes) -> bool:
    """Whether its holder gave it up, or was a process of this computer that is no more."""
    try:
        holder: dict[str, Any] = json.loads(content)
        if holder["is_over"]:
            return True
        if holder["machine"] != _machine():
            return False
        return bool(psutil.Process(holder["pid"]).create_time() != holder["since"])
    except psutil.NoSuchProcess:
        return True
    except (ValueError, KeyError):  # not all of it has been written yet
        return False


def _machine() -> str:
    """This computer since it was started, and the container within: where process numbers mean the same."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 - of what the link leads to
    return socket.gethostname()
