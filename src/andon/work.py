"""How far a work of several phases is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

TRUSTED = 0.15  # of a phase: from here on its pace alone counts, before it also what was expected
LEAST_CPU = 0.5  # seconds, before which it is not known how fast they pass


@dataclass
class Phase:
    """A part of a work.

    Attributes:
        name: what is being done, for people.
        items: how many there are to do.
        each: the seconds of CPU time that one is expected to take.
        unit: what it spends its time on. Phases of one unit are slower or faster than expected together.
        done: how many are done.
        seconds: spent so far.
    """

    name: str
    items: float
    each: float
    unit: str = "photo"
    done: float = 0.0
    seconds: float = 0.0


class Work:
    """Phases one after the other. What passes between two of them counts to the later one.

    A phase that has begun goes on at its own pace. One that has not is expected to be as much slower or faster than was
    thought as the phases of its unit were so far; where none of them has begun, the work goes on to get as much CPU
    time per second as it has got so far.

    Args:
        clock: gives seconds.
        cpu: gives seconds of CPU time.
    """

    def __init__(
        self,
        phases: Iterable[Phase] = (),
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self._phases: dict[str, Phase] = {}
        self._clock, self._cpu = clock, cpu
        self._started = self._last = clock()
        self._cpu_before = cpu()
        self.expect(phases)

    def expect(self, phases: Iterable[Phase]) -> None:
        """Count these in, in place of what was expected under their names."""
        for phase in phases:
            before = self._phases.get(phase.name, phase)
            phase.done, phase.seconds = before.done, before.seconds
            self._phases[phase.name] = phase

    def advance(self, name: str, done: float, items: float) -> None:
        """So many more items of a phase are done, of `items` where nobody expected it."""
        phase = self._phases.setdefault(name, Phase(name, items, 0.0, name))
        now = self._clock()
        phase.seconds += now - self._last
        phase.done = min(phase.done + done, phase.items)
        self._last = now

    def finish(self, name: str) -> None:
        """Whatever is not done of the phase need not be."""
        if phase := self._phases.get(name):
            phase.items = phase.done

    def done(self, name: str) -> float:
        """How many of the phase's items are done."""
        return self._phases[name].done if name in self._phases else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return self._clock() - self._started

    @property
    def left(self) -> float:
        """Seconds that the work will still take."""
        return sum(self._left(phase) for phase in self._phases.values())

    @property
    def share(self) -> float:
        """How much of the work's time has passed, in [0, 1]."""
        return self.elapsed / max(self.elapsed + self.left, 1e-9)

    def _left(self, phase: Phase) -> float:
        """Seconds. The more of the phase is done, the more its own pace counts."""
        each = phase.each * self._pace(phase.unit)
        if phase.done:
            trust = min(1.0, phase.done / (TRUSTED * phase.items)) if each else 1.0
            each = trust * phase.seconds / phase.done + (1 - trust) * each
        return (phase.items - phase.done) * each

    def _pace(self, unit: str) -> float:
        """How many seconds the phases of this unit take for each second of CPU time that was expected."""
        cpu = self._cpu() - self._cpu_before
        pace = self.elapsed / cpu if cpu > LEAST_CPU else 1.0
        begun = [phase for phase in self._phases.values() if phase.unit == unit and phase.done and phase.each]
        if not begun:
            return pace
        done, of = sum(phase.done * phase.each for phase in begun), sum(phase.items * phase.each for phase in begun)
        trust = min(1.0, done / (TRUSTED * of))
        return trust * sum(phase.seconds for phase in begun) / done + (1 - trust) * pace
