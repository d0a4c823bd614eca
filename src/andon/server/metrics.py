"""Figures for Prometheus."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from andon.errors import StoreError
from andon.rows import Cells
from andon.server.station import Station
from andon.store.outbox import receiver

SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The figures of one server. Any thread may count."""

    def __init__(self, station: Station) -> None:
        self._registry = CollectorRegistry()
        self.judged = Counter(
            "andon_inspections", "Photos that were judged.", ("model", "verdict"), registry=self._registry
        )
        self.seconds = Histogram(
            "andon_request_seconds",
            "From a photo's first byte to its row.",
            ("model",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Now(station))
        station.on_rows.append(self._count)

    def _count(self, rows: list[Cells]) -> None:
        for row in rows:
            self.judged.labels(row["model"]["name"], row["verdict"]).inc()

    def text(self) -> str:
        """In the format of Prometheus."""
        return generate_latest(self._registry).decode()


class _Now:
    """What is asked when the figures are."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[Metric]:
        """Per model: how many photos wait, and which version judges; what is to be sent."""
        waiting = GaugeMetricFamily("andon_waiting", "Photos under way.", labels=("model",))
        judges = GaugeMetricFamily("andon_model", "1 for the version that judges.", labels=("model", "sha256"))
        for desk in self._station.desks.all():
            waiting.add_metric((desk.name,), desk.waiting)
            judges.add_metric((desk.name, desk.pipeline.model_id.sha256), 1)
        yield waiting
        yield judges
        kept = GaugeMetricFamily("andon_keeps_photos", "0 where photos cannot be kept, such as on a full disk.")
        kept.add_metric((), int(self._station.keeps_photos))
        yield kept
        yield self._deliveries()

    def _deliveries(self) -> Metric:
        found = GaugeMetricFamily(
            "andon_deliveries", "Rows that are still to be sent, or were given up (dead).", labels=("receiver", "state")
        )
        counts: Tally[tuple[str, str]] = Tally()
        with suppress(StoreError):  # the other figures are there without the database
            for (kind, target, state), n in self._station.store.outbox.counts("pending", "dead").items():
                counts[receiver(kind, target), state] += n
        for labels, n in counts.items():
            found.add_metric(labels, n)
        return found
