"""The charts of a batch's page: verdicts, shares and scores over time, as bars and lines of an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from andon.drift.shares import SIGMAS, Limits
from andon.reports.number_format import number, percent
from andon.rows import PART_VERDICTS

STACK = {"OK": "OK", "review": "review", "NG": "NG", "invalid": "invalid", "error": "not inspected"}
"""From below, with words."""
WIDTH, HEIGHT = 1000, 100  # of a chart, in units of its own
LEAST_HEIGHT = 1.0  # so that one photo among thousands can still be seen
GAP = 0.15  # between two bars, as a share of their pitch
EDGES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # shares that the upper edge may stand for
MARGIN = 0.15  # above and below all scores that are drawn, as a share of their range


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The photos of a stretch of time.

    Attributes:
        label: when it begins, or which photos it holds.
        verdicts: how many photos have each; "error" for those that could not be inspected.
        median, high: of the scores of judged photos, and what 95 % of them do not exceed; None where there is none.
    """

    label: str
    verdicts: Mapping[str, int]
    median: float | None = None
    high: float | None = None

    @property
    def total(self) -> int:
        """How many photos."""
        return sum(self.verdicts.values())

    @property
    def judged(self) -> int:
        """How many of them show a part."""
        return sum(self.verdicts.get(verdict, 0) for verdict in PART_VERDICTS)


class Rect(NamedTuple):
    """A bar of a chart, in the chart's units; y goes down."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


class Line(NamedTuple):
    """A line of a chart: what it is, in words, and its path in the chart's units, as SVG has it."""

    kind: str
    words: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars side by side, and lines over them.

    Attributes:
        top, bottom: what the edges stand for.
        key: kinds of bars and what they are, where there are several.
    """

    heading: str
    meaning: str
    top: str
    bottom: str = "0"
    rects: Sequence[Rect] = ()
    lines: Sequence[Line] = ()
    key: Mapping[str, str] = field(default_factory=dict)

    @property
    def key_of_lines(self) -> dict[str, str]:
        """Kinds of lines and what they are, each once."""
        return {line.kind: line.words for line in self.lines}


def charts(bars: Sequence[Bar], of_ng: Limits | None, threshold: float) -> Iterator[Chart]:
    """Those that have something to show.

    Args:
        of_ng: the limits of the share of NG photos.
        threshold: of the scores.
    """
    yield _verdicts(bars)
    yield _shares("NG", "NG", "Of the photos of parts.", bars, [_share(bar, "NG") for bar in bars], of_ng)
    if any(bar.verdicts.get("review") for bar in bars):
        yield _shares("review", "For review", "Of the photos of parts.", bars, [_share(bar, "review") for bar in bars])
    if any(map(_lost, bars)):
        meaning = "Of all photos: a camera, a light or a store that fails shows here."
        yield _shares("invalid", "Invalid or not inspected", meaning, bars, [_lost(bar) for bar in bars])
    if any(bar.median is not None for bar in bars):
        yield _scores(bars, threshold)


def _verdicts(bars: Sequence[Bar]) -> Chart:
    most = max(bar.total for bar in bars)
    rects = []
    for place, bar in enumerate(bars):
        below = 0.0
        for kind in STACK:
            if count := bar.verdicts.get(kind, 0):
                height = HEIGHT * count / most
                title = f"{bar.label}: {count:,} {STACK[kind]}"
                rects.append(_rect(place, len(bars), below, height, kind, title))
                below += height
    key = {kind: words for kind, words in STACK.items() if any(bar.verdicts.get(kind) for bar in bars)}
    return Chart(heading="Verdicts", meaning="Photos with each verdict.", top=f"{most:,}", rects=rects, key=key)


def _shares(
    kind: str, heading: str, meaning: str, bars: Sequence[Bar], shares: Sequence[float], of: Limits | None = None
) -> Chart:
    """Bars that lie beyond the limits are darker, by their kind."""
    top = _edge(max([*shares, *(of.high if of else ())]))
    rects = []
    for place, (bar, share) in enumerate(zip(bars, shares, strict=True)):
        is_beyond = of is not None and of.beyond[place]
        title = f"{bar.label}: {percent(share)}{', beyond the limits' if is_beyond else ''}"
        if share:
            pale = "" if of is None or is_beyond else " pale"
            rects.append(_rect(place, len(bars), 0, max(LEAST_HEIGHT, HEIGHT * share / top), kind + pale, title))
    lines = []
    if of is not None:
        meaning += (
            f" The lines are the mean and the limits that shares of so many photos usually keep ({SIGMAS:g} σ, "
            "p′ chart); bars beyond them are dark."
        )
        known = [bar.judged > 0 for bar in bars]
        for name, values in (("mean", [of.mean] * len(bars)), ("limit", of.high), ("limit", of.low)):
            heights = [
                HEIGHT * value / top if is_known else None for value, is_known in zip(values, known, strict=True)
            ]
            lines.append(Line(name, name, _steps(heights)))
    return Chart(heading=heading, meaning=meaning, top=percent(top), rects=rects, lines=lines)


def _edge(highest: float) -> float:
    """The next round share, so that what stands at the upper edge is easy to read; 0.01 at least."""
    return next((edge for edge in EDGES if highest <= edge), 1.0)


def _scores(bars: Sequence[Bar], threshold: float) -> Chart:
    """On a scale that does not begin at 0, so that a change of some percent is seen."""
    values = [threshold, *(value for bar in bars for value in (bar.median, bar.high) if value is not None)]
    margin = MARGIN * (max(values) - min(values)) or 1.0
    low, high = min(values) - margin, max(values) + margin

    def steps(heights: Sequence[float | None]) -> str:
        return _steps([None if height is None else HEIGHT * (height - low) / (high - low) for height in heights])

    return Chart(
        heading="Scores",
        meaning="Of the photos of parts: if these lines move, the parts, the light or the camera change.",
        top=number(high),
        bottom=number(low),
        lines=[
            Line("high", "95 % are below", steps([bar.high for bar in bars])),
            Line("median", "median", steps([bar.median for bar in bars])),
            Line("limit", "NG from here on", steps([threshold] * len(bars))),
        ],
    )


def _share(bar: Bar, verdict: str) -> float:
    return bar.verdicts.get(verdict, 0) / bar.judged if bar.judged else 0.0


def _lost(bar: Bar) -> float:
    return (bar.total - bar.judged) / bar.total if bar.total else 0.0


def _rect(place: int, places: int, below: float, height: float, kind: str, title: str) -> Rect:
    pitch = WIDTH / places
    x, y = pitch * (place + GAP / 2), HEIGHT - below - height
    return Rect(round(x, 2), round(y, 2), round(pitch * (1 - GAP), 2), round(height, 2), kind, title)


def _steps(heights: Sequence[float | None]) -> str:
    """A level line over each place whose height is known, joined to that of the place before."""
    pitch, path, is_on = WIDTH / len(heights), "", False
    for place, height in enumerate(heights):
        if height is not None:
            y = round(HEIGHT - height, 2)
            path += f"V{y:g}" if is_on else f"M{place * pitch:.2f} {y:g}"
            path += f"H{(place + 1) * pitch:.2f}"
        is_on = height is not None
    return path
