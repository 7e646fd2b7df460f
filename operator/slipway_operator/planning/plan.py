"""THE decision: what to do now about one model, what to say of it, and when to look again.

Pure and total: every situation has a plan, the clock is an argument, nothing is raised. Each policy is a
sentence of the design in a file of its own; the order in which they are asked stands here, and only here.

    unowned     what has lost its owner is taken over, before all else
    capacity    the live revision has the replicas that are asked for
    retirement  what nobody asks for gives up its pods
    room        what serves nobody gives way to a successor
    traffic     the stable Service exists and selects a revision
    bake        the requests go back from a revision that fails after the switch
    failure     an attempt that has failed ends
    resolution  what the source leads to is found out before anything is made from it
    attempt     the asked-for revision is being tried
    traffic     the requests go to the revision that has proved itself
    history     what has long retired is removed
    endpoints   each revision's ready pods can be counted
    mending     what somebody has edited of our Services is put right
    disruption  a node's drain takes one pod at a time
    access      who may reach the pods is as the administrator says
    adoption    the changes of a Service that its owner lends are heard of
    slowness    a version that answers more slowly than what served before is told of
    preview     what waits for its promotion can be tried

With `strategy: Rolling` one policy, `rolling`, takes the place of `failure` and `attempt`; with `Recreate`
another, `recreation`, takes the old revision down before `attempt`.

While the rollout is paused only `capacity`, `bake`, `traffic` (which then goes back, and never forward) and
what begins nothing (`endpoints`, `mending`, `disruption`, `access`, `adoption`) are asked. The same holds
while somebody else's object bears a name that the asked-for revision needs (`conflict`). With
`slipway.dev/hands-off` all are asked, and nothing is done (`hands_off`).
"""

from __future__ import annotations

import dataclasses
import datetime

from slipway_operator.domain import observed, status, target
from slipway_operator.planning import (
    access,
    actions,
    adoption,
    attempt,
    bake,
    capacity,
    conflict,
    decision,
    disruption,
    endpoints,
    failure,
    hands_off,
    history,
    mending,
    preview,
    recreation,
    resolution,
    retirement,
    rolling,
    room,
    situation,
    slowness,
    traffic,
    unowned,
)
from slipway_operator.planning import status as reporting

# Of these, one that acts is the last to be asked: the next look sees what came of it.
_ROLLOUT: tuple[decision.Policy, ...] = (
    traffic.restore,
    bake.flip_back,
    failure.judge,
    resolution.resolve,
    recreation.take_down,
    attempt.ensure,
    traffic.direct,
    history.trim,
)
_BY_TURNS: tuple[decision.Policy, ...] = (
    traffic.restore,
    bake.flip_back,
    traffic.direct,
    resolution.resolve,
    rolling.roll,
    history.trim,
)
_PAUSED: tuple[decision.Policy, ...] = (traffic.restore, bake.flip_back, traffic.direct)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """Actions in their order, the status as it is before them, and when to look again if nothing happens."""

    actions: tuple[actions.Action, ...]
    status: status.Status
    look_again: datetime.datetime | None


def plan(
    asked: target.Target,
    seen: observed.Observed,
    *,
    now: datetime.datetime,
    model: str,
    namespace: str,
) -> Plan:
    """What is to be done about `model` in `namespace`, given all that was seen of it."""
    s = situation.Situation(asked=asked, seen=seen, now=now)
    decisions = [conflict.wait(s), *_decisions(s)]
    wanted = conflict.allowed(s, [action for each in decisions for action in each.actions])
    says = reporting.report(s, model=model, namespace=namespace)
    return Plan(
        actions=() if asked.hands_off else wanted,
        status=hands_off.told(says, wanted) if asked.hands_off else says,
        look_again=min((d.look_again for d in decisions if d.look_again is not None), default=None),
    )


def _decisions(s: situation.Situation) -> list[decision.Decision]:
    taken = unowned.take_over(s)
    if taken.actions:
        return [taken]
    held = conflict.held(s)
    return [*_standing(held), *_rollout(held), *_around(held)]


def _standing(s: situation.Situation) -> list[decision.Decision]:
    """What is due whatever the rollout does: it concerns the live revision and those that are leaving."""
    if s.asked.paused or (s.service is not None and s.service.wide):
        return [capacity.follow(s)]
    return [capacity.follow(s), retirement.retire(s), room.make(s)]


def _rollout(s: situation.Situation) -> list[decision.Decision]:
    decisions = []
    for policy in _policies(s):
        decisions.append(policy(s))
        if decisions[-1].actions:
            break
    return decisions


def _policies(s: situation.Situation) -> tuple[decision.Policy, ...]:
    if s.asked.paused:
        return _PAUSED
    return _BY_TURNS if s.rolling else _ROLLOUT


def _around(s: situation.Situation) -> list[decision.Decision]:
    """What stands beside the Deployments and the stable Service."""
    standing = [
        unowned.take_over_supporting(s),
        adoption.mark(s),
        endpoints.provide(s),
        mending.mend(s),
        disruption.provide(s),
        access.provide(s),
    ]
    if s.asked.paused:
        return standing
    return [*standing, slowness.warn(s), preview.provide(s), resolution.tidy(s)]
