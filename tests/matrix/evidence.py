"""What speaks against a version, and how long the way back took: read from a recording and a ledger.

Must not know what caused it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from slipway_operator.api import labels
from slipway_operator.rendering import attempt
from tests.ledger import records
from tests.recorder.history import Change, History
from tests.recorder.switches import Switch, Turn
from tests.scenario.run import Run


def failures(run: Run) -> list[records.Outcome]:
    """Every failed request of the run, in the order in which they were sent."""
    found = [
        record
        for file in sorted((run.folder / "ledger").glob("*.jsonl"))
        for record in records.read_file(file)
        if isinstance(record, records.Outcome) and not record.served
    ]
    return sorted(found, key=lambda record: record.sent_at)


def way_back(run: Run, revision: str) -> Switch:
    """The one move of the traffic back to that revision."""
    back = [switch for switch in run.outcome.switches if switch.turn is Turn.FLIP_BACK]
    assert [switch.to for switch in back] == [revision], f"the moves back: {back}"
    return back[0]


def first_crash(history: History, revision: str) -> datetime:
    """When a container of the revision ended first, as its status says: rounded down to a second."""
    times = [at for change in _pods(history, revision) for at in _ends(change)]
    assert times, f"no container of revision {revision} has ended"
    return min(times)


def first_loss(history: History, revision: str) -> datetime:
    """When a pod of the revision that had been ready was so no more, as recorded."""
    ready: set[str] = set()
    for change in _pods(history, revision):
        conditions = change.raw.get("status", {}).get("conditions") or []
        is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        uid = change.object.meta.uid
        if is_ready:
            ready.add(uid)
        elif uid in ready:
            return change.at
    raise AssertionError(f"no pod of revision {revision} has ceased to be ready")


def first_error(run: Run, version: str) -> datetime:
    """When a client had the first answer of the version that was an error of the server's."""
    times = [each.done_at for each in failures(run) if each.version == version and (each.status or 0) >= 500]
    assert times, f"version {version} has answered nothing with an error"
    return datetime.fromtimestamp(min(times), UTC)


def _pods(history: History, revision: str) -> Iterator[Change]:
    for change in history.changes:
        if change.key.kind == "Pod" and change.object.meta.revision == revision:
            yield change


def _ends(change: Change) -> Iterator[datetime]:
    for status in change.raw.get("status", {}).get("containerStatuses") or []:
        for state in (status.get("state", {}), status.get("lastState", {})):
            at = attempt.read_timestamp(state.get("terminated", {}).get("finishedAt") or "")
            if at is not None:
                yield at


def restarted(run: Run, uids: set[str]) -> set[str]:
    """Which of these pods are gone, or have had a container started again."""
    pods = {
        pod["metadata"]["uid"]: pod
        for pod in run.kubectl.list("pod", namespace=run.namespace, selector=labels.MODEL)
    }
    return {uid for uid in uids if uid not in pods or _restarts(pods[uid]) > 0}


def _restarts(pod: dict[str, object]) -> int:
    status = pod["status"]
    assert isinstance(status, dict)
    return sum(each["restartCount"] for each in status.get("containerStatuses") or [])
