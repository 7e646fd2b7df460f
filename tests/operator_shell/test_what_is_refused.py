"""What a rollout can do without is refused by the API server, and the rollout goes on.

A real API server, with policies of its own (ValidatingAdmissionPolicy) that refuse.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import OperatorProcess, started, until
from tests.operator_shell.rest import Body

pytestmark = pytest.mark.cluster

POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
MODEL = "/apis/slipway.dev/v1alpha1/namespaces/{}/inferencemodels/sentiment"
WORDS = "the platform team says no"
CONDITION = "SupportingResourcesRefused"


@contextlib.contextmanager
def refused(place: Place, group: str, resource: str, *, unless: str = "false") -> Iterator[None]:
    """In the place's namespace the API server creates none of them, but those that fit `unless` (CEL)."""
    name = f"no-{resource}-in-{place.models}"
    rule = {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
    }
    here = {"matchLabels": {"kubernetes.io/metadata.name": place.models}}
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule], "namespaceSelector": here},
            "validations": [{"expression": unless, "message": WORDS}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    place.rest.create(POLICIES, policy)
    place.rest.create(BINDINGS, binding)
    try:
        _until_it_holds(place, group, resource)
        yield
    finally:
        place.rest.ask("DELETE", f"{BINDINGS}/{name}")
        place.rest.ask("DELETE", f"{POLICIES}/{name}")


CASES = [
    pytest.param("policy", "poddisruptionbudgets", "false", "create the PodDisruptionBudget", id="budgets"),
    pytest.param("networking.k8s.io", "networkpolicies", "false", "apply the NetworkPolicy", id="policies"),
    pytest.param(
        "", "services", "!object.metadata.name.endsWith('-preview')", "create the preview", id="preview"
    ),
    pytest.param("events.k8s.io", "events", "false", "post an Event", id="events"),
]


@pytest.mark.parametrize(("group", "resource", "unless", "cannot"), CASES)
def test_a_rollout_does_without_what_is_refused(
    place: Place, folder: Path, group: str, resource: str, unless: str, cannot: str
) -> None:
    with (
        refused(place, group, resource, unless=unless),
        started("one", place.plane.kubeconfig, folder, **place.settings) as operator,
    ):
        _ask(place, "1", manual=resource == "services")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        until(lambda: CONDITION in _conditions(place), "the status says it", operator)
        says = _conditions(place)[CONDITION]
        assert cannot in says["message"]
        assert WORDS in says["message"]
        assert (says["status"], says["reason"]) == ("True", "WriteRefused")
        _ask(place, "2", manual=resource == "services")
        until(lambda: place.arrived_at("2"), "version 2 is there", operator)
        assert "Stalled" not in _conditions(place)
        assert _failed_looks(operator) == 0


def test_it_is_tried_again_more_and_more_seldom_and_then_said_no_more(place: Place, folder: Path) -> None:
    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        with refused(place, "policy", "poddisruptionbudgets"):
            _ask(place, "1")
            until(lambda: place.arrived_at("1"), "version 1 is there", operator)
            until(lambda: _tries(operator) >= 3, "it has been tried again", operator)
            before = _tries(operator)
            time.sleep(10)
            assert _tries(operator) - before <= 4
        until(lambda: CONDITION not in _conditions(place), "it is said no more", operator)
        budgets = place.rest.items(f"/apis/policy/v1/namespaces/{place.models}/poddisruptionbudgets")
        assert len(budgets) == 1


def test_the_bake_of_a_version_is_watched_while_its_budget_is_refused(place: Place, folder: Path) -> None:
    """The next look of a bake is due in seconds, whatever was refused beside it."""
    with (
        started("one", place.plane.kubeconfig, folder, **place.settings) as operator,
        refused(place, "policy", "poddisruptionbudgets"),
    ):
        _ask(place, "1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        time.sleep(8)  # the wait for the next try of its budget has grown
        _ask(place, "2", bakeSeconds=600)
        until(lambda: _step(place) == "Baking", "version 2 is watched", operator)
        before = _looks(operator)
        time.sleep(20)
        assert _looks(operator) - before >= 3, "one each 5 s, for nobody counts these pods' responses"
        assert "Stalled" not in _conditions(place)


def _ask(place: Place, version: str, *, manual: bool = False, **rollout: int) -> None:
    place.ask(version, **rollout)
    spec: dict[str, Any] = {"replicas": 2}
    if manual:
        spec["rollout"] = {"promotion": "Manual"}
    place.rest.patch(MODEL.format(place.models), {"spec": spec})
    if manual and version != "1":
        _promote(place)


def _promote(place: Place) -> None:
    deadline = time.monotonic() + 120
    while _step(place) != "WaitingForPromotion":
        assert time.monotonic() < deadline, "it has not come to the question"
        time.sleep(0.2)
    target = (place.model() or {})["status"]["targetRevision"]
    place.rest.patch(
        MODEL.format(place.models), {"metadata": {"annotations": {"slipway.dev/promote": target}}}
    )


def _until_it_holds(place: Place, group: str, resource: str) -> None:
    """A policy takes a moment to be known: ask in vain until it is."""
    root = f"/apis/{group}/v1" if group else "/api/v1"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            place.rest.create(
                f"{root}/namespaces/{place.models}/{resource}?dryRun=All",
                _sample(place, f"{group}/v1" if group else "v1", resource),
            )
        except AssertionError as error:
            if WORDS in str(error):
                return
        time.sleep(0.2)
    raise AssertionError(f"{resource} are not refused")


def _sample(place: Place, version: str, resource: str) -> Body:
    kinds: dict[str, tuple[str, Body]] = {
        "poddisruptionbudgets": ("PodDisruptionBudget", {"spec": {"maxUnavailable": 1}}),
        "networkpolicies": ("NetworkPolicy", {"spec": {"podSelector": {}}}),
        "services": ("Service", {"spec": {"ports": [{"port": 80}]}}),
        "events": (
            "Event",
            {
                "eventTime": "2026-01-01T00:00:00.000000Z",
                "reportingController": "example.com/test",
                "reportingInstance": "test",
                "action": "Test",
                "reason": "Test",
                "type": "Normal",
                "regarding": {"kind": "Namespace", "name": place.models, "namespace": place.models},
            },
        ),
    }
    kind, rest = kinds[resource]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a-preview"}, **rest}


def _conditions(place: Place) -> dict[str, Body]:
    listed = (place.model() or {}).get("status", {}).get("conditions", [])
    return {each["type"]: each for each in listed}


def _step(place: Place) -> str:
    return str((place.model() or {}).get("status", {}).get("rollout", {}).get("step", ""))


def _sum(operator: OperatorProcess, *parts: str) -> float:
    shown = operator.metrics()
    return sum(value for name, value in shown.items() if all(part in name for part in parts))


def _tries(operator: OperatorProcess) -> float:
    return _sum(operator, "slipway_api_requests_total", 'kind="poddisruptionbudgets"', 'verb="create"')


def _looks(operator: OperatorProcess) -> float:
    """Those that have come to their end."""
    return _sum(operator, "slipway_reconciles_total", 'outcome="ok"')


def _failed_looks(operator: OperatorProcess) -> float:
    """Conflicts are no failures: somebody was faster."""
    bad = ('outcome="api_error"', 'outcome="bug"')
    return sum(_sum(operator, "slipway_reconciles_total", outcome) for outcome in bad)
