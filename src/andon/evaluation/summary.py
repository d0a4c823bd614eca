"""All figures of a test set as one plain dictionary: what `andon evaluate --json` prints and the report shows."""

from __future__ import annotations

from typing import Any, get_args

from andon.errors import ConfigError
from andon.evaluation import metrics
from andon.evaluation.best_threshold import best_threshold
from andon.evaluation.results import Results
from andon.evaluation.undefined import Undefined
from andon.types import Verdict

KEYS = frozenset(
    [
        *("n_ok", "n_ng", "threshold", "intervals", "counts", "undefined", "confusion", "best_threshold", "per_defect"),
        *("metrics", "failures", "in_words"),
    ]
)
"""The keys of the dictionary beside the metrics' names: no metric may be called like one of them."""


def summarise(results: Results) -> dict[str, Any]:
    """Every metric by its name, and what belongs to it.

    Returns:
        n_ok, n_ng: number of photos.
        threshold: of the scores.
        <metric>: float, None where it is undefined.
        intervals: metric -> [low, high], 95 %, for the metrics that have one.
        counts: rate -> [k, n], the photos that count and those that it is a share of.
        undefined: metric -> why it has no meaning here.
        confusion: truth "OK" | "NG" -> verdict -> number of photos.
        best_threshold: as `BestThreshold`, known only by looking back; None where there is none.
        per_defect: kind of defect -> all of the above for its photos against all OK photos.
        metrics: metric -> its title, meaning, unit, and whether "higher" or "lower" is better.

    Raises:
        ConfigError: as `describe_metrics`.
    """
    described = describe_metrics()
    figures = _figures(results)
    figures["per_defect"] = {name: _figures(results.against_ok(name)) for name in results.defect_names}
    return figures | {"metrics": described}


def describe_metrics() -> dict[str, dict[str, Any]]:
    """Every metric by its name, as plain values; those that are described can be used.

    Raises:
        ConfigError: what another package brings is not a metric, or its name is taken.
    """
    described = {name: metrics.describe(name).to_dict() for name in metrics.names()}
    if taken := KEYS & described.keys():
        raise ConfigError(
            f"A metric is called {min(taken)!r}, which stands for something else among the figures; rename its entry "
            "point, or uninstall its package."
        )
    return described


def _figures(results: Results) -> dict[str, Any]:
    values: dict[str, float | None] = {}
    intervals: dict[str, list[float]] = {}
    counts: dict[str, list[int]] = {}
    undefined: dict[str, str] = {}
    best = best_threshold(results)
    for name in metrics.names():
        try:
            figure = metrics.measure(name, results)
        except Undefined as reason:
            values[name] = None
            undefined[name] = str(reason)
            continue
        values[name] = figure.value
        if figure.interval is not None:
            intervals[name] = list(figure.interval)
        if figure.count is not None:
            counts[name] = list(figure.count)
    return {
        "n_ok": results.n_ok,
        "n_ng": results.n_ng,
        "threshold": results.threshold,
        **values,
        "intervals": intervals,
        "counts": counts,
        "undefined": undefined,
        "confusion": _confusion(results),
        "best_threshold": None if best is None else best.to_dict(),
    }


def _confusion(results: Results) -> dict[str, dict[str, int]]:
    return {
        truth: {verdict: results.count(is_anomalous=truth == "NG", verdict=verdict) for verdict in get_args(Verdict)}
        for truth in ("OK", "NG")
    }
