"""A third of the answers are errors some time after the switch: from the pods' own counts to the way back.

The pods' probe ports are real HTTP servers; the objects of the API server are given, and the time is told.
"""

import datetime
import json
from typing import Any

import pytest
from aiohttp import web

from slipway_operator.domain import target
from slipway_operator.kube import answers, inquirer, reading, surveyor
from slipway_operator.planning import actions, plan, situation
from tests.operator_shell import objects
from tests.operator_shell.test_answers import page, served
from tests.rendering import models

pytestmark = pytest.mark.anyio

MODEL = models.model(models.LEAST, uid=objects.MODEL_UID)
A, B = "aaaaaaaaaa", "bbbbbbbbbb"
SWITCHED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
ASKED = target.Target(B, "2", 1, bake=60)
PER_SECOND = 10


def cluster() -> reading.Cluster:
    """Version 2 has the traffic since a moment, version 1 is kept hot."""
    note = json.dumps({"from": A, "to": B, "at": objects.NOW})
    served_before = {"slipway.dev/promoted-at": "2026-01-01T00:00:00Z"}
    pods = [objects.pod("old", A), objects.pod("new", B)]
    for pod in pods:
        pod["status"]["podIP"] = "127.0.0.1"
    return reading.Cluster(
        deployments=[
            objects.deployment(A, replicas=1, annotations=served_before),
            objects.deployment(B, replicas=1, annotations={"slipway.dev/promoted-at": objects.NOW}),
        ],
        services=[
            objects.stable_service(B, annotations={"slipway.dev/switch": note}),
            objects.revision_service(A),
            objects.revision_service(B),
        ],
        slices=[
            objects.endpoint_slice("sentiment", new=True),
            objects.endpoint_slice(f"sentiment-{A}", old=True),
            objects.endpoint_slice(f"sentiment-{B}", new=True),
        ],
        pods=pods,
    )


class Nobody:
    """The API server, which is not asked for anything more."""

    async def list(self, path: str, *, selector: str) -> list[Any]:
        raise AssertionError(f"{path}?{selector} was asked")


class Pod:
    """Its counts, `second` seconds after the switch: from then on a share of the answers are errors."""

    def __init__(self, *, fails_from: float, share: float) -> None:
        self.second, self._fails_from, self._share = 0.0, fails_from, share

    def answer(self) -> web.Response:
        failed = max(0.0, self.second - self._fails_from) * PER_SECOND * self._share
        return web.Response(text=page(s200=int(self.second * PER_SECOND - failed), s500=int(failed)))


async def seconds_until_back(pod: Pod) -> float | None:
    """Looks when the plan says so, and never sooner; None when the traffic stays for the whole bake."""
    async with served(pod.answer) as port:
        clock = lambda: pod.second  # noqa: E731
        asks = inquirer.Inquirer(
            surveyor.Surveyor(Nobody(), cluster_wide=True),  # type: ignore[arg-type]
            answers.Listener(port=port, clock=clock),
        )
        while pod.second < ASKED.bake:
            now = SWITCHED + datetime.timedelta(seconds=pod.second)
            decided = await look(asks, now)
            if any(isinstance(action, actions.SwitchTraffic) for action in decided.actions):
                assert isinstance(decided.actions[0], actions.Reject), "the verdict is written first"
                return pod.second
            assert decided.look_again is not None
            pod.second = (decided.look_again - SWITCHED).total_seconds()
    return None


async def look(asks: inquirer.Inquirer, now: datetime.datetime) -> plan.Plan:
    seen = reading.observe(MODEL, cluster(), watched_since=SWITCHED)
    before = situation.Situation(asked=ASKED, seen=seen, now=now)
    seen = await asks.complete(MODEL, cluster(), before, _target_of)
    return plan.plan(ASKED, seen, now=now, model=MODEL.name, namespace=MODEL.namespace)


def _target_of(*_: object) -> target.Target:
    raise AssertionError("rollouts are not limited here")


@pytest.mark.parametrize("fails_from", [0.0, 3.0, 20.0, 45.0])
async def test_a_third_of_errors_leads_back_within_ten_seconds(fails_from: float) -> None:
    back = await seconds_until_back(Pod(fails_from=fails_from, share=0.3))
    assert back is not None
    assert 0 < back - fails_from <= 10


async def test_a_few_errors_do_not() -> None:
    assert await seconds_until_back(Pod(fails_from=0, share=0.05)) is None
