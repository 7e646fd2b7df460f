"""All promises at once: a history in, violations out.

I6 (no client request fails) is the ledger's, I7 and I8 compare two runs (endstate).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.recorder import ownership, promotion, silence, traffic, truth
from tests.recorder.history import History
from tests.recorder.metadata import Key
from tests.recorder.silence import QuietWindow
from tests.recorder.truth import RevisionOf
from tests.recorder.violation import Excuse, Limits, Violation


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a test did besides: the checks cannot tell it from the history alone."""

    deletions: frozenset[Key] = frozenset()  # other people's objects that the test deleted itself
    quiet: tuple[QuietWindow, ...] = ()
    exempt: frozenset[Key] = frozenset()  # may be written in quiet windows: heartbeats
    at_rest: bool = False  # the run ended when everything had settled
    revision_of: RevisionOf | None = None
    log: str | None = None  # of the operator
    allowed_errors: tuple[str, ...] = ()  # patterns of the log's lines
    excused: tuple[Excuse, ...] = ()  # violations that the test provoked by hand


PLAIN = Circumstances()
LIMITS = Limits()


def check(
    history: History, *, circumstances: Circumstances = PLAIN, limits: Limits = LIMITS
) -> list[Violation]:
    """Every violation in the order of time. A history with gaps proves nothing: gaps are violations too."""
    found = [*_incomplete(history), *_all(history, circumstances, limits)]
    kept = [v for v in found if not any(excuse(v) for excuse in circumstances.excused)]
    return sorted(kept, key=lambda violation: violation.at)


def excuse(invariant: str, subject: Key) -> Excuse:
    """For what a test does by hand: that invariant may be broken on that object."""
    return lambda violation: (violation.invariant, violation.subject) == (invariant, subject)


def _all(history: History, circumstances: Circumstances, limits: Limits) -> Iterator[Violation]:
    yield from traffic.never_fewer_pods(history, limits)
    yield from traffic.live_version_stays(history, limits)
    yield from promotion.promoted_once_and_ready(history, limits)
    yield from ownership.one_deployment_a_revision(history)
    yield from truth.status_is_true(history, limits, revision_of=circumstances.revision_of)
    if circumstances.at_rest:
        yield from truth.status_at_rest(history)
    yield from _silence(history, circumstances)
    yield from ownership.others_are_untouched(history, circumstances.deletions)
    yield from ownership.templates_stay(history)
    yield from promotion.flips_back(history, limits)
    yield from promotion.rejected_stays_rejected(history)


def _silence(history: History, circumstances: Circumstances) -> Iterator[Violation]:
    if circumstances.log is not None and history.ended_at is not None:
        allowed: Sequence[str] = circumstances.allowed_errors
        yield from silence.log_is_clean(circumstances.log, at=history.ended_at, allowed=allowed)
    yield from silence.quiet_means_silent(history, circumstances.quiet, exempt=circumstances.exempt)


def _incomplete(history: History) -> Iterator[Violation]:
    for gap in history.gaps:
        yield Violation(
            "recording",
            gap.at,
            f"the history of {gap.kind} is incomplete: {gap.reason}",
            Key(gap.kind, "", ""),
        )
