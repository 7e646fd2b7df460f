"""A model that cannot begin is passed in the queue of rollouts: what a look finds is told to the queue."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from slipway_operator.controller import reconciler, work_queue
from slipway_operator.domain import fleet as values
from slipway_operator.domain import observed, target
from slipway_operator.kube import errors, fleet, inquirer, reading, surveyor
from slipway_operator.planning import situation
from slipway_operator.rendering import deployment
from tests.operator_shell import objects, test_fleet
from tests.planning.situations import Scene, a_model, ago

Early = test_fleet.parsed
NOTHING = reading.Cluster(deployments=[], services=[], slices=[], pods=[])


class Server(test_fleet.Server):
    """The API server: it shows two models, and makes no Deployment."""

    def __init__(self) -> None:
        early = test_fleet.model("early", asked="2026-01-02T03:10:00Z")
        children = [test_fleet.served("late"), test_fleet.served("early")]
        super().__init__([test_fleet.model("late"), early], children)
        self.said: list[objects.Object] = []

    async def list(self, path: str, *, selector: str) -> list[objects.Object]:
        known = path.endswith(("/deployments", "/inferencemodels", "/pods"))
        return await super().list(path, selector=selector) if known else []

    async def find(self, path: str) -> objects.Object | None:
        return next((m for m in self.listed if path.endswith(f"/inferencemodels/{_name(m)}")), None)

    async def create(self, path: str, _: objects.Object, **__: Any) -> objects.Object:
        raise errors.Refused(f"{path}: denied")

    async def apply(self, _: str, body: objects.Object, **__: Any) -> objects.Object:
        self.said.append(body["status"])
        return body


def _name(model: objects.Object) -> str:
    return str(model["metadata"]["name"])


def asks_of(server: Server) -> tuple[inquirer.Inquirer, fleet.Fleet]:
    models = test_fleet.a_fleet(server, values.Limits(1))
    survey = surveyor.Surveyor(server, cluster_wide=True)  # type: ignore[arg-type]
    return inquirer.Inquirer(survey, models=models), models


def target_of(*_: Any) -> target.Target:
    raise AssertionError("the queue is not asked")


BLOCKED: dict[str, Any] = {"strategy": target.Strategy.ROLLING, "max_surge": 0, "max_unavailable": 1}


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            a_model(asking="v2").with_live("v1").with_somebody_elses("Service", observed.Child.STABLE),
            id="its name is taken",
        ),
        pytest.param(a_model(asking="v2", **BLOCKED).with_live("v1"), id="no turn is possible"),
        pytest.param(a_model(asking="v2", paused=True).with_live("v1"), id="it is paused"),
        pytest.param(a_model(asking="v1").with_live("v1", promoted_at=ago(9000)), id="it is at rest"),
    ],
)
def test_a_look_finds_that_it_can_begin_nothing(scene: Scene) -> None:
    asks, models = asks_of(Server())
    assert test_fleet.place(models, "late") is not None
    s: situation.Situation = scene.situation
    seen = asyncio.run(asks.complete(Early("early"), NOTHING, s, target_of))
    assert seen.turn is None
    assert test_fleet.place(models, "late") is None


def test_a_deployment_that_is_refused_gives_the_turn_to_the_next() -> None:
    server = Server()
    asks, models = asks_of(server)
    assert test_fleet.place(models, "early") is None
    assert test_fleet.place(models, "late") == values.Place(1, (), ("default/early",))
    looks = reconciler.Reconciler(
        server=server,  # type: ignore[arg-type]
        platform=deployment.Platform("registry.test/runtime:1"),
        images_allowed=frozenset(),
        instance="test",
        clock=lambda: test_fleet.NOW,
        watched_since=test_fleet.NOW - datetime.timedelta(minutes=5),
        asks=asks,
    )
    server.deployments = []  # of what serves nothing is seen: it begins at once, and is refused
    with pytest.raises(errors.Refused):
        asyncio.run(looks.reconcile(work_queue.Key("default", "early")))
    assert server.said[-1]["rollout"]["step"] == "Blocked"
    server.deployments = [test_fleet.served("late"), test_fleet.served("early")]
    assert test_fleet.place(models, "late") is None


def test_without_a_limit_there_is_no_queue_to_tell() -> None:
    inquirer.Inquirer(surveyor.Surveyor(Server(), cluster_wide=True)).was_refused(Early("early"))  # type: ignore[arg-type]
