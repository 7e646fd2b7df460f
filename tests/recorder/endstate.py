"""I7 and I8: what two runs of the same story have in common, whatever happened on the way.

I7 compares what was left, I8 how often each object was created and deleted. What differs between two
runs by nature (uids, addresses, times) is masked; what else does is learnt from two runs without faults.
That a version is slower than the one before is by nature too: it tells of the machine, not of the story.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.recorder.history import Change, History
from tests.recorder.journal import JsonObject, Line
from tests.recorder.metadata import Key
from tests.recorder.ownership import is_child
from tests.recorder.violation import Violation

MADE = ("Deployment", "Service", "PodDisruptionBudget")  # the kinds that the operator itself creates
_BY_NATURE = """
    uid resourceVersion generation observedGeneration managedFields selfLink namespace at since url message
    creationTimestamp deletionTimestamp lastTransitionTime lastUpdateTime lastProbeTime lastScaleTime
    startTime startedAt finishedAt clusterIP clusterIPs nodePort podIP podIPs hostIP hostIPs ip nodeName
    addresses hostname containerID imageID containerStatuses initContainerStatuses collisionCount
    kubectl.kubernetes.io/last-applied-configuration slipway.dev/slower
"""
_SLOWER = ("reason", "SlowerAfterSwitch")  # stands at a version whatever the rollout did
_MASKED = frozenset(_BY_NATURE.split())
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_RANDOM = {  # names end in random letters
    "Pod": re.compile(r"-[a-z0-9]+-[a-z0-9]{5}$"),
    "ReplicaSet": re.compile(r"-[a-z0-9]+$"),
    "EndpointSlice": re.compile(r"-[a-z0-9]{5}$"),
}
_POD_NAMES = re.compile(r"-[bcdf-hj-np-tv-xz2456789]{6,10}-[a-z0-9]{5}\b")


@dataclass(frozen=True, slots=True)
class EndState:
    """What was left of the models and their children, masked: path -> value."""

    values: Mapping[str, str]

    def differences(self, other: "EndState") -> frozenset[str]:
        """The paths that only one of the two has, or that have another value in the other."""
        paths = set(self.values) | set(other.values)
        return frozenset(p for p in paths if self.values.get(p) != other.values.get(p))


def end_state(history: History) -> EndState:
    """The masked end state. Objects with random names are numbered in the order of their content."""
    last: dict[Key, Change] = {}
    for change in history.changes:
        last.pop(change.key, None)
        if not change.deleted:
            last[change.key] = change
    return EndState(dict(_flatten(_named(list(last.values())))))


def same_end(
    reference: EndState, run: EndState, *, ignored: frozenset[str] = frozenset(), at: datetime
) -> Iterator[Violation]:
    """I7: the run ended like the reference, but for the paths that two references differ in themselves."""
    for path in sorted(reference.differences(run) - ignored):
        was, now = (state.values.get(path, "absent") for state in (reference, run))
        sentence = f"{path} ended as {now}, and without faults as {was}"
        yield Violation("I7", at, sentence, Key("run", "", path))


def lifecycles(history: History, kinds: tuple[str, ...] = MADE) -> Counter[tuple[str, Line]]:
    """How often each of the operator's objects was created and deleted, by kind and name."""
    counts: Counter[tuple[str, Line]] = Counter()
    for change in history.changes:
        meta = change.object.meta
        if change.type in (Line.ADDED, Line.DELETED) and meta.key.kind in kinds and is_child(meta):
            counts[f"{meta.key.kind} {_name(meta.key)}", change.type] += 1
    return counts


def no_more_often(
    reference: Counter[tuple[str, Line]], run: Counter[tuple[str, Line]], *, at: datetime
) -> Iterator[Violation]:
    """I8: nothing was created or deleted more often than in the reference."""
    verbs = {Line.ADDED: "created", Line.DELETED: "deleted"}
    for (name, line), count in sorted(run.items()):
        usual = reference[name, line]
        if count > usual:
            sentence = f"{name} was {verbs[line]} {count} times, and {usual} times without faults"
            kind, _, rest = name.partition(" ")
            yield Violation("I8", at, sentence, Key(kind, "", rest))


def _named(changes: list[Change]) -> JsonObject:
    """The objects under names that are the same in every run."""
    groups: dict[str, list[str]] = {}
    for change in changes:
        meta = change.object.meta
        if meta.key.kind != "Event" and (meta.key.kind == "InferenceModel" or is_child(meta)):
            text = json.dumps(_mask(_nameless(change.raw)), sort_keys=True)
            groups.setdefault(f"{meta.key.kind} {_name(meta.key)}", []).append(text)
    return {
        name if len(texts) == 1 else f"{name} #{number}": json.loads(text)
        for name, texts in groups.items()
        for number, text in enumerate(sorted(texts), start=1)
    }


def _nameless(item: JsonObject) -> JsonObject:
    """The name stands before the path already, without its random letters."""
    return {**item, "metadata": {key: part for key, part in item["metadata"].items() if key != "name"}}


def _name(key: Key) -> str:
    pattern = _RANDOM.get(key.kind)
    return key.name if pattern is None else pattern.sub("-*", key.name)


def _mask(value: Any) -> Any:
    match value:
        case dict():
            kept = {k: part for k, part in value.items() if k not in _MASKED and (k, part) != _SLOWER}
            return {key: _mask(part) for key, part in kept.items()}
        case list():
            # Conditions and ports come in any order; the order of other lists is kept by their content.
            return sorted((_mask(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
        case str():
            return _POD_NAMES.sub("-*", _TIMES.sub("<time>", value))
        case _:
            return value


def _flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for key, part in value.items():
                yield from _flatten(part, f"{path}/{key}" if path else key)
        case list() if value:
            for number, part in enumerate(value):
                yield from _flatten(part, f"{path}/{number}")
        case _:
            yield path, json.dumps(value)
