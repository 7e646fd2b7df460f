"""What is promised of the time after a switch, stated anew from what was seen: I3, I13, and who watches."""

from __future__ import annotations

import datetime

from slipway_operator.domain import observed
from slipway_operator.planning import actions
from tests.planning import look

WATCHED_LIVE = 30


def check(taken: look.Look) -> None:
    """I13: in the bake a crash or errors lead back at once, if there is a way."""
    live, old = taken.live, _origin(taken)
    if live is None or old is None or taken.hibernating:
        return
    if old.rejected or not old.ready or old.desired == 0:
        return
    if _seconds_since_switch(taken) < taken.asked.bake and (_crashed(live, taken) or _answers_errors(live)):
        moves = [a.to for a in taken.plan.actions if isinstance(a, actions.SwitchTraffic)]
        assert moves == [old.id], f"I13: {live.id} fails, and the traffic does not go back to {old.id}"


def check_verdict(live: observed.Revision, taken: look.Look) -> None:
    """I3: the traffic goes back on evidence, after a move forward, to what it came from."""
    old = _origin(taken)
    assert old is not None, "the live revision is judged, and did not come by a move forward"
    assert old.ready, "I13: the traffic goes back to a revision without a ready pod"
    moves = [(a.to, a.back) for a in taken.plan.actions if isinstance(a, actions.SwitchTraffic)]
    assert moves == [(old.id, True)], "the live revision is judged, and keeps the traffic"
    unready = any(s.fault is observed.Fault.UNREADY and s.at >= _since(taken) for s in live.symptoms)
    lost = unready and len(old.ready) > len(live.ready)
    assert _crashed(live, taken) or _answers_errors(live) or lost, f"no evidence against {live.id}"


def check_noted(move: actions.SwitchTraffic, taken: look.Look) -> None:
    """What served a moment ago is not watched as something new, and what is new is."""
    origin = _origin(taken)
    if taken.live is not None and taken.live.ready and taken.seen.service and taken.seen.service.ready:
        assert move.back == (origin is not None and origin.id == move.to), (
            f"{move} is noted as what it is not"
        )


def check_watched(seen: observed.Revision, taken: look.Look) -> None:
    """An operator that came after the switch has watched the new revision before it lets the old one go."""
    watching = taken.seen.watched_since
    if seen is not _origin(taken) or watching is None or watching <= _since(taken):
        return
    watched = (taken.at - watching).total_seconds()
    assert watched >= (WATCHED_LIVE if taken.asked.bake else 0), (
        f"{seen.id} is let go after {watched} s of watching"
    )


def _origin(taken: look.Look) -> observed.Revision | None:
    """Where the traffic of the live revision came from by a move forward."""
    switch = taken.seen.service.switch if taken.seen.service else None
    if switch is None or switch.back or taken.live is None or switch.to != taken.live.id:
        return None
    return taken.seen.revision(switch.origin)


def _since(taken: look.Look) -> datetime.datetime:
    assert taken.seen.service is not None
    assert taken.seen.service.switch is not None
    return taken.seen.service.switch.at


def _seconds_since_switch(taken: look.Look) -> float:
    return (taken.at - _since(taken)).total_seconds()


def _crashed(live: observed.Revision, taken: look.Look) -> bool:
    since = _since(taken)
    return any(s.fault is observed.Fault.CRASHED and s.at >= since for s in live.symptoms)


def _answers_errors(live: observed.Revision) -> bool:
    return (
        live.answers is not None
        and live.answers.total >= 20
        and live.answers.failed * 10 >= live.answers.total
    )
