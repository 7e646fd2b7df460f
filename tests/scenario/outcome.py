"""What a run has shown: the ledger's report, the recording, and every promise that was broken.

Must not know what the run did.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from slipway_operator.domain.revision import revision_of
from tests.ledger.report import Report
from tests.recorder import columns, invariants, switches, writers
from tests.recorder.columns import Sample
from tests.recorder.columns import check as check_columns
from tests.recorder.history import History
from tests.recorder.invariants import Circumstances
from tests.recorder.metadata import Key
from tests.recorder.switches import Switch
from tests.recorder.violation import Violation
from tests.scenario import endings
from tests.scenario.endings import Ending

PRINTINGS = 6
"""As long as the slowest `kubectl get` of a run, so many times over, may take what should take a moment."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The evidence of one run. `report` is None when it had no traffic."""

    recording: Path
    history: History
    switches: tuple[Switch, ...]
    violations: tuple[Violation, ...]
    endings: tuple[Ending, ...]
    report: Report | None

    @property
    def complaints(self) -> list[str]:
        """Every failed request, missing record and broken promise as a sentence; none is what is wanted."""
        return [*_of_ledger(self.report), *self.broken_promises]

    @property
    def broken_promises(self) -> list[str]:
        """What the recording has against the operator and the runtime."""
        killed = [f"{ending} was killed" for ending in self.endings if ending.was_killed]
        return [*(_told(violation) for violation in self.violations), *killed]

    @property
    def figures(self) -> dict[str, object]:
        """The run in numbers; `requests` and `failed` are None when it had no traffic."""
        return {
            "requests": self.report.requests if self.report else None,
            "failed": self.report.failed if self.report else None,
            "switches": len(self.switches),
            "complaints": self.complaints,
        }

    @property
    def writes(self) -> Counter[str]:
        """The operator's writes by kind of object, Events included."""
        moments = self.history.moments()
        return Counter(m.change.key.kind for m in moments if writers.operators(m.writers))

    def exit_codes(self, revision: str) -> set[int | None]:
        """How the containers of the revision's deleted pods ended; None where nobody knows."""
        return {ending.code for ending in self.endings if ending.revision == revision}


def judge(
    recording: Path,
    *,
    circumstances: Circumstances,
    samples: dict[Key, list[Sample]],
    report: Report | None,
) -> Outcome:
    """Read the recording and hold everything against it."""
    history, patience = History.load(recording), _patience(samples)
    limits = invariants.LIMITS.at_least(patience)
    broken = invariants.check(history, circumstances=circumstances, limits=limits)
    for key, printed in samples.items():
        broken += check_columns(printed, history, key, tolerance=max(columns.TOLERANCE, patience))
    return Outcome(recording, history, switches.of(history), tuple(broken), endings.of(history), report)


def _patience(samples: dict[Key, list[Sample]]) -> timedelta:
    """On a machine that takes long to print a row, the operator takes long to look and to write."""
    printing = [sample.end - sample.begin for printed in samples.values() for sample in printed]
    return PRINTINGS * max(printing, default=timedelta(0))


def revision_of_json(spec: str) -> str:
    """The revision that a recorded spec asks for."""
    return revision_of(json.loads(spec))


def _of_ledger(report: Report | None) -> list[str]:
    if report is None or report.passed:
        return []
    failures = [
        f"{each.count} of {each.client_class} clients: {each.reason}; the first {each.examples[0]}"
        for each in report.failures
    ]
    return [f"{report.failed} of {report.requests} requests failed", *failures, *report.findings]


def _told(violation: Violation) -> str:
    return "; ".join([str(violation), *violation.evidence])
