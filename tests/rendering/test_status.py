"""What a status says as the API takes it: bounded, whatever there is to say."""

import datetime

from slipway_operator.api import reasons
from slipway_operator.api import status as api
from slipway_operator.domain import status
from slipway_operator.rendering import status as rendered

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
STATE = reasons.VersionState


def version(number: int, state: reasons.VersionState = STATE.RETIRED) -> status.Version:
    return status.Version(version=str(number), revision=f"{number:010d}", state=state, ready=0)


def test_of_too_many_versions_the_active_one_the_target_and_the_latest_are_listed() -> None:
    active, target = version(0, STATE.LIVE), version(3, STATE.STARTING)
    others = [version(n) for n in range(99, 3, -1)]
    says = status.Status(
        active=active,
        target=target,
        url="http://sentiment.default.svc",
        replicas=1,
        ready_replicas=1,
        selector="",
        versions=(*others, target, version(2), version(1), active),
        step=reasons.RolloutStep.WAITING_FOR_READY_PODS,
        message="0 of 1 pods are ready",
        conditions=(),
    )
    listed = rendered.body(says, previous=api.Status(), generation=1, now=NOW)["versions"]
    assert [v["version"] for v in listed] == [*(str(n) for n in range(99, 69, -1)), "3", "0"]


def test_a_reason_of_a_newer_operator_is_shown_where_a_condition_may_bear_it() -> None:
    for reason, shown in (
        ("LicenceRevoked", "LicenceRevoked"),
        ("not a word!", "UnknownReason"),
        ("x" * 65,) * 2,
    ):
        kind = reasons.ConditionType.STALLED
        wanted = status.Condition(kind, status=True, reason=reason, message="it may not run")
        (made,) = rendered.conditions((wanted,), previous=api.Status(), generation=1, now=NOW)
        assert made.reason == (shown if len(shown) <= 64 else "UnknownReason")
