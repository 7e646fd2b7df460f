"""How much the operator writes, by the API server's own log: nothing at rest, and few times in a rollout."""

import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.recorder import journal
from tests.recorder.history import History
from tests.recorder.watch import Recorder
from tests.scenario import audit, rest
from tests.scenario.observation import observed

pytestmark = [pytest.mark.cluster, pytest.mark.long]

IDLE_MODELS = int(os.environ.get("SLIPWAY_IDLE_MODELS", "5"))
IDLE_SECONDS = float(os.environ.get("SLIPWAY_IDLE_SECONDS", "60"))
SETTLING = 5.0  # seconds after the last one is at rest
MOST = 12  # writes of a rollout, status and Events not counted


@pytest.fixture
def log(stack: Installed) -> Path:
    """The API server's audit log."""
    found = stack.cluster.audit_log
    if found is None:
        pytest.skip(f"the API server of {stack.cluster.description} keeps no log of writes to read here")
    return found


@pytest.mark.case("N1")
def test_at_rest_nothing_is_written(
    stack: Installed,
    namespace: str,
    tmp_path: Path,
    log: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """But for the status of a model whose pods a busy node has taken for not ready meanwhile."""
    rest.settle(stack.kubectl, namespace, models=IDLE_MODELS)
    time.sleep(SETTLING)
    record_property("remark", f"{IDLE_MODELS} models for {IDLE_SECONDS:g} s")
    begin, recording = journal.now(), tmp_path / "recording.jsonl"
    with Recorder(stack.cluster.kubeconfig, recording, namespaces=[namespace]):
        time.sleep(IDLE_SECONDS)
    written = [w for w in audit.writes(log, begin=begin, end=journal.now()) if w.made]
    assert list(map(str, rest.needless(written, namespace, restless=rest.restless(recording)))) == []


@pytest.mark.case("N2")
def test_a_rollout_takes_few_writes(
    stack: Installed,
    namespace: str,
    tmp_path: Path,
    log: Path,
    record_property: Callable[[str, object], None],
) -> None:
    with observed(stack, namespace, tmp_path) as run:
        first = run.apply("1", rollout={"historyLimit": 0})
        run.wait_complete("1")
        time.sleep(SETTLING)
        begin = journal.now()
        run.apply("2", rollout={"historyLimit": 0})
        run.wait_complete("2")
        run.until(lambda: not run.seen.deployment(first), what="version 1 has left the history")
        time.sleep(SETTLING)
        end = journal.now()
    assert run.outcome.complaints == []
    written = [w for w in audit.writes(log, begin=begin, end=end) if w.namespace == namespace]
    counted, told = list(audit.of_rollout(written)), audit.of_status(written)
    record_property("remark", f"{len(counted)} writes, {len(told)} of the status")
    assert len(counted) <= MOST, "\n".join(map(str, counted))
    changes = steps_and_readiness(run.outcome.history, begin=begin)
    assert len(told) <= len(changes), "\n".join([*map(str, told), *changes])


def steps_and_readiness(history: History, *, begin: datetime) -> list[str]:
    """What the status has said since then: each time that the step or the readiness was another."""
    said = [
        _essence(change.raw.get("status") or {})
        for change in history.changes
        if change.key.kind == "InferenceModel" and change.at >= begin
    ]
    return [now for before, now in zip(["", *said], said, strict=False) if now != before]


def _essence(status: JsonObject) -> str:
    versions = {v["version"]: (v["state"], v.get("ready")) for v in status.get("versions", [])}
    holding = sorted(c["type"] for c in status.get("conditions", []) if c["status"] == "True")
    step = status.get("rollout", {}).get("step")
    return json.dumps([step, status.get("activeVersion"), versions, holding])
