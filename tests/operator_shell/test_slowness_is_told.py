"""A new version that takes longer an answer: from what the pods of both count to the note on its Deployment.

The pods' probe ports are real HTTP servers on two addresses; the objects of the API server are given.
"""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from slipway_operator.domain import target
from slipway_operator.kube import answers, inquirer, reading, surveyor
from slipway_operator.planning import actions, plan, situation
from tests.operator_shell.test_errors_lead_back import ASKED, MODEL, SWITCHED, B, Nobody, cluster

pytestmark = pytest.mark.anyio
OLD, NEW = "127.0.0.1", "127.0.0.2"
NOW = SWITCHED.replace(second=SWITCHED.second + 10)


@contextlib.asynccontextmanager
async def pods(seconds: dict[str, float]) -> AsyncIterator[int]:
    """At each address one that has given fifty answers, and took so long for each."""

    async def metrics(request: web.Request) -> web.Response:
        took = 50 * seconds[request.host.partition(":")[0]]
        text = f"inference_duration_seconds_count 50.0\ninference_duration_seconds_sum {took}\n"
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application)
    await runner.setup()
    port = 0
    try:
        for address in seconds:
            await web.TCPSite(runner, address, port).start()
            port = runner.addresses[0][1]
        yield port
    finally:
        await runner.cleanup()


def _two_versions(*, note: str = "") -> reading.Cluster:
    seen = cluster()
    for pod, address in zip(seen.pods, (OLD, NEW), strict=True):
        pod["status"]["podIP"] = address
    if note:
        seen.deployments[1]["metadata"]["annotations"]["slipway.dev/slower"] = note
    return seen


async def _planned(seen: reading.Cluster, port: int) -> tuple[actions.Action, ...]:
    asks = inquirer.Inquirer(
        surveyor.Surveyor(Nobody(), cluster_wide=True),  # type: ignore[arg-type]
        answers.Listener(port=port),
    )
    found = reading.observe(MODEL, seen, watched_since=SWITCHED)
    before = situation.Situation(asked=ASKED, seen=found, now=NOW)
    found = await asks.complete(MODEL, seen, before, _target_of)
    return plan.plan(ASKED, found, now=NOW, model=MODEL.name, namespace=MODEL.namespace).actions


def _target_of(*_: object) -> target.Target:
    raise AssertionError("rollouts are not limited here")


async def test_a_slower_version_is_noted_and_keeps_the_requests() -> None:
    async with pods({OLD: 0.01, NEW: 0.05}) as port:
        planned = await _planned(_two_versions(), port)
    noted = [action for action in planned if isinstance(action, actions.NoteSlowness)]
    assert [action.revision for action in noted] == [B]
    assert "takes 50.0 ms an answer" in noted[0].message
    assert "took 10.0 ms" in noted[0].message
    assert not any(isinstance(action, actions.SwitchTraffic | actions.Reject) for action in planned)


async def test_what_is_noted_is_not_noted_again() -> None:
    async with pods({OLD: 0.01, NEW: 0.05}) as port:
        planned = await _planned(_two_versions(note="it is slow"), port)
    assert not any(isinstance(action, actions.NoteSlowness) for action in planned)


async def test_a_version_that_is_as_fast_is_not_noted() -> None:
    async with pods({OLD: 0.01, NEW: 0.012}) as port:
        planned = await _planned(_two_versions(), port)
    assert not any(isinstance(action, actions.NoteSlowness) for action in planned)
