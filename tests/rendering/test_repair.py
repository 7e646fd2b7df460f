"""A Service of ours that somebody has edited becomes again what it was, and keeps what is none of ours."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from slipway_operator.rendering import service
from tests.rendering import models

Body = dict[str, Any]

MODEL = models.model(models.LEAST)
OWN = service.of_revision(MODEL, revision="aaaaaaaaaa", version="2.1", deployment_uid="uid")
STABLE = service.wherever_it_leads(MODEL)
HTTP, GRPC = STABLE["spec"]["ports"]
THEIRS = {"name": "metrics", "port": 8081, "targetPort": 8081, "protocol": "TCP"}


def held(wanted: Body) -> Body:
    """As the API server holds it."""
    found = copy.deepcopy(wanted)
    found["metadata"]["resourceVersion"] = "41"
    found["spec"].setdefault("selector", {"slipway.dev/model": "sentiment"})
    return found


def without_label(found: Body) -> None:
    del found["metadata"]["labels"]["slipway.dev/model"]


def without_labels(found: Body) -> None:
    del found["metadata"]["labels"]


def leads_elsewhere(found: Body) -> None:
    found["spec"]["ports"][0] |= {"targetPort": 9999, "nodePort": 30080}


def renumbered(found: Body) -> None:
    found["spec"]["ports"][0]["port"] = 81


def taken(found: Body) -> None:
    found["spec"]["ports"] = [{**GRPC, "name": "other"}, HTTP, THEIRS]


def widened(found: Body) -> None:
    found["spec"]["selector"] = {"slipway.dev/model": "sentiment", "app": "mine"}


MODEL_LABEL = {"slipway.dev/model": "sentiment"}


@pytest.mark.parametrize(
    ("edit", "of", "patch"),
    [
        pytest.param(without_label, STABLE, {"metadata": {"labels": MODEL_LABEL}}, id="a label is missing"),
        pytest.param(without_labels, STABLE, {"metadata": {"labels": MODEL_LABEL}}, id="all labels are"),
        pytest.param(
            leads_elsewhere,
            STABLE,
            {"spec": {"ports": [{**HTTP, "nodePort": 30080}, GRPC]}},
            id="a port leads elsewhere",
        ),
        pytest.param(renumbered, STABLE, {"spec": {"ports": [HTTP, GRPC]}}, id="a port has another number"),
        pytest.param(
            taken, STABLE, {"spec": {"ports": [HTTP, GRPC, THEIRS]}}, id="a port is taken by another one"
        ),
        pytest.param(
            widened,
            OWN,
            {"spec": {"selector": {**OWN["spec"]["selector"], "app": None}}},
            id="a revision's Service selects other pods",
        ),
    ],
)
def test_it_is_put_right_when(edit: Callable[[Body], None], of: Body, patch: Body) -> None:
    found = held(of)
    edit(found)
    version = {"resourceVersion": "41"}
    assert service.repair(found, of) == {**patch, "metadata": {**version, **patch.get("metadata", {})}}


@pytest.mark.parametrize("wanted", [STABLE, OWN], ids=["the stable Service", "a revision's own"])
def test_nothing_is_written_where_nothing_is_wrong(wanted: Body) -> None:
    found = held(wanted)
    found["spec"] |= {"type": "LoadBalancer", "ports": [THEIRS, *found["spec"]["ports"]]}
    found["metadata"]["labels"] |= {"team": "search", "app.kubernetes.io/managed-by": "somebody"}
    assert service.repair(found, wanted) == {}


def test_where_a_lent_service_has_led_before_is_noted_once() -> None:
    lent: Body = {"metadata": {"resourceVersion": "5"}, "spec": {"selector": {"app": "old"}}}
    first = service.marked(lent, "sentiment")["metadata"]
    assert first["annotations"] == {"slipway.dev/adopted-selector": '{"app": "old"}'}
    again = {"metadata": {**lent["metadata"], **first}, "spec": {"selector": MODEL_LABEL}}
    assert "annotations" not in service.marked(again, "sentiment")["metadata"]
