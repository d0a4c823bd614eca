"""One self-contained HTML page per batch: the count, the verdicts over time, and the photos to look at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from andon.drift.shares import Limits, limits
from andon.reports.number_format import percent
from andon.reports.pages.batch_charts import Bar, charts
from andon.reports.pages.gallery import Picture
from andon.reports.pages.templates import template
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.pictures.jpeg import to_jpeg

NAMED = 5  # bars in a sentence
SCALE_SIZE = (12, 240)
WORDS = {"OK": "OK", "NG": "NG", "review": "for review", "invalid": "invalid"}


@dataclass(frozen=True, kw_only=True)
class Card:
    """A photo to look at.

    Attributes:
        pictures: the photo, its map and its regions; none where it could not be drawn.
        why_none: why it could not, in a sentence.
    """

    path: str
    verdict: str
    score: float
    reasons: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    why_none: str = ""


class Reason(NamedTuple):
    """Why photos could not be inspected, and the first of them."""

    text: str
    photos: int
    paths: Sequence[str]


class Host(NamedTuple):
    """A computer, and what its workers did; `seconds` is of all of them together."""

    name: str
    shards: int
    photos: int
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchPage:
    """All that the page says.

    Attributes:
        photos: in the manifest.
        verdicts: how many photos have each; "error" for those that could not be inspected.
        provenance: names and values, shown as they are.
        bars: in their order; `unit` is what one of them is ("day"), "" where they follow the photos' order.
        without_time: photos in none of them.
        retried: shards that took more than one attempt, of `shards`.
        stages: milliseconds of work per photo that could be inspected.
        failures_list: where all failures are listed.
    """

    title: str
    subtitle: str
    photos: int
    verdicts: Mapping[str, int]
    provenance: Sequence[tuple[str, str]]
    bars: Sequence[Bar]
    unit: str
    without_time: int
    worst: Sequence[Card]
    invalid: Sequence[Card]
    failures: Sequence[Reason]
    failures_list: str
    stages: Mapping[str, float]
    hosts: Sequence[Host]
    shards: int
    retried: int
    threshold: float
    review_threshold: float | None
    pixel_threshold: float

    @property
    def failed(self) -> int:
        """Photos that could not be inspected."""
        return self.verdicts.get("error", 0)

    @property
    def attempts(self) -> str:
        """How often a worker ended in the middle of a shard, in a sentence."""
        shards = f"{self.shards:,} shard{'s' if self.shards > 1 else ''}"
        if not self.retried:
            return f"{shards}, each in one attempt."
        return f"{shards}, {self.retried:,} of which took more than one attempt, as a worker ended over them."

    def to_html(self) -> str:
        """The page as text."""
        of_ng = limits([bar.verdicts.get("NG", 0) for bar in self.bars], [bar.judged for bar in self.bars])
        beyond = of_ng.beyond if of_ng else (False,) * len(self.bars)
        return template("batch.html").render(
            page=self,
            conclusion=conclusion(self),
            drift=drift(self, of_ng),
            charts=list(charts(self.bars, of_ng, self.threshold)),
            odd={bar.label for bar, is_beyond in zip(self.bars, beyond, strict=True) if is_beyond},
            scale=to_jpeg(colour_bar(SCALE_SIZE)),
        )


def conclusion(page: BatchPage) -> str:
    """What came out, in a sentence."""
    counts = [(page.verdicts[name], words) for name, words in WORDS.items() if page.verdicts.get(name)]
    if not counts:
        return f"None of the {page.photos:,} photos could be inspected."
    (count, words), *others = counts
    found = [f"{count:,} {'is' if count == 1 else 'are'} {words}", *(f"{count:,} {words}" for count, words in others)]
    failed = f"; {page.failed:,} could not be inspected" if page.failed else ""
    return f"Of {page.photos:,} photos {', '.join(found)}{failed}."


def drift(page: BatchPage, of_ng: Limits | None) -> str:
    """Whether the share of NG photos differs from bar to bar, in a sentence or two; "" where that cannot be said."""
    if of_ng is None:
        return ""
    what = f"{page.unit}s" if page.unit in ("hour", "day", "week") else "bars"
    mean = f"{percent(of_ng.mean)} of the photos of parts are NG on average."
    shares = [(bar.label, bar.verdicts.get("NG", 0) / max(1, bar.judged)) for bar in page.bars]
    odd = [share for share, is_beyond in zip(shares, of_ng.beyond, strict=True) if is_beyond]
    if not odd:
        return f"{mean} None of the {len(page.bars)} {what} differs from that by more than they usually do."
    more = _named([share for share in odd if share[1] > of_ng.mean])
    fewer = _named([share for share in odd if share[1] < of_ng.mean])
    said = [f"{words} than usual: {named}" for words, named in (("More", more), ("Fewer", fewer)) if named]
    verb = "lies" if len(odd) == 1 else "lie"
    return f"{mean} {len(odd)} of the {len(page.bars)} {what} {verb} beyond what is usual. {'. '.join(said)}."


def _named(shares: Sequence[tuple[str, float]]) -> str:
    named = ", ".join(f"{label} ({percent(share)})" for label, share in shares[:NAMED])
    return named + (f" and {len(shares) - NAMED} more" if len(shares) > NAMED else "")
