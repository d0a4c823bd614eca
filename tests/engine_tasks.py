"""Tasks that tests hand to engines, in a module that workers find too."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

from andon import resources
from andon.errors import ImageError


def times(item: int, factor: int) -> int:
    """A product, and a word to the user on seven."""
    if item == 7:
        logging.getLogger("andon").warning("seven was here")
    return item * factor


def cores(item: int, nothing: None) -> int:
    """How many a task may use."""
    return resources.cpus()


def refuse(item: int, nothing: None) -> int:
    """Raises what a user can cause, for 3."""
    if item == 3:
        raise ImageError("3 is no photo.")
    return item


def die_once(item: int, folder: Path) -> int:
    """The first worker that looks at 3 is killed."""
    if item == 3:
        try:
            (folder / "died").touch(exist_ok=False)
        except FileExistsError:
            return item
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def die(item: int, nothing: None) -> int:
    """Every worker is killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item
