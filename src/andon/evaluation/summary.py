"""All figures of a test set as one plain dictionary: what `andon evaluate --json` prints and the report shows."""

from __future__ import annotations

from typing import Any, get_args

from andon.evaluation import metrics
from andon.evaluation.results import Results
from andon.evaluation.undefined import Undefined
from andon.types import Verdict


def summarise(results: Results) -> dict[str, Any]:
    """Every metric of `metrics` by name, and what belongs to it.

    Returns:
        n_ok, n_ng: number of photos.
        threshold: of the scores.
        <metric>: float, None where it is undefined.
        intervals: metric -> [low, high], 95 %, for the metrics that have one.
        undefined: metric -> why it has no meaning here.
        confusion: truth "OK" | "NG" -> verdict "OK" | "review" | "NG" -> number of photos.
        per_defect: kind of defect -> all of the above for its photos against all OK photos.
    """
    figures = _figures(results)
    figures["per_defect"] = {name: _figures(results.against_ok(name)) for name in results.defect_names}
    return figures


def _figures(results: Results) -> dict[str, Any]:
    values: dict[str, float | None] = {}
    intervals: dict[str, list[float]] = {}
    undefined: dict[str, str] = {}
    for name in metrics.names():
        try:
            values[name], interval = metrics.measure(name, results)
            if interval is not None:
                intervals[name] = list(interval)
        except Undefined as reason:
            values[name] = None
            undefined[name] = str(reason)
    return {
        "n_ok": results.n_ok,
        "n_ng": results.n_ng,
        "threshold": results.threshold,
        **values,
        "intervals": intervals,
        "undefined": undefined,
        "confusion": _confusion(results),
    }


def _confusion(results: Results) -> dict[str, dict[str, int]]:
    return {
        truth: {verdict: results.count(is_anomalous=truth == "NG", verdict=verdict) for verdict in get_args(Verdict)}
        for truth in ("OK", "NG")
    }
