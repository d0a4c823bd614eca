"""How often the drift monitor is wrong without drift, and how long it takes with one; the figures of docs/drift.md.

    python benchmarks/drift.py

All scores are drawn: a line makes 4,000 parts on each of 250 days a year, 50 in twelve minutes, 250 in an hour, and a
part's score deviates by 1 from the line's level. It takes some minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from andon.drift import Alarm, Monitor, Settings

Values = NDArray[np.float64]
PARTS, DAYS = 4000, 250
BLOCKS = {"50 parts": 50, "an hour": 250, "a day": PARTS}
DRIFTS: dict[str, Callable[[Values], tuple[Values, float]]] = {
    "0.5 up": lambda days: (0 * days + 0.5, 1.0),
    "0.5 down": lambda days: (0 * days - 0.5, 1.0),
    "0.02 up a day": lambda days: (0.02 * days, 1.0),
    "1.5 times as wide": lambda days: (0 * days, 1.5),
}
"""Days (n, 1) since the drift began -> what is added to the scores (n, 1), and how much wider they are."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, default=1000, help="without drift (1000)")
    parser.add_argument("--alike", type=int, default=10, help="years of parts that resemble their neighbours (10)")
    parser.add_argument("--lines", type=int, default=100, help="with each planted drift (100)")
    options = parser.parse_args()
    without_drift(options.years)
    parts_alike(options.alike)
    with_drift(options.lines)


def alarms(values: Values, settings: Settings, *, first_only: bool = False) -> list[tuple[int, Alarm]]:
    """Of one line with (n, 2) values of its blocks, each alarm with the place of the block that raised it."""
    monitor, found = Monitor(settings), []
    for place, value in enumerate(values):
        if alarm := monitor.add(str(place), value):
            found.append((place, alarm))
            if first_only:
                break
    return found


def summed_up(scores: Values, size: int) -> Values:
    """(n, 2) watched quantiles of each block of `size` parts."""
    return np.quantile(scores.reshape(-1, size), Settings().shares, axis=1).T


def without_drift(years: int) -> None:
    settings = Settings()
    rng = np.random.default_rng(0)
    print(f"{years} years without drift: {DAYS} days, a block is a day, promised at most {settings.alpha:g}")
    draws: dict[str, Callable[[], Values]] = {
        "normal, days differ by 0.3": lambda: rng.normal(size=(DAYS, 400)) + rng.normal(scale=0.3, size=(DAYS, 1)),
        "heavy tails (Student's t, 2)": lambda: rng.standard_t(2, size=(DAYS, 400)),
        "few different scores": lambda: rng.poisson(1, size=(DAYS, 400)).astype(np.float64),
    }
    for name, draw in draws.items():
        counts = [len(alarms(summed_up(draw(), 400), Settings(seed=year))) for year in range(years)]
        with_alarm = np.mean(np.array(counts) > 0)
        print(f"  {name:30s} years with an alarm {with_alarm:.3f} alarms a year {np.mean(counts):.3f}")


def parts_alike(years: int) -> None:
    """Share of years with an alarm although nothing drifts, where parts resemble those before them."""
    rng = np.random.default_rng(1)
    n = PARTS * DAYS

    def groups(size: int, spread: float) -> Values:
        return np.repeat(rng.normal(scale=spread, size=n // size), size) + rng.normal(size=n)

    kinds: dict[str, Callable[[], Values]] = {
        "independent parts": lambda: rng.normal(size=n),
        "half of the variance lasts 5 parts": lambda: groups(5, 1.0),
        "lots of 500 parts differ by 0.3": lambda: groups(500, 0.3),
        "days differ by 0.1": lambda: groups(PARTS, 0.1),
        "days differ by 0.5": lambda: groups(PARTS, 0.5),
        "weeks differ by 0.3": lambda: groups(5 * PARTS, 0.3),
    }
    print(
        f"\n{years} years without drift, whose parts resemble their neighbours: years with an alarm, where a block is"
    )
    print(f"  {'':42s}" + "".join(f"{name:>10s}" for name in BLOCKS))
    for kind, draw in kinds.items():
        counts = dict.fromkeys(BLOCKS, 0)
        for year in range(years):
            scores = draw()
            for name, size in BLOCKS.items():
                settings = Settings(horizon=n // size, seed=year)
                counts[name] += bool(alarms(summed_up(scores, size), settings, first_only=True))
        print(f"  {kind:42s}" + "".join(f"{count:>10d}" for count in counts.values()), flush=True)


def with_drift(lines: int) -> None:
    rng = np.random.default_rng(2)
    print(
        "\nA drift begins: parts until the alarm (median, and of nine in ten lines), lines where it was not found, and"
    )
    print("lines with an alarm before it began")
    by_day = [summed_up(rng.normal(size=(DAYS, PARTS)), PARTS) for _ in range(lines)]
    for begins, spread in ((100, 0.0), (100, 0.1), (100, 0.3), (30, 0.1)):
        print(f"  a block is a day, days differ by {spread:g}, from day {begins} on, {lines} lines")
        report_delays(by_day, PARTS, begins, spread)
    few, days = max(1, lines // 10), 120
    by_50 = [summed_up(rng.normal(size=(days * PARTS // 50, 50)), 50) for _ in range(few)]
    print(f"  a block is 50 parts, days do not differ, from day 100 on, {few} lines")
    report_delays(by_50, 50, 100, 0.0)


def report_delays(lines: Sequence[Values], size: int, begins: int, spread: float) -> None:
    """One row for each drift, planted in each line's (n, 2) values of blocks of `size` parts."""
    rng = np.random.default_rng(3)
    per_day = PARTS // size
    days = np.arange(len(lines[0])) / per_day - begins
    for name, drift in DRIFTS.items():
        level, width = drift(np.maximum(days, 0)[:, None])
        firsts = []
        for seed, usual in enumerate(lines):
            of_days = np.repeat(rng.normal(scale=spread, size=(len(usual) // per_day, 1)), per_day, axis=0)
            values = np.where(days[:, None] >= 0, level + width * usual, usual) + of_days
            firsts.append(alarms(values, Settings(horizon=DAYS * per_day, seed=seed), first_only=True))
        print(f"    {name:18s}{delays(firsts, begins * per_day, size)}", flush=True)


def delays(firsts: Iterable[Sequence[tuple[int, Alarm]]], begins: int, size: int) -> str:
    places = np.array([found[0][0] if found else np.inf for found in firsts])
    delay = np.sort(places[places >= begins] - begins + 1) * size
    shown = (delay[min(int(share * len(delay)), len(delay) - 1)] for share in (0.5, 0.9))
    columns = [f"{parts:,.0f}" if np.isfinite(parts) else "never" for parts in shown]
    return "".join(f"{cell:>10}" for cell in (*columns, np.isinf(places).sum(), (places < begins).sum()))


if __name__ == "__main__":
    main()
