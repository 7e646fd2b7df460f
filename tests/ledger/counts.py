"""The live counts of all generators together, for a screen that refreshes each second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over the generators; `versions` and `failing` are answers in the last whole second."""

    requests: int
    failed: int
    in_flight: int
    versions: Mapping[str, int]
    failing: int
    served: Mapping[str, Mapping[str, int]]  # class -> version -> requests
    reasons: Mapping[str, int]
    states: Mapping[str, str]  # generator -> state

    @property
    def per_second(self) -> int:
        """Answers of any kind in the last whole second."""
        return sum(self.versions.values()) + self.failing


def merge(documents: Iterable[Mapping[str, Any]]) -> Counts:
    """Add up what `/counts` of each generator says."""
    documents = list(documents)
    versions: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for document in documents:
        versions.update(document["last_second"]["versions"])
        reasons.update(document["reasons"])
    return Counts(
        requests=sum(document["requests"] for document in documents),
        failed=sum(document["failed"] for document in documents),
        in_flight=sum(document["in_flight"] for document in documents),
        versions=dict(sorted(versions.items())),
        failing=sum(document["last_second"]["failed"] for document in documents),
        served=_served(documents),
        reasons=dict(reasons),
        states={document["generator"]: document["state"] for document in documents},
    )


def _served(documents: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    total: Counter[tuple[str, str]] = Counter()
    for document in documents:
        for client_class, versions in document["by_class"].items():
            for version, outcomes in versions.items():
                total[client_class, version] += outcomes.get("served", 0)
    tree: dict[str, dict[str, int]] = {}
    for (client_class, version), count in sorted(total.items()):
        if count:
            tree.setdefault(client_class, {})[version] = count
    return tree
