"""Watches that bring nothing or end, a server that has too much to do, and the least rights.

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

pytestmark = pytest.mark.cluster

HEARTBEAT = {"heartbeat_seconds": "8"}


def test_a_watch_that_brings_nothing_fails_liveness_by_name(place: Place, folder: Path) -> None:
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder), folder, **place.settings | HEARTBEAT) as operator,
    ):
        until(lambda: _heard(operator), "its heartbeat has come back", operator)

        proxy.swallow = True

        until(lambda: operator.probe("/livez")[0] == 503, "liveness fails", operator)
        assert f"the watch of leases in {place.models} is deaf" in operator.probe("/livez")[1]
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
        assert "the watch of leases in all namespaces is deaf" in operator.probe("/livez")[1]


@pytest.mark.parametrize("kind", ["inferencemodels", "endpointslices"])
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
