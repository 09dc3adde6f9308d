"""Metrics, in Prometheus' names and base units."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
EVENTS_DROPPED = Counter("chainlit_operator_events_dropped", "Kubernetes Events not sent because too many were due.")
WATCH_EVENTS = Counter("chainlit_operator_watch_events", "Objects received from watches.", ["kind"])
WATCH_RESTARTS = Counter("chainlit_operator_watch_restarts", "Watches that ended with an error.", ["kind", "reason"])
QUEUE_DEPTH = Gauge("chainlit_operator_queue_depth", "ChainlitApps waiting to be reconciled.")
APPS = Gauge("chainlit_operator_apps", "ChainlitApps known.")
LEADER = Gauge("chainlit_operator_leader", "Whether this replica leads: 1 for the one that writes, 0 for a standby.")
