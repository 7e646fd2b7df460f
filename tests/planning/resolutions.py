"""What is promised of the pods that find out what a source leads to, stated anew."""

from __future__ import annotations

from slipway_operator.domain import observed
from slipway_operator.planning import actions
from tests.planning import look


def check(action: actions.CreateResolver | actions.DeleteResolver, taken: look.Look) -> None:
    match action:
        case actions.CreateResolver():
            _needed(action, taken)
        case actions.DeleteResolver(name=name):
            assert not taken.asked.paused, "a resolver pod is deleted while paused"
            mine = _of(taken.asked.revision, taken)
            waiting = taken.seen.revision(taken.asked.revision) is None
            last = max(mine, key=lambda r: r.number, default=None)
            assert not (waiting and last is not None and last.name == name), "what it says is still needed"


def check_known(action: actions.CreateDeployment | actions.StartAttempt, taken: look.Look) -> None:
    """A Deployment is made of what was found, and of nothing else."""
    if isinstance(action, actions.CreateDeployment):
        last = max(_of(action.revision, taken), key=lambda r: r.number, default=None)
        assert last is not None, f"{action.revision} is made, and nobody knows of what"
        assert last.source is not None, f"{action.revision} is made, and nobody knows of what"


def _needed(action: actions.CreateResolver, taken: look.Look) -> None:
    """I14, and that a revision that exists is never resolved again."""
    assert not taken.asked.paused, "a source is resolved while paused"
    assert action.revision == taken.asked.revision, "what nobody asks for is resolved"
    assert taken.seen.revision(action.revision) is None, "I12: what exists is resolved again"
    for other in _of(action.revision, taken):
        assert other.number < action.number, "a name is taken twice"
        assert other.ended_at is not None, "two pods find out the same"
        assert other.source is None, "what is known is asked again"
        problem = other.problem
        if problem is not None and problem.severity is observed.Severity.REJECTING:
            assert other.retry_token != taken.asked.retry_token, f"I14: {action.revision} was refused"


def _of(revision: str, taken: look.Look) -> list[observed.Resolver]:
    return [r for r in taken.seen.resolvers if r.revision == revision and not r.leaving]
