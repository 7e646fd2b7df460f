"""Each right that the chart grants the operator: where in the code it is used, and what for.

A right that nobody can give a reason for is taken away. Data only.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """A function of the operator, as `module:name`, and its reason; "" where the API server asks."""

    where: str
    why: str


_READ = "kube.observe:read"
_WATCH = "kube.watched:CHILDREN"
_CREATE = "kube.execute:Executor._create"
_HEART = "kube.heartbeat:"
_LEASE = "kube.lease:"

RIGHTS: dict[tuple[str, str], Use] = {
    ("inferencemodels", "get"): Use(
        "controller.reconciler:Reconciler.reconcile", "each look reads the model"
    ),
    ("inferencemodels", "list"): Use("controller.survey:", "the models that are to be looked at in any case"),
    ("inferencemodels", "watch"): Use("controller.wiring:", "a model has changed"),
    ("inferencemodels/status", "patch"): Use(
        "controller.reconciler:Reconciler._write_status", "the one status write of a look"
    ),
    ("inferencemodels/finalizers", "update"): Use("", "a child names the model as an owner that blocks"),
    ("deployments/finalizers", "update"): Use("", "a Service and a budget name their Deployment so"),
    ("deployments", "get"): Use("kube.execute:Executor._give_way", "the last look before pods are taken"),
    ("deployments", "list"): Use(_READ, "the model's revisions"),
    ("deployments", "watch"): Use(_WATCH, "a revision has changed"),
    ("deployments", "create"): Use(_CREATE, "a revision begins"),
    ("deployments", "patch"): Use("kube.execute:Executor._note", "what has become of an attempt"),
    ("deployments", "delete"): Use("kube.execute:Executor._delete", "the history is trimmed"),
    ("deployments/scale", "patch"): Use("kube.execute:Executor._set_replicas", "replicas, and nothing else"),
    ("services", "get"): Use(
        "kube.execute:Executor._assert_without_traffic", "who has the traffic right now"
    ),
    ("services", "list"): Use(_READ, "the model's Services"),
    ("services", "watch"): Use(_WATCH, "a Service was edited or deleted"),
    ("services", "create"): Use(_CREATE, "the stable one, a revision's, the preview"),
    ("services", "patch"): Use("kube.execute:Executor._apply_service", "the traffic moves"),
    ("services", "delete"): Use("", "only who may delete a Service may give one that is there its owner"),
    ("endpointslices", "list"): Use(_READ, "which pods are ready"),
    ("endpointslices", "watch"): Use(_WATCH, "a pod has become ready, or no longer is"),
    ("poddisruptionbudgets", "get"): Use("kube.observe:_add_namesake", "somebody else's of that name"),
    ("poddisruptionbudgets", "list"): Use(_READ, "which revisions have one"),
    ("poddisruptionbudgets", "create"): Use(
        "kube.surroundings:Surroundings._create_budget", "a revision of several pods"
    ),
    ("poddisruptionbudgets", "patch"): Use(
        "kube.surroundings:Surroundings._take_over", "one that has lost its owner gets the one it has now"
    ),
    ("poddisruptionbudgets", "delete"): Use(
        "kube.surroundings:Surroundings._delete_budget", "a revision of one pod"
    ),
    ("networkpolicies", "get"): Use(_READ, "whether it is as the administrator has it"),
    ("networkpolicies", "create"): Use(
        "kube.surroundings:Surroundings._apply_access", "an apply that finds none creates it"
    ),
    ("networkpolicies", "patch"): Use(
        "kube.surroundings:Surroundings._apply_access", "it follows the settings"
    ),
    ("networkpolicies", "delete"): Use(
        "kube.surroundings:Surroundings._delete_access", "policies are switched off"
    ),
    ("pods", "list"): Use(_READ, "what keeps pods from being ready"),
    ("pods", "watch"): Use(_WATCH, "a pod has changed"),
    ("pods/log", "get"): Use("kube.last_words:of_pods", "the last lines of a pod that is let go"),
    ("pods", "create"): Use(
        "kube.surroundings:Surroundings._create_resolver", "one finds out what a source leads to"
    ),
    ("pods", "delete"): Use("kube.surroundings:Surroundings._delete_resolver", "it has said so"),
    ("nodes", "list"): Use("kube.surveyor:", "how much of a scarce device is free"),
    ("events", "create"): Use("kube.events:post", "what happened, for people"),
    ("leases", "create"): Use(_LEASE, "the first operator of a cluster makes it"),
    ("leases", "get"): Use(_LEASE, "who leads"),
    ("leases", "patch"): Use(_HEART, "it is renewed"),
    ("leases", "list"): Use("controller.wiring:", "a watch begins with a list"),
    ("leases", "watch"): Use("controller.wiring:", "our own heartbeat has to come back"),
}
