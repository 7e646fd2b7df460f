"""A pod that is let go while it runs: from the end of its log to the verdict on its Deployment."""

import pytest

from slipway_operator.domain import target
from slipway_operator.kube import inquirer, reading, surveyor
from slipway_operator.planning import actions, plan, situation
from tests.operator_shell import objects
from tests.operator_shell.test_errors_lead_back import ASKED, MODEL, SWITCHED, A, B, Nobody

pytestmark = pytest.mark.anyio


async def test_a_pod_that_is_let_go_while_it_runs_leaves_its_last_words() -> None:
    seen = _warming()
    asks = inquirer.Inquirer(
        surveyor.Surveyor(Nobody(), cluster_wide=True),  # type: ignore[arg-type]
        server=_Logs(),  # type: ignore[arg-type]
    )
    found = reading.observe(MODEL, seen)
    late = situation.Situation(asked=ASKED, seen=found, now=situation.after(SWITCHED, 600))
    found = await asks.complete(MODEL, seen, late, _target_of)
    planned = plan.plan(ASKED, found, now=late.now, model=MODEL.name, namespace=MODEL.namespace).actions
    released = [action for action in planned if isinstance(action, actions.Release)]
    assert [(action.revision, action.verdict.last_words) for action in released] == [(B, "fetching 40 GB")]


class _Logs(Nobody):
    async def text(self, path: str, _: object) -> str:
        assert path == "/api/v1/namespaces/default/pods/pod-new/log"
        return "fetching 40 GB\n"


def _warming() -> reading.Cluster:
    """Version 1 serves; version 2 has been loading for as long as it may."""
    loading = {"ready": False, "state": {"running": {}}}
    new = objects.pod("new", B, ready=False, container=loading)
    new["metadata"]["namespace"] = "default"
    served = {"slipway.dev/promoted-at": "2026-01-01T00:00:00Z"}
    return reading.Cluster(
        deployments=[
            objects.deployment(A, replicas=1, annotations=served),
            objects.deployment(B, replicas=1),
        ],
        services=[objects.stable_service(A), objects.revision_service(A), objects.revision_service(B)],
        slices=[
            objects.endpoint_slice("sentiment", old=True),
            objects.endpoint_slice(f"sentiment-{A}", old=True),
        ],
        pods=[objects.pod("old", A), new],
    )


def _target_of(*_: object) -> target.Target:
    raise AssertionError("rollouts are not limited here")
