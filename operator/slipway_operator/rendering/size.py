"""How much of a status is written: so little that the whole object keeps under 10 kB.

Most statuses are as they are. In one that is too long, sentences lose their ends first, those that stand in
several places before those that stand in one, and then the lists lose what matters least.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, TypeVar

from slipway_operator.api import reasons
from slipway_operator.api import status as api

Spoken = TypeVar("Spoken", api.Condition, api.RolloutStatus, api.VersionStatus)

LIMIT_BYTES = 8000  # of JSON; the rest of the 10 kB is for the spec and the metadata


@dataclasses.dataclass(frozen=True, slots=True)
class _Measure:
    """Bytes of a sentence: one that stands in several places, one of a version. Entries of a list."""

    sentence: int
    of_version: int
    names: int
    versions: int


_MEASURES = (
    _Measure(sentence=2048, of_version=2048, names=api.HOLDERS, versions=32),
    _Measure(sentence=512, of_version=2048, names=api.HOLDERS, versions=32),
    _Measure(sentence=512, of_version=1024, names=api.HOLDERS, versions=16),
    _Measure(sentence=256, of_version=256, names=4, versions=12),
    _Measure(sentence=128, of_version=128, names=2, versions=8),
)


def fitted(says: api.Status) -> dict[str, Any]:
    """The body of as much of it as there is room for."""
    bodies = (_cut(says, measure).body() for measure in _MEASURES)
    return next((body for body in bodies if size_of(body) <= LIMIT_BYTES), _cut(says, _MEASURES[-1]).body())


def size_of(body: object) -> int:
    """Bytes, as the API server stores it."""
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def _cut(says: api.Status, to: _Measure) -> api.Status:
    return says.model_copy(
        update={
            "conditions": says.conditions and tuple(_shorter(c, to.sentence) for c in says.conditions),
            "rollout": says.rollout and _rollout(says.rollout, to),
            "versions": says.versions and _versions(says, says.versions, to),
        }
    )


def _rollout(rollout: api.RolloutStatus, to: _Measure) -> api.RolloutStatus:
    blocked, queue = rollout.blocked, rollout.queue
    if blocked is not None and blocked.holders:
        blocked = blocked.model_copy(update={"holders": blocked.holders[: to.names]})
    if queue is not None and queue.ahead:
        queue = queue.model_copy(update={"ahead": queue.ahead[: to.names]})
    return _shorter(rollout, to.sentence).model_copy(update={"blocked": blocked, "queue": queue})


def _versions(
    says: api.Status, listed: tuple[api.VersionStatus, ...], to: _Measure
) -> tuple[api.VersionStatus, ...]:
    """What serves and what is asked for stay, what has long retired goes first."""
    spoken_of = {says.active_revision, says.target_revision}
    retired = reasons.VersionState.RETIRED
    by_worth = sorted(listed, key=lambda v: (v.revision not in spoken_of, v.state is retired))
    kept = {version.revision for version in by_worth[: to.versions]}
    return tuple(_shorter(version, to.of_version) for version in listed if version.revision in kept)


def _shorter(part: Spoken, limit: int) -> Spoken:
    return part.model_copy(update={"message": part.message and _ends_within(part.message, limit)})


def _ends_within(text: str, limit: int) -> str:
    """Its beginning, in as many bytes of JSON."""
    if size_of(text) - 2 <= limit:
        return text
    left, kept = limit - size_of("…") + 2, 0
    for character in text:
        left -= size_of(character) - 2
        if left < 0:
            break
        kept += 1
    return text[:kept] + "…"
