"""What each day looked like at each station: scores, verdicts, what the guard said, and where people disagreed.

It takes rows from wherever they lie. A row holds neither the station nor how the photo looked; who has them gives them
with it (`Inspected`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any, NamedTuple

import numpy as np

from andon.rows import VERDICTS

SHARES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)
JUDGEMENTS = ("OK", "NG")
"""What people say of a part, and the verdicts that they can override."""
NUMBERS_OF_A_REASON = re.compile(r", unlike | \(|\.$")


class Inspected(NamedTuple):
    """One inspection.

    Attributes:
        row: as `Row.to_dict` gives it.
        review: what a person says of the part, "OK" or "NG"; None where nobody has looked.
        measured: by name, such as the features of `line.appearance` (brightness, sharpness), finite.
    """

    row: Mapping[str, Any]
    review: str | None = None
    station: str = ""
    measured: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Quantiles:
    """The `shares` of `n` > 0 values, by share."""

    n: int
    by_share: Mapping[float, float]


@dataclass(frozen=True)
class Reviews:
    """How often people said what, by verdict and review: {("NG", "OK"): 2}.

    People look at doubtful parts first, so the rate is not that of all parts; it can be compared from day to day.
    """

    counts: Mapping[tuple[str, str], int]

    @property
    def n(self) -> int:
        """Reviewed inspections whose verdict was OK or NG; in the review band there is nothing to override."""
        return sum(count for (verdict, _), count in self.counts.items() if verdict in JUDGEMENTS)

    @property
    def overridden(self) -> int:
        """Of these, those where the person said the contrary."""
        return sum(self.counts.get(pair, 0) for pair in (("OK", "NG"), ("NG", "OK")))

    @property
    def override_rate(self) -> float | None:
        """None where nothing was reviewed that could be overridden."""
        return self.overridden / self.n if self.n else None


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of one station with one model: scores of two models cannot be compared.

    Attributes:
        model, model_sha256: the model's name and the digest of its content.
        verdicts: how often each of `VERDICTS` was given.
        ok_scores: of the parts that were accepted, None where none was.
        reasons: why photos were invalid, without the numbers, the most frequent first; a photo may have several.
        measured: of all photos that were measured, by name.
    """

    day: date
    station: str
    model: str
    model_sha256: str
    verdicts: Mapping[str, int]
    ok_scores: Quantiles | None
    reasons: Mapping[str, int]
    reviews: Reviews
    measured: Mapping[str, Quantiles]


def daily(inspections: Iterable[Inspected], *, zone: tzinfo | None = UTC) -> list[Day]:
    """Each day, in order of the day, the station and the model.

    Args:
        zone: in which a day begins and ends; None for that of this computer.

    Raises:
        ValueError: a verdict or a review is an unknown one.
    """
    gathered: dict[tuple[date, str, str, str], list[Inspected]] = {}
    for inspected in inspections:
        row = inspected.row
        day = datetime.fromisoformat(row["inspected_at"]).astimezone(zone).date()
        key = (day, inspected.station, row["model"]["name"], row["model"]["sha256"])
        gathered.setdefault(key, []).append(inspected)
    return [_day(key, gathered[key]) for key in sorted(gathered)]


def quantiles(values: Iterable[float], shares: tuple[float, ...] = SHARES) -> Quantiles | None:
    """None where there are no values."""
    found = np.fromiter(values, np.float64)
    if not len(found):
        return None
    return Quantiles(len(found), dict(zip(shares, np.quantile(found, shares).tolist(), strict=True)))


def reason_without_numbers(sentence: str) -> str:
    """What the guard says, alike for all photos of which it says so: "The photo is blurred"."""
    return NUMBERS_OF_A_REASON.split(sentence, maxsplit=1)[0]


def _day(key: tuple[date, str, str, str], inspections: list[Inspected]) -> Day:
    day, station, model, sha256 = key
    rows = [inspected.row for inspected in inspections]
    verdicts = Counter(row["verdict"] for row in rows)
    if unknown := verdicts.keys() - set(VERDICTS):
        raise ValueError(f"{min(unknown)!r} is no verdict; expected one of {', '.join(VERDICTS)}.")
    reasons = Counter(
        reason
        for row in rows
        if row["verdict"] == "invalid"
        for reason in set(map(reason_without_numbers, row["reasons"]))
    )
    return Day(
        day=day,
        station=station,
        model=model,
        model_sha256=sha256,
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        ok_scores=quantiles(row["score"] for row in rows if row["verdict"] == "OK"),
        reasons=dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        reviews=_reviews(inspections),
        measured=_measured(inspections),
    )


def _reviews(inspections: Iterable[Inspected]) -> Reviews:
    counts = Counter((each.row["verdict"], each.review) for each in inspections if each.review is not None)
    if unknown := {review for _, review in counts} - set(JUDGEMENTS):
        raise ValueError(f"{min(unknown)!r} is no review; expected OK or NG.")
    return Reviews(dict(sorted(counts.items())))


def _measured(inspections: Iterable[Inspected]) -> dict[str, Quantiles]:
    values: dict[str, list[float]] = {}
    for inspected in inspections:
        for name, value in (inspected.measured or {}).items():
            values.setdefault(name, []).append(value)
    return {name: found for name in sorted(values) if (found := quantiles(values[name]))}
