"""The operator's Prometheus metrics. Label sets are closed: no model's name stands in one."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("slipway_reconciles_total", "Looks at a model, by how they ended.", ["outcome"])
RECONCILE_SECONDS = Histogram("slipway_reconcile_seconds", "Time of one look at a model.")
ACTIONS = Counter("slipway_actions_total", "Writes that a plan asked for and that were made.", ["action"])
STATUS_WRITES = Counter("slipway_status_writes_total", "Statuses written.")
QUEUE_DEPTH = Gauge("slipway_queue_depth", "Models that wait to be looked at.")
QUEUE_AGE = Gauge("slipway_queue_age_seconds", "Time for which the oldest of them has waited.")
