"""Metrics, with names and base units as Prometheus recommends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

RECONCILES = Counter("chainlit_operator_reconciles", "Reconciles of a ChainlitApp, by the plan's action.", ["action"])
RECONCILE_SECONDS = Histogram(
    "chainlit_operator_reconcile_duration_seconds",
    "Time from taking a ChainlitApp off the queue to its last write.",
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
WRITES = Counter("chainlit_operator_writes", "Writes that the API server accepted, by what was written.", ["target"])
WRITE_ERRORS = Counter("chainlit_operator_write_errors", "Writes that failed.", ["target", "reason"])
TAKEOVERS = Counter("chainlit_operator_takeovers", "Fields taken over from another field manager.")
VERIFICATIONS = Counter(
    "chainlit_operator_verifications", "Verifications of a WebSocket, by mode and outcome.", ["mode", "reason"]
)
VERIFICATION_DELAY = Histogram(
    "chainlit_operator_verification_delay_seconds",
    "Time from when a verification is due to its start; it grows where --verifications-per-second is too low.",
    buckets=(0.01, 0.1, 1, 5, 10, 30, 60, 300, 900, 3600),
)
EVENTS_DROPPED = Counter("chainlit_operator_events_dropped", "Kubernetes Events not sent because too many were due.")
WATCH_EVENTS = Counter("chainlit_operator_watch_events", "Objects received from watches.", ["kind"])
WATCH_RESTARTS = Counter("chainlit_operator_watch_restarts", "Watches that ended with an error.", ["kind", "reason"])
UNREADABLE = Counter(
    "chainlit_operator_unreadable_objects", "Versions of objects that could not be decoded and are ignored.", ["kind"]
)
QUEUE_DEPTH = Gauge("chainlit_operator_queue_depth", "ChainlitApps waiting to be reconciled.")
APPS = Gauge("chainlit_operator_apps", "ChainlitApps known.")
TASKS = Gauge("chainlit_operator_tasks", "Tasks of the event loop; a number that only grows is a leak.")
LEADER = Gauge("chainlit_operator_leader", "Whether this replica leads: 1 for the one that writes, 0 for a standby.")


class Readiness(Collector):
    """ChainlitApps by their condition Ready and its reason, counted at each scrape."""

    def __init__(self) -> None:
        self._count: Callable[[], Mapping[tuple[str, str], int]] = dict

    def set_function(self, count: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        """Use ``count`` at each scrape: it returns the number of apps by status and reason of Ready."""
        self._count = count

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric (prometheus_client's protocol)."""
        family = GaugeMetricFamily(
            "chainlit_operator_apps_by_readiness",
            "ChainlitApps by the status and the reason of their condition Ready.",
            labels=["ready", "reason"],
        )
        for labels, number in sorted(self._count().items()):
            family.add_metric(labels, number)
        yield family


READINESS = Readiness()
REGISTRY.register(READINESS)
