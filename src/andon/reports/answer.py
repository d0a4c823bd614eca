"""The answer of an evaluation in words: what escapes, is rejected or goes to a person, and what would do better."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from andon.evaluation.headlines import ESCAPES, FALSE_REJECTS, INVALID, NG_REVIEWS, OK_REVIEWS
from andon.reports.figures import Figures, percent_interval
from andon.reports.number_format import percent

LOOK_BACK = "This is seen on these very photos; test it on others before you rely on it."


class Sentence(NamedTuple):
    """One thing that was found.

    Attributes:
        kind: what it is about; "fine" where nothing escapes or is rejected, "better" for a threshold that would have
            done better.
        command: to be typed, where there is one.
    """

    kind: Literal["fine", "escaped", "rejected", "review", "invalid", "better"]
    text: str
    command: str = ""


def answer(figures: Figures, model: Path | None = None) -> list[Sentence]:
    """The most important first; nothing is said of photos that are not there.

    Args:
        figures: the dictionary that `andon evaluate --json` prints.
        model: its file, as the user named it, for the command that sets a better threshold.
    """
    told = []
    if figures["n_ng"]:
        k, n = figures["counts"][ESCAPES]
        verb = "escapes" if k < 2 else "escape"
        text = f"{_some(k)} of {n} defective parts {verb} as OK: {_share(figures, ESCAPES)}."
        told.append(Sentence("escaped" if k else "fine", text))
    if figures["n_ok"]:
        k, n = figures["counts"][FALSE_REJECTS]
        verb = "is" if k < 2 else "are"
        text = f"{_some(k)} of {n} good parts {verb} rejected as NG: {_share(figures, FALSE_REJECTS)}."
        told.append(Sentence("rejected" if k else "fine", text))
    told += _review(figures)
    if figures["counts"][INVALID][0]:
        good, bad = (figures["confusion"][truth]["invalid"] for truth in ("OK", "NG"))
        told.append(
            Sentence(
                "invalid",
                f"Invalid, so without a verdict, neither rejected nor escaped: {good} of {figures['n_ok']} photos of "
                f"good parts and {bad} of {figures['n_ng']} of defective parts. The reason stands with each photo.",
            )
        )
    return [*told, *_better(figures, model)]


def in_words(sentences: list[Sentence]) -> list[str]:
    """Each as one line of text, its command included."""
    return [f"{told.text} {told.command}".rstrip() for told in sentences]


def _some(k: int) -> str:
    return str(k) if k else "None"


def _share(figures: Figures, name: str) -> str:
    interval = percent_interval(figures["intervals"][name])
    return f"{percent(figures[name])} (95\N{NO-BREAK SPACE}% interval {interval})"


def _review(figures: Figures) -> Iterator[Sentence]:
    """Nothing where no photo is set aside."""
    classes = ((OK_REVIEWS, "good parts"), (NG_REVIEWS, "defective parts"))
    counts = [(name, *figures["counts"][name], parts) for name, parts in classes if name in figures["counts"]]
    if any(k for _, k, _, _ in counts):
        listed = ", and ".join(f"{k} of {n} {parts}, {_share(figures, name)}" for name, k, n, parts in counts)
        yield Sentence("review", f"For a person to review: {listed}.")


def _better(figures: Figures, model: Path | None) -> Iterator[Sentence]:
    """A threshold that would have done better on these photos."""
    best = figures["best_threshold"]
    if best is None or best["above"] < figures["threshold"] <= best["up_to"]:
        return
    above, up_to, threshold = thresholds_between(best["above"], best["up_to"])
    if best["n_rejected"] == best["n_escaped"] == 0:
        text = f"Between {above} and {up_to} no OK photo would be rejected and no defect would escape."
        if model is None:
            yield Sentence("better", f"{text} {LOOK_BACK}")
        else:
            yield Sentence("better", f"{text} {LOOK_BACK} Set it so:", _calibrate(model, threshold))
        return
    n_ok, n_ng = figures["n_ok"], figures["n_ng"]
    rejected, escaped = best["n_rejected"] / n_ok, best["n_escaped"] / n_ng
    if rejected + escaped < _burden(figures):
        yield Sentence(
            "better",
            f"No threshold tells all these photos apart. The best one, {threshold} without review, would let "
            f"{best['n_escaped']} of {n_ng} defective parts escape ({percent(escaped)}) and reject "
            f"{best['n_rejected']} of {n_ok} good ones ({percent(rejected)}). It was chosen by looking at these very "
            "photos, so expect less of it on others.",
        )


def _burden(figures: Figures) -> float:
    """Escaped and rejected shares, and half of those that are set aside."""
    return float(figures[ESCAPES] + figures[FALSE_REJECTS] + (figures[OK_REVIEWS] + figures[NG_REVIEWS]) / 2)


def thresholds_between(above: float, up_to: float) -> tuple[str, str, str]:
    """Both ends, rounded inwards, and a short number near their middle: three thresholds that do the same."""
    middle = (above + up_to) / 2
    size = math.floor(math.log10(max(abs(above), abs(up_to))))
    for decimals in range(-size, 17 - size):
        chosen = round(middle, decimals)
        if abs(chosen - middle) <= (up_to - above) / 4:
            break
    digits = max(decimals + 1, 3 - size)
    unit = 10.0**-digits
    low, high = (math.floor(above / unit + 1e-6) + 1) * unit, math.floor(up_to / unit + 1e-6) * unit
    ends = max(0, digits)
    return f"{low:.{ends}f}", f"{high:.{ends}f}", f"{chosen:.{max(0, decimals)}f}"


def _calibrate(model: Path, threshold: str) -> str:
    words = ["andon", "calibrate", str(model), "--threshold", threshold, "-o"]
    words.append(str(model.with_stem(f"{model.stem}-{threshold}")))
    return " ".join(f'"{word}"' if " " in word else word for word in words)
