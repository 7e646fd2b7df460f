"""An object that breaks a rule is told so in its status, whatever stands there already."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from slipway_operator.controller import reconciler, work_queue
from slipway_operator.kube import inquirer, surveyor
from slipway_operator.rendering import deployment

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
KEY = work_queue.Key("default", "sentiment")


class Server:
    """Holds one object, and what was written to it."""

    def __init__(self, status: dict[str, Any]) -> None:
        metadata = {"name": "sentiment", "namespace": "default", "uid": "u", "generation": 4}
        self.body = {"metadata": metadata, "spec": {"version": "1"}, "status": status}
        self.written: list[dict[str, Any]] = []

    async def find(self, _: str) -> dict[str, Any]:
        return self.body

    async def apply(self, path: str, body: dict[str, Any], **_: str) -> None:
        assert path.endswith("/inferencemodels/sentiment/status")
        self.body["status"] = body["status"]
        self.written.append(body["status"])


def look(server: Server) -> float | None:
    return asyncio.run(
        reconciler.Reconciler(
            server=server,  # type: ignore[arg-type]
            platform=deployment.Platform("registry.test/runtime:1"),
            images_allowed=frozenset(),
            instance="test",
            clock=lambda: NOW,
            watched_since=NOW,
            asks=inquirer.Inquirer(surveyor.Surveyor(server, cluster_wide=True)),  # type: ignore[arg-type]
        ).reconcile(KEY)
    )


@pytest.mark.parametrize(
    ("before", "active"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"activeVersion": "0"}, "0", id="one of ours"),
        pytest.param(
            {"rollout": {"step": "Teleporting"}, "activeVersion": "0"}, None, id="one of a newer operator"
        ),
    ],
)
def test_a_spec_that_breaks_a_rule_is_refused_whatever_the_status_was(
    before: dict[str, Any], active: str | None
) -> None:
    server = Server(before)
    assert look(server) is None
    (says,) = server.written
    assert (says["rollout"]["step"], says.get("activeVersion")) == ("Stopped", active)
    assert "source" in says["rollout"]["message"]
    look(server)
    assert len(server.written) == 1, "what is said already is not said again"
