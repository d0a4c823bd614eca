"""One self-contained HTML page on a data set: how many photos, their colours, samples of each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from andon.reports.pages.templates import template
from andon.reports.pictures.jpeg import to_jpeg
from andon.types import RgbImage


class ClassSamples(NamedTuple):
    """A contact sheet, (h, w, 3) uint8 RGB, of `n_shown` of the `n_photos` photos of a class."""

    name: str
    n_photos: int
    n_shown: int
    picture: RgbImage


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplorationPage:
    """All that the page says.

    Attributes:
        figures: the dictionary that `andon explore --json` prints.
        colours, distances: plots as SVG files; no distances where there were too few OK photos.
        samples: one per class.
    """

    title: str
    subtitle: str
    figures: Mapping[str, Any]
    colours: bytes
    distances: bytes | None
    samples: tuple[ClassSamples, ...]

    def to_html(self) -> str:
        """The page as text."""
        return template("exploration.html").render(
            page=self,
            figures=self.figures,
            conclusion=conclusion(self.figures),
            samples=[(of_class, to_jpeg(of_class.picture)) for of_class in self.samples],
        )


def conclusion(figures: Mapping[str, Any]) -> str:
    """What the colours alone can tell, in a sentence or two."""
    auroc = figures["colour_auroc"]
    if auroc is None:
        return f"How far colours alone tell OK from NG cannot be said: {figures['undefined']}."
    low, high = figures["interval"]
    found = (
        f"Take a good and a defective part at random: in {100 * auroc:.0f} of 100 such pairs the colours of the "
        f"defective one are the more unusual (AUROC {auroc:.3f}, 95 % interval {low:.3f} to {high:.3f})."
    )
    if high < 0.7:
        return f"{found} Colours say little here: texture and shape must tell."
    doubt = " Make sure that the parts differ, and not the light or the camera." if low > 0.9 else ""
    return f"{found} Any detector has to beat this.{doubt}"
