"""A status is small at its worst, the same when nothing has changed, and whole when it is not long."""

import datetime
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.api import status as api
from slipway_operator.domain import fleet, scarcity, status
from slipway_operator.rendering import size
from slipway_operator.rendering import status as rendered

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(minutes=5)
NAMESPACE, MODEL = "n" * 63, "m" * 40
STATE = reasons.VersionState
WHOLE_OBJECT = 10_000


def _version(number: int, *, state: reasons.VersionState = STATE.RETIRED, **fields: Any) -> status.Version:
    revision = f"{number:010x}"
    return status.Version(
        version="v" * 38 + f"{number:02}",
        revision=revision,
        state=state,
        ready=0,
        url=f"http://{MODEL}-{revision}.{NAMESPACE}.svc",
        **fields,
    )


def _status(*versions: status.Version, message: str, **fields: Any) -> status.Status:
    reason = reasons.ConditionReason.PROGRESS_DEADLINE_EXCEEDED
    return status.Status(
        active=versions[-1],
        target=versions[0],
        url=f"http://{MODEL}.{NAMESPACE}.svc",
        replicas=64,
        ready_replicas=64,
        selector=f"slipway.dev/model={MODEL},slipway.dev/revision=0123456789",
        versions=versions,
        step=reasons.RolloutStep.WAITING_FOR_PROMOTION,
        message=message,
        conditions=tuple(
            status.Condition(kind, status=True, reason=reason, message=message)
            for kind in reasons.ConditionType
        ),
        **fields,
    )


def _worst(character: str) -> status.Status:
    longest = character * 5000
    name = f"{NAMESPACE}/{'p' * 253}"
    holder = scarcity.Holder(reasons.HolderKind.OLD_VERSION, name, 8)
    return _status(
        *(_version(n, reason="ProgressDeadlineExceeded", message=longest) for n in range(32)),
        message=longest,
        blocked=scarcity.Shortage(
            resource="nvidia.com/" + "g" * 60,
            needed=64,
            each=8,
            free=0,
            quota="q" * 253,
            holders=(holder,) * 30,
            since=NOW,
        ),
        turn=fleet.Place(40, (name[:104],) * 40, ()),
    )


def _body(wanted: status.Status, previous: api.Status | None = None, now: datetime.datetime = NOW) -> Any:
    return rendered.body(wanted, previous=previous or api.Status(), generation=7, now=now)


@pytest.mark.parametrize("character", ["x", "ß", "😀", "\n", "\x1b", '"'], ids=ascii)
def test_at_its_worst_the_object_stays_under_10_kb(character: str) -> None:
    body = _body(_worst(character))
    assert size.size_of(body) <= size.LIMIT_BYTES
    around = {"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel", "metadata": {"name": MODEL}}
    assert size.size_of({**around, "spec": {"source": "s" * 1024}, "status": body}) < WHOLE_OBJECT


def test_what_serves_and_what_is_asked_for_are_never_left_out() -> None:
    worst = _worst("x")
    left = [version["revision"] for version in _body(worst)["versions"]]
    assert (left[0], left[-1]) == (worst.versions[0].revision, worst.versions[-1].revision)


def test_versions_with_pods_stay_longer_than_those_without() -> None:
    versions = [_version(n, message="x" * 5000) for n in range(32)]
    versions[20] = _version(20, state=STATE.WARM)
    left = [version["revision"] for version in _body(_status(*versions, message="y" * 5000))["versions"]]
    assert f"{20:010x}" in left


def test_nothing_is_cut_from_an_ordinary_status() -> None:
    said = "0 of 2 pods are ready; Pod x: 0/2 nodes are available"
    wanted = _status(*(_version(n, message=said) for n in range(6)), message=said)
    body = _body(wanted)
    assert [version["message"] for version in body["versions"]] == [said] * 6
    assert {condition["message"] for condition in body["conditions"]} == {said}


def test_the_last_lines_of_a_log_outlast_what_is_said_in_several_places() -> None:
    logged = f"released; the last lines of its log: {'l' * 900}END"
    said = "r" * 1024
    body = _body(_status(_version(1, message=logged), _version(2), message=said))
    assert body["versions"][0]["message"].endswith("END")
    assert all(condition["message"].endswith("…") for condition in body["conditions"])


@pytest.mark.parametrize("wanted", [_worst("x"), _status(_version(1), message="m")])
def test_the_same_is_written_the_same(wanted: status.Status) -> None:
    first = _body(wanted)
    again = _body(wanted, api.Status.model_validate(first, strict=False), LATER)
    assert again == first


def test_a_version_says_since_when_it_is_in_its_state() -> None:
    first = _body(_status(_version(1), _version(2), message="m"))
    wanted = _status(_version(1), _version(2, state=STATE.LIVE), message="m")
    then = _body(wanted, api.Status.model_validate(first, strict=False), LATER)
    assert [version["since"] for version in first["versions"]] == ["2026-03-01T12:00:00Z"] * 2
    assert [version["since"] for version in then["versions"]] == [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:05:00Z",
    ]
