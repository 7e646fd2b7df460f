"""Which kind a path leads to, and what a move of the traffic says of the time before it."""

from __future__ import annotations

import dataclasses

import pytest

from slipway_operator.controller import measuring
from slipway_operator.domain import observed
from slipway_operator.kube import paths
from slipway_operator.planning import actions
from tests.planning import situations

NOW = situations.NOW


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(paths.services("a", "b"), ("services", "a", "b"), id="a Service"),
        pytest.param(paths.pods("a"), ("pods", "a", ""), id="all pods"),
        pytest.param(f"{paths.models('a', 'b')}/status", ("inferencemodels", "a", "b"), id="a status"),
        pytest.param(f"{paths.deployments('a', 'b')}/scale", ("deployments", "a", "b"), id="a scale"),
        pytest.param(paths.leases("a", "b"), ("leases", "a", "b"), id="a Lease"),
        pytest.param(paths.all_models(), ("inferencemodels", "", ""), id="the models of all namespaces"),
        pytest.param(paths.all_models("a"), ("inferencemodels", "a", ""), id="those of one"),
        pytest.param(paths.crd_resources(), ("", "", ""), id="a group's own page"),
    ],
)
def test_a_path_says_what_it_leads_to(path: str, place: tuple[str, str, str]) -> None:
    assert paths.place_of(path) == place


def _seen(*ready_for: float, latched: int) -> observed.Observed:
    scene = situations.a_model(asking="v2", replicas=latched).with_revision("v2", latched=latched)
    pods = tuple(observed.ReadyPod(f"v2-{n}", situations.ago(age)) for n, age in enumerate(ready_for))
    return observed.Observed(service=None, revisions=(dataclasses.replace(scene.revisions[0], ready=pods),))


def _switch(to: str, *, back: bool = False) -> actions.SwitchTraffic:
    return actions.SwitchTraffic("v1", to, NOW, "1", back=back)


@pytest.mark.parametrize(
    ("action", "seen", "seconds"),
    [
        pytest.param(_switch("v2"), _seen(9, 30, latched=2), 9, id="the last of two needed pods counts"),
        pytest.param(
            _switch("v2"), _seen(2, 9, 30, latched=2), 9, id="a pod beyond the needed ones does not"
        ),
        pytest.param(
            _switch("v2"), _seen(4, latched=3), 4, id="fewer than asked for, when nobody else serves"
        ),
        pytest.param(_switch("v2", back=True), _seen(9, latched=1), None, id="going back is no promotion"),
        pytest.param(_switch("v3"), _seen(9, latched=1), None, id="a revision that was not seen"),
        pytest.param(_switch("v2"), _seen(latched=1), None, id="no pod is ready"),
        pytest.param(actions.MarkPromoted("v2", NOW), _seen(9, latched=1), None, id="another write"),
    ],
)
def test_the_time_from_ready_to_switched_is_that_of_the_last_needed_pod(
    action: actions.Action, seen: observed.Observed, seconds: float | None
) -> None:
    assert measuring.ready_to_switched(action, seen, now=NOW) == seconds
