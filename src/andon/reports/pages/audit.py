"""One self-contained HTML page on the OK photos of a data set: the most unlike first, why, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from andon.reports.number_format import number, percent
from andon.reports.pages.gallery import Picture
from andon.reports.pages.templates import template
from andon.reports.pictures.heatmap import colour_bar
from andon.reports.pictures.jpeg import to_jpeg

Figures = Mapping[str, Any]
SCALE_SIZE = (12, 240)


class Row(NamedTuple):
    """Thresholds, and what they do, as text; escapes are empty where there are no NG photos."""

    heading: str
    threshold: str
    review_threshold: str
    ok_ng: str
    ok_review: str
    escaped: str
    ng_review: str


class Card(NamedTuple):
    """One of the most unlike photos.

    Attributes:
        figures: as in `AuditPage.figures["photos"]`.
        pictures: the photo, its map and its regions.
        likenesses: its regions beside patches of other OK photos.
        nearest: the OK photos that look most alike.
    """

    figures: Figures
    pictures: Sequence[Picture]
    likenesses: Sequence[Picture]
    nearest: Sequence[Picture]

    @property
    def rows(self) -> list[Row]:
        """What the thresholds would be without it."""
        without, without_all = self.figures["without"], self.figures["without_it_and_those_above"]
        each = [("without it", without)]
        each += [("without it and those above it", without_all)] if without_all != without else []
        return [row_of(heading, figures) for heading, figures in each if figures is not None]


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditPage:
    """All that the page says.

    Attributes:
        figures: the dictionary that `andon audit --json` prints.
        cards: of the most unlike photos, in their order.
        twins: of each group of photos that show the same, their names and pictures.
        command: what leaves photos out.
    """

    title: str
    subtitle: str
    figures: Figures
    cards: Sequence[Card]
    twins: Sequence[Sequence[Picture]]
    pixel_threshold: float
    command: str

    def to_html(self) -> str:
        """The page as text."""
        without = self.figures["without_those_that_stand_out"]
        rows = [row_of("as the set is", self.figures["now"])]
        rows += [row_of("without those that stand out", without)] if without is not None else []
        return template("audit.html").render(
            page=self,
            figures=self.figures,
            rows=rows,
            conclusion=conclusion(self.figures),
            all_photos=[(photo, _row(photo["without"])) for photo in self.figures["photos"]],
            scale=to_jpeg(colour_bar(SCALE_SIZE)),
        )


def _row(figures: Figures | None) -> Row:
    return Row("", "", "", "", "", "", "") if figures is None else row_of("", figures)


def row_of(heading: str, figures: Figures) -> Row:
    """What thresholds do, as text.

    Args:
        figures: of an `Outlook`.
    """
    n_ok, n_ng, review = figures["n_ok"], figures["n_ng"], figures["review_threshold"]
    return Row(
        heading,
        number(figures["threshold"]),
        "none" if review is None else number(review),
        _of(figures["ok_ng"], n_ok),
        _of(figures["ok_review"], n_ok),
        _of(figures["escaped"], n_ng) if n_ng else "",
        _of(figures["ng_review"], n_ng) if n_ng else "",
    )


def _of(k: int, n: int) -> str:
    return f"{k} of {n}, {percent(k / n)}"


def conclusion(figures: Figures) -> str:
    """What came out, in a few sentences."""
    odd = [photo for photo in figures["photos"] if photo["stands_out"]]
    n, then = len(figures["photos"]), figures["without_those_that_stand_out"]
    if not odd:
        return f"None of the {n} OK photos scores unlike the others."
    stands = "1 scores" if len(odd) == 1 else f"{len(odd)} score"
    said = f"Of {n} OK photos {stands} unlike the others."
    if then is None:
        return said
    now, them = figures["now"], "it" if len(odd) == 1 else "them"
    said += f" Without {them} NG would begin at about {number(then['threshold'])} instead of {number(now['threshold'])}"
    if now["n_ng"]:
        instead = "as now" if then["escaped"] == now["escaped"] else f"instead of {now['escaped']}"
        said += f", and {then['escaped']} of the {now['n_ng']} NG photos here would escape, {instead}"
    return f"{said}."
