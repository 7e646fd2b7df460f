"""Whatever the administrator and the user set, a second look writes nothing; and who undoes what we write is
not answered without end.

A real API server: it is what drops, orders and defaults what it is given.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from slipway_operator.rendering import access, trust
from tests.operator_shell.conftest import Place
from tests.operator_shell.looks import PLATFORM, Operator
from tests.operator_shell.processes import started, until
from tests.operator_shell.rest import Body

pytestmark = pytest.mark.cluster

MODEL = "/apis/slipway.dev/v1alpha1/namespaces/{}/inferencemodels/sentiment"
POLICY = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies/sentiment-runtime"
FIGHT_SECONDS = 15.0
MOST_APPLIES = 7
"""In that time: at 0, 0.5, 1.5, 3.5, 7.5 and 15.5 seconds, and one for the machine."""


def visited_by(selector: str) -> dict[str, Any]:
    return {"visitors": access.Visitors("slipway-system", selector)}


PLATFORMS = [
    pytest.param({}, id="as it is installed"),
    pytest.param({"visitors": None}, id="without policies"),
    pytest.param(visited_by('{"matchLabels": {}}'), id="monitoring in every namespace"),
    pytest.param(visited_by("{}"), id="monitoring in every namespace, in short"),
    pytest.param(visited_by('{"matchExpressions": []}'), id="an empty list of expressions"),
    pytest.param(visited_by('{"matchLabels": {"team": "sre"}, "matchExpressions": []}'), id="one label"),
    pytest.param(
        visited_by('{"matchExpressions": [{"key": "b", "operator": "In", "values": ["2", "1"]}]}'),
        id="values in another order",
    ),
    pytest.param(
        visited_by('{"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]}'),
        id="an expression with no values",
    ),
    pytest.param({"labels": {"team": "ml"}}, id="the administrator's labels"),
    pytest.param(
        {
            "s3_endpoint_url": "http://s3:9000",
            "s3_region": "eu-north-1",
            "s3_authority": trust.Authority("ca", "ca.crt"),
        },
        id="a storage of their own",
    ),
]
SPECS = [
    pytest.param({"replicas": 1}, id="one pod"),
    pytest.param({"replicas": 2}, id="two pods"),
    pytest.param({"replicas": 0}, id="no pod"),
    pytest.param({"replicas": 2, "rollout": {"promotion": "Manual"}}, id="manual"),
    pytest.param(
        {"replicas": 2, "rollout": {"strategy": "Rolling", "maxSurge": 0, "maxUnavailable": 1}}, id="rolling"
    ),
    pytest.param(
        {
            "replicas": 2,
            "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
        },
        id="what shapes its pods",
    ),
]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_second_look_writes_nothing_whatever_the_administrator_sets(
    place: Place, platform: dict[str, Any]
) -> None:
    operator = Operator(place, dataclasses.replace(PLATFORM, **platform))
    _ask(place, {"replicas": 2, "rollout": {"promotion": "Manual"}})
    _settle(place, operator)
    assert operator.looks_once() == []


@pytest.mark.parametrize("spec", SPECS)
def test_a_second_look_writes_nothing_whatever_the_user_asks_for(place: Place, spec: Body) -> None:
    operator = Operator(place)
    _ask(place, spec)
    _settle(place, operator)
    assert operator.looks_once() == []


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"metadata": {"labels": {"team": "ml"}}}, id="a label"),
        pytest.param({"metadata": {"annotations": {"policies.example.com/seen": "yes"}}}, id="a note"),
        pytest.param({"spec": {"egress": [{}]}}, id="a field that is not ours"),
    ],
)
def test_what_others_add_to_a_policy_is_theirs(place: Place, others: Body) -> None:
    operator = Operator(place)
    _ask(place, {"replicas": 1})
    _settle(place, operator)
    assert place.rest.patch(POLICY.format(place.models), others) is not None
    assert operator.looks_once() == []


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"ingress": []}, id="who may come"),
        pytest.param({"podSelector": {"matchLabels": {"slipway.dev/model": "another"}}}, id="whose pods"),
        pytest.param({"policyTypes": ["Ingress", "Egress"]}, id="what it is for"),
    ],
)
def test_what_others_change_of_ours_is_applied_again(place: Place, edit: Body) -> None:
    operator = Operator(place)
    _ask(place, {"replicas": 1})
    _settle(place, operator)
    where = POLICY.format(place.models)
    before = (place.rest.get(where) or {})["spec"]
    place.rest.patch(where, {"spec": edit})
    operator.looks_until(lambda: (place.rest.get(where) or {})["spec"] == before, "it is as it was")
    assert operator.looks_once() == []


def test_who_undoes_what_we_write_is_answered_more_and_more_seldom(place: Place, folder: Path) -> None:
    """As a webhook or another controller would, as often as we write."""
    where, applies = POLICY.format(place.models), 'code="200",kind="networkpolicies",verb="apply"'
    ended = threading.Event()

    def undo() -> None:
        while not ended.wait(0.05):
            found = place.rest.get(where)
            if found is not None and found["spec"].get("ingress"):
                place.rest.patch(where, {"spec": {"ingress": None}})
                touched = {"metadata": {"annotations": {"example.com/at": str(time.monotonic())}}}
                place.rest.patch(MODEL.format(place.models), touched)  # an event, at once

    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)

        def count() -> float:
            shown = operator.metrics()
            return sum(value for name, value in shown.items() if applies in name and "_total" in name)

        before = count()
        thread = threading.Thread(target=undo)
        thread.start()
        try:
            until(lambda: count() >= before + 2, "it has begun", operator)
            time.sleep(FIGHT_SECONDS)
            spent = count() - before
        finally:
            ended.set()
            thread.join()
        assert spent <= MOST_APPLIES
        place.ask("2")  # and the rollouts of that model are not held up by it
        until(lambda: place.arrived_at("2"), "version 2 is there", operator)


def _ask(place: Place, spec: Body) -> None:
    place.ask("1")
    place.rest.patch(MODEL.format(place.models), {"spec": spec})


def _settle(place: Place, operator: Operator) -> None:
    """Until its status says that nothing is left to do."""
    operator.looks_until(lambda: _step(place) in ("Complete", "Hibernated"), "it is at rest")
    operator.looks_until(lambda: operator_is_done(place), "its pods are counted")
    _look_until_quiet(operator)


def _look_until_quiet(operator: Operator) -> None:
    """What was still under way (a resolver that ends, slices that are behind) has come to its end."""
    for _ in range(20):
        if operator.looks_once() == []:
            return
        time.sleep(0.3)
    raise AssertionError(f"twenty looks, and it writes still: {operator.looks_once()}")


def operator_is_done(place: Place) -> bool:
    status = (place.model() or {}).get("status", {})
    return bool(status.get("readyReplicas", 0) == ((place.model() or {})["spec"].get("replicas", 1)))


def _step(place: Place) -> str:
    return str((place.model() or {}).get("status", {}).get("rollout", {}).get("step", ""))
