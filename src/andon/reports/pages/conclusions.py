"""What a comparison shows and what it does not, in words.

`figures` is the dictionary that `andon compare --json` prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from andon.evaluation import metrics
from andon.evaluation.headlines import ESCAPES, FALSE_REJECTS, NG_REVIEWS, OK_REVIEWS, SEPARATION
from andon.reports.figures import Figures, value_of

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
    best = [sentence for name in RANKED_BY if (sentence := _best(figures, name))]
    return [*_recommended(figures), _verdicts(figures), *best, *_unfair(figures)]


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
    titles = {name: metrics.describe(name).title for name in (ESCAPES, FALSE_REJECTS)}
    shown = [
        f"{one.of} has a higher {title} than {one.against} (by {100 * one.value:.1f} percentage points, from "
        f"{100 * one.low:.1f} to {100 * one.high:.1f})"
        for name, title in titles.items()
        for one in _all(figures, name)
        if one.is_shown
    ]
    if not shown:
        return f"No difference in {_listed(list(titles.values()), 'or')} is shown."
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


def _recommended(figures: Figures) -> list[str]:
    """Which method's verdicts do best, from which others that is shown, and which is fastest of those it is not."""
    best, *others = figures["methods"]
    if not best["counts"]:
        return []
    told = [
        f"By what its verdicts do at the same promise, {best['name']} is recommended: {_does(best)}. "
        "Escapes and rejects weigh the same here, and a review half; if they do not for you, compare the columns."
    ]
    unshown = [method for method in others if not _is_shown(figures, best["name"], method["name"])]
    if not unshown:
        return told
    equals = [best, *unshown]
    fastest = min(equals, key=lambda method: method["milliseconds_per_photo"])
    told.append(
        f"Escapes and rejects do not tell {_listed([method['name'] for method in equals])} apart on these "
        f"{figures['n_ok'] + figures['n_ng']} photos; of these, {fastest['name']} is the fastest: "
        f"{fastest['milliseconds_per_photo']:.0f} ms per photo."
    )
    return told


def _does(method: Figures) -> str:
    """As "2 of 71 defective parts escape (2.8 %), 1 of 26 good parts is rejected (3.8 %), ..."."""
    words = {
        ESCAPES: ("defective parts", "escapes", "escape"),
        FALSE_REJECTS: ("good parts", "is rejected", "are rejected"),
        OK_REVIEWS: ("good parts", "goes to review", "go to review"),
        NG_REVIEWS: ("defective parts", "goes to review", "go to review"),
    }
    told = []
    for name, (parts, one, several) in words.items():
        if name in method["counts"]:
            k, n = method["counts"][name]
            told.append(f"{k or 'none'} of {n} {parts} {one if k < 2 else several} ({value_of(method, name)})")
    return ", ".join(told)


def _is_shown(figures: Figures, one: str, other: str) -> bool:
    """Whether they are shown to differ in escapes or in rejects."""
    found = [difference(figures, name, one, other) for name in (ESCAPES, FALSE_REJECTS)]
    return any(of_rate is not None and of_rate.is_shown for of_rate in found)


def _listed(names: Sequence[str], word: str = "and") -> str:
    """As "a, b and c"."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
