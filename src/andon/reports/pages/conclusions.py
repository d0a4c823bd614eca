"""What a comparison shows and what it does not, in words.

`figures` is the dictionary that `andon compare --json` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from andon.evaluation import metrics
from andon.evaluation.headlines import AT_THRESHOLD, IMAGE_AUROC, SEPARATION
from andon.reports.figures import Figures

RANKED_BY = SEPARATION[:2]


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
    told = [sentence for name in RANKED_BY if (sentence := _best(figures, name))]
    told.append(_verdicts(figures))
    told += _unfair(figures)
    if cheapest := _cheapest(figures):
        told.append(cheapest)
    return told


def ranked(figures: Figures, name: str) -> list[Figures]:
    """The methods for which that figure is defined, the best first."""
    sign = -1 if metrics.describe(name).better == "higher" else 1
    defined = [method for method in figures["methods"] if method[name] is not None]
    return sorted(defined, key=lambda method: sign * method[name])


def _best(figures: Figures, name: str) -> str:
    """Which method is best, against which others that is shown, and against which not."""
    best_first = ranked(figures, name)
    if len(best_first) < 2:
        return ""
    best = best_first[0]
    leaders = [method["name"] for method in best_first if round(best[name] - method[name], 3) == 0]
    has = "share the" if len(leaders) > 1 else "has the"
    sentence = f"{_listed(leaders)} {has} highest {metrics.describe(name).title}, {best[name]:.3f}"
    found = [difference(figures, name, best["name"], method["name"]) for method in best_first[1:]]
    others = [one for one in found if one is not None and one.against not in leaders]
    if worse := [one for one in others if one.is_shown]:
        listed = [f"{one.against} by {one.value:.3f} (from {one.low:.3f} to {one.high:.3f})" for one in worse]
        sentence += f"; it is shown to be higher than that of {_listed(listed)}"
    if equal := [one.against for one in others if not one.is_shown]:
        sentence += (
            f"; no difference from {_listed(equal)} is shown on these {figures['n_ok'] + figures['n_ng']} photos"
        )
    return f"{sentence}."


def _verdicts(figures: Figures) -> str:
    titles = {name: metrics.describe(name).title for name in AT_THRESHOLD}
    shown = [
        f"{one.of} has a higher {title} than {one.against} (by {100 * one.value:.1f} percentage points)"
        for name, title in titles.items()
        for one in _all(figures, name)
        if one.is_shown
    ]
    if not shown:
        return f"No difference in {' or '.join(titles.values())} is shown."
    return f"{'; '.join(shown)}."


def _unfair(figures: Figures) -> Iterator[str]:
    """Which methods were given what the others were not."""
    for method in figures["methods"]:
        if n := method["n_ng_trained_with"]:
            photos = "photo of a defective part" if n == 1 else "photos of defective parts"
            yield (
                f"{method['name']} was also trained with {n} labelled {photos}, a help that methods trained with "
                "photos of good parts alone did not have."
            )


def _all(figures: Figures, name: str) -> Iterator[Difference]:
    """Every difference of that figure, turned so that it is not negative."""
    for found in figures["differences"]:
        if found["figure"] == name:
            one = difference(figures, name, found["of"], found["against"])
            assert one is not None
            turned = difference(figures, name, found["against"], found["of"])
            yield one if one.value >= 0 or turned is None else turned


def _cheapest(figures: Figures) -> str:
    """Which is fastest of those that the photos cannot tell from the best."""
    best_first = ranked(figures, IMAGE_AUROC)
    if not best_first:
        return ""
    equals = [best_first[0]]
    for method in best_first[1:]:
        found = difference(figures, IMAGE_AUROC, best_first[0]["name"], method["name"])
        if found is not None and not found.is_shown:
            equals.append(method)
    if len(equals) < 2:
        return ""
    fastest = min(equals, key=lambda method: method["milliseconds_per_photo"])
    return (
        f"{_listed([method['name'] for method in equals])} cannot be told apart by "
        f"{metrics.describe(IMAGE_AUROC).title} here; of these, {fastest['name']} is the fastest: "
        f"{fastest['milliseconds_per_photo']:.0f} ms per photo."
    )


def _listed(names: Sequence[str]) -> str:
    """As "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
