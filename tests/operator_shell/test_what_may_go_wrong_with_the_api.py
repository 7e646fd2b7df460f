"""Watches that bring nothing or end, a busy server, writers who are faster, and lists that are behind.

An operator as a process against a real API server; a proxy between the two does the harm.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import OperatorProcess, started, until
from tests.operator_shell.proxy import Proxy
from tests.operator_shell.rest import Body

pytestmark = pytest.mark.cluster

MODEL = "/apis/slipway.dev/v1alpha1/namespaces/{}/inferencemodels/sentiment"
SERVICE = "/api/v1/namespaces/{}/services/sentiment"
HEARTBEAT = {"heartbeat_seconds": "8"}


@pytest.mark.case("G1")
def test_somebody_writes_the_service_right_before_its_selector_moves(place: Place, folder: Path) -> None:
    service = SERVICE.format(place.models)
    noted = {"metadata": {"annotations": {"example.com/by": "somebody"}}}
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings) as operator,
    ):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        proxy.ahead_of[f"PATCH {service}"] = lambda: place.rest.patch(service, noted)
        place.ask("2")
        until(lambda: place.arrived_at("2"), "version 2 is there", operator)

        shown = operator.metrics()
        assert proxy.writes.count(f"PATCH {service}") == 2, "read again, and written once more"
        assert shown['slipway_api_requests_total{code="409",kind="services",verb="apply"}'] == 1
        assert shown['slipway_actions_total{action="SwitchTraffic"}'] == 1
        after = place.rest.get(service)
        assert after is not None
        assert after["metadata"]["annotations"]["example.com/by"] == "somebody"
        assert after["spec"]["selector"]["slipway.dev/revision"] == _status(place)["targetRevision"]


@pytest.mark.case("G3")
def test_a_watch_that_brings_nothing_fails_liveness_by_name(place: Place, folder: Path) -> None:
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings | HEARTBEAT) as operator,
    ):
        until(lambda: _heard(operator), "its heartbeat has come back", operator)

        proxy.swallow = True

        until(lambda: operator.probe("/livez")[0] == 503, "liveness fails", operator)
        deaf = f"the watch of leases in {place.models} is deaf"
        until(lambda: deaf in operator.probe("/livez")[1], "the lease's watch is named", operator)
        assert "not alive" in operator.words()
        assert operator.metrics()['slipway_watch_heartbeat_age_seconds{kind="leases"}'] > 8

        proxy.swallow = False
        place.ask("1")  # what was swallowed does not come again, but more does
        until(lambda: operator.probe("/livez")[0] == 200, "liveness is well again", operator)


def test_the_operators_own_lease_is_the_heartbeat_where_all_namespaces_are_watched(
    place: Place, folder: Path
) -> None:
    settings = place.settings | HEARTBEAT | {"watch_namespaces": "", "lease_name": f"of-{place.operators}"}
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **settings) as operator,
    ):
        until(lambda: _heard(operator), "its heartbeat has come back", operator)
        proxy.swallow = True
        until(lambda: operator.probe("/livez")[0] == 503, "liveness fails", operator)
        # Each watch goes deaf in its own time: one that had just heard a renewal comes later.
        deaf = "the watch of leases in all namespaces is deaf"
        until(lambda: deaf in operator.probe("/livez")[1], "the lease's watch is named", operator)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("inferencemodels", marks=pytest.mark.case("G5")),
        pytest.param("endpointslices", marks=pytest.mark.case("G6")),
    ],
)
def test_a_watch_that_ends_with_an_error_ends_the_process(place: Place, folder: Path, kind: str) -> None:
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings) as operator,
    ):
        until(operator.leads, "it leads", operator)
        proxy.break_watches_of = kind
        assert operator.ended() == 1
        assert "broken by the test" in operator.words()
        assert place.lease()["holderIdentity"] == ""


@pytest.mark.case("G2")
def test_a_busy_server_is_asked_again_when_it_says_so(place: Place, folder: Path) -> None:
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings) as operator,
    ):
        until(operator.leads, "it leads", operator)
        proxy.overloaded = 5
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        shown = operator.metrics()
        refused = sum(value for name, value in shown.items() if 'code="429"' in name and "_total" in name)
        assert refused == 5


@pytest.mark.case("G4")
def test_lists_that_are_behind_take_no_pod_away_and_move_nothing_twice(place: Place, folder: Path) -> None:
    """They show the Service on version 1, which is asked for, and version 2 as one that has never served."""
    service = SERVICE.format(place.models)
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings) as operator,
    ):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        place.rest.patch(MODEL.format(place.models), {"spec": {"rollout": {"promotion": "Manual"}}})
        place.ask("2")
        until(lambda: _step(place) == "WaitingForPromotion", "version 2 waits for a word", operator)
        second = _status(place)["targetRevision"]

        proxy.stale = True
        promoted = {"metadata": {"annotations": {"slipway.dev/promote": second}}}
        place.rest.patch(MODEL.format(place.models), promoted)
        until(lambda: _conflicts(operator) >= 2, "the lists do not show the move", operator)
        assert _selected(place) == second
        place.ask("1")
        until(lambda: "has the traffic again" in operator.words(), "it has looked once more", operator)
        assert _selected(place) == second
        assert _replicas(place, second) == 1

        proxy.stale = False
        until(lambda: place.arrived_at("1"), "version 1 is there again", operator)
        until(lambda: _replicas(place, second) == 0, "version 2 is gone", operator)
        assert operator.metrics()['slipway_actions_total{action="SwitchTraffic"}'] == 2
        assert proxy.writes.count(f"PATCH {service}") > 2, "some came too late, and nothing came of them"


def test_a_rollout_takes_few_writes_and_rest_takes_none(place: Place, folder: Path) -> None:
    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        before = _writes(operator)
        place.ask("2")
        until(lambda: place.arrived_at("2"), "version 2 is there", operator)
        spent = _writes(operator) - before
        assert sum(count for (_, kind), count in spent.items() if kind not in ("events", "statuses")) <= 12, (
            spent
        )

        shown = operator.metrics()
        assert shown['slipway_rollouts_total{outcome="completed"}'] == 2
        assert shown["slipway_ready_to_switched_seconds_count"] >= 1

        rested, heartbeats = _writes(operator), operator.metrics()[_LEASES]
        until(lambda: operator.metrics()[_LEASES] >= heartbeats + 5, "some renewals have passed", operator)
        assert _writes(operator) - rested == Counter()


def test_every_line_of_a_look_says_which(place: Place, folder: Path) -> None:
    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        operator.send(signal.SIGTERM)
        assert operator.ended() == 0
    lines = [json.loads(line) for line in operator.words().splitlines()]
    acted = [line for line in lines if "action" in line]
    assert acted
    for line in acted:
        assert line["model"] == "sentiment"
        assert line["namespace"] == place.models
        assert len(line["revision"]) == 10
        assert len(line["look"]) == 8


_LEASES = 'slipway_api_requests_total{code="200",kind="leases",verb="patch"}'


def _status(place: Place) -> Body:
    return dict((place.model() or {}).get("status", {}))


def _step(place: Place) -> str:
    return str(_status(place).get("rollout", {}).get("step", ""))


def _selected(place: Place) -> str:
    service = place.rest.get(SERVICE.format(place.models)) or {}
    return str(service["spec"]["selector"]["slipway.dev/revision"])


def _replicas(place: Place, revision: str) -> int:
    deployment = place.rest.get(f"/apis/apps/v1/namespaces/{place.models}/deployments/sentiment-{revision}")
    assert deployment is not None
    return int(deployment["spec"]["replicas"])


def _conflicts(operator: OperatorProcess) -> float:
    return operator.metrics().get('slipway_reconciles_total{outcome="conflict"}', 0)


def _heard(operator: OperatorProcess) -> bool:
    """It leads, has renewed, and no watch owes it anything."""
    if not operator.leads():
        return False
    shown = operator.metrics()
    ages = [value for name, value in shown.items() if name.startswith("slipway_watch_heartbeat_age_seconds")]
    return shown.get(_LEASES, 0) >= 2 and bool(ages) and max(ages) == 0


def _writes(operator: OperatorProcess) -> Counter[tuple[str, str]]:
    """Writes that the server took, by verb and kind; without Leases, and statuses by that name."""
    found: Counter[tuple[str, str]] = Counter()
    shown = operator.metrics()
    for name, value in shown.items():
        if not name.startswith("slipway_api_requests_total{"):
            continue
        verb, kind = (name.split(f'{label}="')[1].split('"')[0] for label in ("verb", "kind"))
        if verb not in ("get", "list") and kind != "leases":
            found[verb, "statuses" if kind == "inferencemodels" else kind] += int(value)
    return found
