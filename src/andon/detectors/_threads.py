"""Threads that share the cores out among them, in each of which torch computes alone.

So how many there are changes no bit of a result: a library that splits one sum over several threads adds it up in
another order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch

from andon.inference.workers import Workers

R = TypeVar("R")

_STARTING = threading.Lock()


def over_cores(function: Callable[..., R], *items: Iterable[Any]) -> list[R]:
    """Like `map`, in order, but side by side. Any number of threads may call it at once."""
    return list(map_over_cores(function, *items))


def map_over_cores(function: Callable[..., R], *items: Iterable[Any]) -> Iterator[R]:
    """`over_cores`, each result as soon as it is known, see `Workers.map`.

    A task does not inherit the caller's `torch.inference_mode`.
    """
    return _WORKERS.map(function, *items)


def alone(function: Callable[..., R], *arguments: Any) -> R:
    """function(*arguments) where torch computes in one thread: the same bits however many cores there are."""
    (result,) = over_cores(lambda given: function(*given), [arguments])
    return result


def _begin() -> None:
    """Let torch use one thread for calls from this thread, and as many as before for all others.

    `torch.set_num_threads` sets the number of the calling thread, and also that of threads that use torch for the first
    time from then on. The latter is put back at once, by a thread that ends with it.
    """
    with _STARTING:
        before = torch.get_num_threads()  # asked for first: torch sets a thread's number when that thread first uses it
        torch.set_num_threads(1)
        putting_back = threading.Thread(target=torch.set_num_threads, args=(before,))
        putting_back.start()
        putting_back.join()


def _forget() -> None:
    """For a forked process: it must not wait for a lock that a thread of its parent held."""
    global _STARTING
    _STARTING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

_WORKERS = Workers("andon-core", _begin)
