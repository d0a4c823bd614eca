"""One self-contained HTML page per comparison: what is shown, the figures, and the photos that tell methods apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from andon.evaluation import metrics
from andon.evaluation.headlines import (
    AT_THRESHOLD,
    ESCAPES,
    FALSE_REJECTS,
    HEADLINES,
    NG_REVIEWS,
    OK_REVIEWS,
    SEPARATION,
)
from andon.reports.figures import count_of, interval_of, title_of, value_of
from andon.reports.pages.conclusions import conclusions, difference, ranked
from andon.reports.pages.templates import template
from andon.reports.plots.differences import difference_plot
from andon.reports.plots.operating_points import OperatingPoint, operating_plot


class Said(NamedTuple):
    """What one method said of a photo, with a picture of where (JPEG)."""

    method: str
    verdict: str
    sigma: float
    jpeg: bytes


class Disputed(NamedTuple):
    """A photo that was given different verdicts, as JPEG, with the ground truth outlined where it `is_marked`."""

    name: str
    label: str
    jpeg: bytes
    is_marked: bool
    said: tuple[Said, ...]


class DifferenceRow(NamedTuple):
    """A difference in the table of all."""

    figure: str
    of: str
    against: str
    value: str
    interval: str
    is_shown: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonPage:
    """All that the page says.

    Attributes:
        figures: the dictionary that `andon compare --json` prints.
        disputed: photos to show; their number in all is in the figures.
        recipes: name of a method -> its recipe as nested plain values.
        machine: what the times were measured on.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    disputed: tuple[Disputed, ...]
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    machine: str = ""

    def to_html(self) -> str:
        """The page as text."""
        return template("comparison.html").render(
            page=self,
            figures=self.figures,
            conclusions=conclusions(self.figures),
            columns=[(name, title_of(name), metrics.describe(name).meaning) for name in HEADLINES],
            value_of=value_of,
            interval_of=interval_of,
            count_of=count_of,
            operating_plot=_operating_plot(self.figures),
            plots=list(_plots(self.figures)),
            differences=list(_rows(self.figures)),
        )


def _rows(figures: Mapping[str, Any]) -> Iterator[DifferenceRow]:
    for found in figures["differences"]:
        name, (low, high) = found["figure"], found["interval"]
        is_share = metrics.describe(name).unit == "share"
        signed = _signed_share if is_share else _signed_index
        yield DifferenceRow(
            title_of(name),
            found["of"],
            found["against"],
            signed(found["difference"]),
            f"{signed(low)} to {signed(high)}{' percentage points' if is_share else ''}",
            found["is_shown"],
        )


def _operating_plot(figures: Mapping[str, Any]) -> bytes | None:
    """None where there are no methods, or no OK or no NG photos, so that a rate is undefined."""
    methods = figures["methods"]
    if not methods or any(method[name] is None for method in methods for name in AT_THRESHOLD):
        return None
    return operating_plot(
        [
            OperatingPoint(
                method["name"],
                method[FALSE_REJECTS],
                method[ESCAPES],
                method["intervals"][FALSE_REJECTS],
                method["intervals"][ESCAPES],
                method[OK_REVIEWS],
                method[NG_REVIEWS],
            )
            for method in methods
        ]
    )


def _plots(figures: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Differences to the best method, of each figure of separation that is defined for two methods or more."""
    for name in SEPARATION:
        names = [method["name"] for method in ranked(figures, name)]
        if len(names) < 2:
            continue
        best = names[0]
        found = [difference(figures, name, other, best) for other in names[1:]]
        bars = [(one.of, one.value, one.low, one.high) for one in found if one is not None]
        yield f"{title_of(name)}: the best is {best}", difference_plot(bars, title_of(name))


def _signed_index(value: float) -> str:
    return f"{value:+z.3f}".replace("-", "−")


def _signed_share(value: float) -> str:
    return f"{100 * value:+z.1f}".replace("-", "−")
