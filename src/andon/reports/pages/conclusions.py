"""What a comparison shows and what it does not, in words.

`figures` is the dictionary that `andon compare --json` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from andon.reports.text import percent

Figures = Mapping[str, Any]

AREAS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}
RATES = {"false_reject_rate": "good parts rejected", "escape_rate": "defective parts called OK"}


class Difference(NamedTuple):
    """One method's figure less another's, both ends of its interval, and whether that leaves out 0."""

    of: str
    against: str
    value: float
    low: float
    high: float
    is_shown: bool


def difference(figures: Figures, figure: str, of: str, against: str) -> Difference | None:
    """The difference of two methods, either way round; None where the figure is not defined."""
    for found in figures["differences"]:
        if found["figure"] == figure and {found["of"], found["against"]} == {of, against}:
            low, high = found["interval"]
            if found["of"] == of:
                return Difference(of, against, found["difference"], low, high, found["is_shown"])
            return Difference(of, against, -found["difference"], -high, -low, found["is_shown"])
    return None


def conclusions(figures: Figures) -> list[str]:
    """Sentences, the most important first."""
    if len(figures["methods"]) < 2:
        return []
    told = [sentence for name in ("image_auroc", "pixel_auroc") if (sentence := _best(figures, name))]
    told.append(_verdicts(figures))
    told += _unfair(figures)
    if cheapest := _cheapest(figures):
        told.append(cheapest)
    return told


def _best(figures: Figures, name: str) -> str:
    """Who is best, whom that is shown against, and whom not."""
    ranked = sorted((m for m in figures["methods"] if m[name] is not None), key=lambda m: -m[name])
    if len(ranked) < 2:
        return ""
    best = ranked[0]
    leaders = [method["name"] for method in ranked if round(best[name] - method[name], 3) == 0]
    has = "share the" if len(leaders) > 1 else "has the"
    sentence = f"{_listed(leaders)} {has} highest {AREAS[name]}, {best[name]:.3f}"
    found = [difference(figures, name, best["name"], method["name"]) for method in ranked[1:]]
    others = [one for one in found if one is not None and one.against not in leaders]
    if worse := [one for one in others if one.is_shown]:
        listed = [f"{one.against} by {one.value:.3f} (from {one.low:.3f} to {one.high:.3f})" for one in worse]
        sentence += f"; it is shown to be higher than that of {_listed(listed)}"
    if equal := [one.against for one in others if not one.is_shown]:
        sentence += f"; no difference to {_listed(equal)} is shown on these {figures['n_ok'] + figures['n_ng']} photos"
    return f"{sentence}."


def _verdicts(figures: Figures) -> str:
    shown = [
        f"{one.of} has more {RATES[name]} than {one.against} (by {percent(one.value)})"
        for name in RATES
        for one in _all(figures, name)
        if one.is_shown
    ]
    if not shown:
        return "No difference in false rejects or escapes is shown."
    return f"{'; '.join(shown)}."


def _unfair(figures: Figures) -> Iterator[str]:
    """Who has seen what the others have not."""
    for method in figures["methods"]:
        if n := method["n_ng_taught"]:
            photos = "defective photo" if n == 1 else "defective photos"
            yield (
                f"{method['name']} was taught with {n} labelled {photos} too: help that those taught with good photos "
                "alone did not have."
            )


def _all(figures: Figures, name: str) -> Iterator[Difference]:
    """Every difference of that figure, the larger one first in each."""
    for found in figures["differences"]:
        if found["figure"] == name:
            one = difference(figures, name, found["of"], found["against"])
            assert one is not None
            turned = difference(figures, name, found["against"], found["of"])
            yield one if one.value >= 0 or turned is None else turned


def _cheapest(figures: Figures) -> str:
    """Where several are as good as the best, as far as the photos can tell, what they cost decides."""
    ranked = [method for method in figures["methods"] if method["image_auroc"] is not None]
    if not ranked:
        return ""
    equals = [ranked[0]]
    for method in ranked[1:]:
        found = difference(figures, "image_auroc", ranked[0]["name"], method["name"])
        if found is not None and not found.is_shown:
            equals.append(method)
    if len(equals) < 2:
        return ""
    fastest = min(equals, key=lambda method: method["milliseconds_per_photo"])
    return (
        f"{_listed([method['name'] for method in equals])} cannot be told apart by image AUROC here; of these, "
        f"{fastest['name']} is the fastest: {fastest['milliseconds_per_photo']:.0f} ms per photo."
    )


def _listed(names: Sequence[str]) -> str:
    """As "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
