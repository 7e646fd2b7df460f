"""What the operator wrote, by the API server's own log of it: also Leases, and also what was refused.

Must not know which writes are too many.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.cluster.release import NAMESPACE

USER = f"system:serviceaccount:{NAMESPACE}:slipway"


@dataclass(frozen=True, slots=True)
class Write:
    """One request that was to change something. `what` is the resource, with `/` and its subresource."""

    at: datetime
    verb: str
    what: str
    namespace: str
    name: str
    code: int
    pod: str  # the operator's own that wrote it

    @property
    def made(self) -> bool:
        """It changed something, or found it as it was to be."""
        return self.code < 300

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S.%f} {self.verb} {self.what} {self.namespace}/{self.name}: {self.code}"


def writes(log: Path, *, begin: datetime, end: datetime) -> list[Write]:
    """The operator's, in the order of their answers."""
    with log.open(encoding="utf-8") as lines:
        found = [_write(json.loads(line)) for line in lines if _is_whole(line) and USER in line]
    return [write for write in found if begin <= write.at <= end]


def of_rollout(made: list[Write]) -> Iterator[Write]:
    """Without what is told to people, and without what shows that the operator lives."""
    for write in made:
        if write.what not in ("events", "leases", "inferencemodels/status") and write.made:
            yield write


def of_status(made: list[Write]) -> list[Write]:
    """What was written into the status of models."""
    return [write for write in made if write.what == "inferencemodels/status" and write.made]


def _is_whole(line: str) -> bool:
    return line.endswith("\n")


def _write(entry: dict[str, object]) -> Write:
    match entry:
        case {
            "stageTimestamp": str(at),
            "verb": str(verb),
            "objectRef": {"resource": str(resource), **target},
            "responseStatus": {"code": int(code)},
            "user": {"extra": {"authentication.kubernetes.io/pod-name": [str(pod)]}},
        }:
            part = target.get("subresource")
            what = f"{resource}/{part}" if part else resource
            where, name = target.get("namespace", ""), target.get("name", "")
            return Write(datetime.fromisoformat(at), verb, what, str(where), str(name), code, pod)
    raise ValueError(f"this is no line of an audit log: {json.dumps(entry)[:300]}")
