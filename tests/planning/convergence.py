"""What must come about when nobody disturbs the cluster any more, and the check that it has.

The operator is woken by changes and by its own alarm only: one that it forgets to set shows here.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

from slipway_operator.api import reasons
from slipway_operator.domain import observed
from tests.planning import look, simulated_operator, versions, world

STEP = reasons.RolloutStep
LOOKS = 60
RETRIES = 2

ENDS_OF = {
    versions.Nature.WRONG: STEP.REJECTED,
    versions.Nature.HOMELESS: STEP.BLOCKED,
    versions.Nature.SILENT: STEP.BLOCKED,
    versions.Nature.ABSENT: STEP.BLOCKED,
    versions.Nature.FORGED: STEP.REJECTED,
}


def converge(
    cluster: world.World,
    operator: simulated_operator.Operator,
    *,
    watch: Callable[[], None] = lambda: None,
) -> look.Look:
    """Lets everything come to its end; what bad luck has rejected gets another try. It asks `watch` often."""
    for _ in range(LOOKS):
        taken = operator.works_until_rest()
        settled = cluster.settles()
        watch()
        if settled:
            continue
        asked = cluster.deployments.get(cluster.asked.revision)
        if _was_unlucky(asked) and cluster.asked.replicas > 0 and not _is_live(cluster):
            cluster.user_wants_a_retry()
        elif taken.plan.look_again is None or _tried_in_vain(cluster, asked) or _absent(cluster):
            return taken
        else:
            cluster.now = taken.plan.look_again
    raise AssertionError(f"I7: no end in sight: {taken.plan}")


def check_end(cluster: world.World, taken: look.Look) -> None:
    """The end state that follows from what is asked for, whatever has happened on the way."""
    if cluster.asked.replicas == 0:
        _check_hibernation(cluster, taken)
    elif versions.is_good(cluster.asked.version):
        _check_arrival(cluster, taken)
    else:
        _check_refusal(cluster, taken)
    assert not cluster.unowned, f"I4: {cluster.unowned} still have no owner"
    _check_rest(cluster, taken)


def _check_hibernation(cluster: world.World, taken: look.Look) -> None:
    assert taken.plan.status.step is STEP.HIBERNATED
    assert not cluster.pods, f"hibernating with {list(cluster.pods)}"


def _check_arrival(cluster: world.World, taken: look.Look) -> None:
    asked = cluster.asked
    assert cluster.service is not None
    assert cluster.service.revision == asked.revision, "I7: the traffic has not arrived"
    assert len(cluster.answering()) == asked.replicas
    assert cluster.deployments[asked.revision].desired == asked.replicas
    assert {pod.revision for pod in cluster.pods.values()} == {asked.revision}
    assert taken.plan.status.step is STEP.COMPLETE, taken.plan.status
    assert len(cluster.deployments) <= 1 + asked.history_limit
    assert not simulated_operator.entry(cluster).running, "it holds a place of the queue for nothing"
    assert not cluster.spoilt & {"", asked.revision}, "what was edited is still so"
    assert not cluster.deployments[asked.revision].spoilt_budget or asked.replicas == 1
    assert not cluster.resolvers, f"{list(cluster.resolvers)} have said all they had to say"
    assert cluster.deployments[asked.revision].has_budget == (asked.replicas > 1)
    assert cluster.access is (observed.Access.CURRENT if asked.restricted else observed.Access.ABSENT)


def _check_refusal(cluster: world.World, taken: look.Look) -> None:
    """A bad version ends as what it is, and what can answer has the traffic."""
    asked = cluster.asked
    assert taken.plan.status.step is ENDS_OF[versions.NATURES[asked.version]], taken.plan.status
    if _is_live(cluster):  # the first one, or put there by hand: it is all there is, or was decided
        return
    assert not cluster.standing(asked.revision), "a refused version keeps its pods"
    assert not simulated_operator.entry(cluster).running, "it holds a place of the queue for nothing"
    if any(pod.phase is world.Phase.READY for pod in cluster.pods.values()):
        assert len(cluster.answering()) == asked.replicas, "I7: ready pods, and no traffic to them"
        assert len(cluster.deployments) <= 2 + asked.history_limit


def _check_rest(cluster: world.World, taken: look.Look) -> None:
    """I10: from here on time alone changes nothing, until the alarm."""
    alarm = taken.plan.look_again
    for seconds in (1, 59, 61, 599, 601, 3599, 3601, 90_000):
        moment = cluster.now + datetime.timedelta(seconds=seconds)
        if alarm is None or moment < alarm:
            late = look.at(cluster.asked, cluster.as_seen(), moment)
            assert not late.plan.actions, f"I10: {late.plan.actions} after {seconds} s, and no alarm was set"


def _absent(cluster: world.World) -> bool:
    """Its source was asked for again and again, and is not there."""
    pods = [r for r in cluster.resolvers.values() if r.revision == cluster.asked.revision]
    return any(r.source is None and r.attempt > RETRIES for r in pods)


def _tried_in_vain(cluster: world.World, asked: world.Deployment | None) -> bool:
    """Again and again, and what can answer is back in its place."""
    if asked is None or asked.released is None or asked.attempt_number <= RETRIES:
        return False
    turning = cluster.service is not None and cluster.service.wide
    return not turning or not any(pod.phase is world.Phase.READY for pod in cluster.pods.values())


def _was_unlucky(asked: world.Deployment | None) -> bool:
    """It was rejected for a crash and not for what it is, or released and would have come to another end."""
    if asked is None or (asked.rejected is None and asked.released is None):
        return False
    if asked.rejected is None:
        return versions.NATURES[asked.revision] in (versions.Nature.GOOD, versions.Nature.WRONG)
    return versions.NATURES[asked.revision] is not versions.Nature.WRONG


def _is_live(cluster: world.World) -> bool:
    return cluster.service is not None and cluster.service.revision == cluster.asked.revision
