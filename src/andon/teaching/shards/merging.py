"""From the coresets of shards to that of all, with no more of them in memory than one task may hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from andon.detectors._covers import Cover


class Tree:
    """Takes covers one after the other. As many as fit are merged, and so are the results: a tree of few levels.

    The order in which covers come decides what is merged with what, so the same covers give the same one.

    Args:
        merge: what makes one cover of several.
        room: how many patches the covers of one merge hold together; two are merged whatever they hold.
    """

    def __init__(self, merge: Callable[[Sequence[Cover]], Cover], room: int) -> None:
        self._merge = merge
        self._room = room
        self._levels: list[list[Cover]] = [[]]

    def add(self, cover: Cover, level: int = 0) -> None:
        """One more."""
        if level == len(self._levels):
            self._levels.append([])
        waiting = self._levels[level]
        if len(waiting) > 1 and sum(map(len, waiting)) + len(cover) > self._room:
            self._levels[level] = []
            self.add(self._merge(waiting), level + 1)
        self._levels[level].append(cover)

    def left(self) -> list[Cover]:
        """What is to be merged in the last step: all that were added, as the covers that stand for them."""
        level = 0
        while level < len(self._levels) - 1:
            waiting, self._levels[level] = self._levels[level], []
            if waiting:
                self.add(self._merge(waiting) if len(waiting) > 1 else waiting[0], level + 1)
            level += 1
        return self._levels[-1]
