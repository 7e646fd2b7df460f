"""The operator's Prometheus metrics. Label sets are closed: no model's name stands in one."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LOOK = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_STEP = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_SWITCH = (0.5, 1, 2.5, 5, 7.5, 10, 15, 30, 60, 120, 300)

ROLLOUTS = Counter("slipway_rollouts_total", "Rollouts, by how they ended.", ["outcome"])
STEP_SECONDS = Histogram(
    "slipway_rollout_step_seconds", "Time that a rollout spent at a step.", ["step"], buckets=_STEP
)
READY_TO_SWITCHED_SECONDS = Histogram(
    "slipway_ready_to_switched_seconds",
    "From the moment the last needed pod was ready (minReadySeconds included) to the moved selector.",
    buckets=_SWITCH,
)
ACTIONS = Counter("slipway_actions_total", "Writes that a plan asked for and that were made.", ["action"])
STATUS_WRITES = Counter("slipway_status_writes_total", "Statuses written.")

RECONCILES = Counter("slipway_reconciles_total", "Looks at a model, by how they ended.", ["outcome"])
RECONCILE_SECONDS = Histogram("slipway_reconcile_seconds", "Time of one look at a model.", buckets=_LOOK)
QUEUE_DEPTH = Gauge("slipway_queue_depth", "Models that wait to be looked at.")
QUEUE_AGE = Gauge("slipway_queue_age_seconds", "Time for which the oldest of them has waited.")
LOOK_AGE = Gauge("slipway_look_age_seconds", "Time for which the oldest look has been under way.")

API_REQUESTS = Counter("slipway_api_requests_total", "Requests to the API server.", ["verb", "kind", "code"])
API_SECONDS = Histogram(
    "slipway_api_seconds", "Time of a request, with its wait for the limit.", ["verb"], buckets=_LOOK
)
WRITE_WAIT_SECONDS = Counter("slipway_write_wait_seconds_total", "Time that writes waited for the limit.")
LEADER = Gauge("slipway_leader", "1 while this process holds the Lease.")
WATCH_AGE = Gauge(
    "slipway_watch_heartbeat_age_seconds",
    "Time for which a watch has not brought what was read or written; 0 when it owes nothing.",
    ["kind"],
)
