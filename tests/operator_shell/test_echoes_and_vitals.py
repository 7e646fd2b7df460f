"""A watch owes what was read or written, and liveness fails with its name when it owes for too long."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from slipway_operator.api import labels
from slipway_operator.controller import vitals
from slipway_operator.kube import echoes

LEASES, PODS = echoes.Stream("leases", ""), echoes.Stream("pods", "team-a")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _object(version: int | str, **marks: str) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": str(version), "labels": marks}}


def _heard() -> tuple[echoes.Echoes, Clock]:
    clock = Clock()
    return echoes.Echoes(frozenset({LEASES, PODS}), clock=clock), clock


def test_what_was_written_is_owed_until_it_comes_along() -> None:
    heard, clock = _heard()
    heard.shown("leases", "slipway-system", _object(7))
    clock.now = 5.0
    assert heard.silences() == {LEASES: 5.0, PODS: 0.0}
    heard.came("leases", "slipway-system", _object(7))
    assert heard.silences()[LEASES] == 0.0


def test_what_has_come_already_is_not_owed() -> None:
    heard, clock = _heard()
    heard.came("leases", "slipway-system", _object(9))
    heard.shown("leases", "slipway-system", _object(7))
    clock.now = 5.0
    assert heard.silences()[LEASES] == 0.0


def test_further_writes_do_not_renew_the_oldest_debt() -> None:
    heard, clock = _heard()
    for moment in range(10):
        clock.now = float(moment)
        heard.shown("leases", "slipway-system", _object(100 + moment))
    assert heard.silences()[LEASES] == 9.0


def test_a_watch_that_lags_owes_only_what_it_has_not_brought() -> None:
    heard, clock = _heard()
    for moment in range(10):
        clock.now = float(moment)
        heard.shown("leases", "slipway-system", _object(100 + moment))
    heard.came("leases", "slipway-system", _object(105))
    assert heard.silences()[LEASES] == 0.0
    clock.now = 12.0
    assert heard.silences()[LEASES] == 3.0  # the last one was written at 9


@pytest.mark.parametrize(
    ("kind", "namespace", "body"),
    [
        pytest.param("pods", "team-b", _object(5, **{labels.MANAGED_BY: "slipway"}), id="elsewhere"),
        pytest.param("pods", "team-a", _object(5), id="without the label that the watch asks for"),
        pytest.param("pods", "team-a", _object(5, **{labels.MANAGED_BY: "helm"}), id="of somebody else"),
        pytest.param("events", "team-a", _object(5), id="of a kind that is not watched"),
        pytest.param("leases", "x", _object("abc"), id="with a version that is no number"),
        pytest.param("leases", "x", {}, id="without metadata"),
    ],
)
def test_what_is_not_watched_is_not_owed(kind: str, namespace: str, body: dict[str, Any]) -> None:
    heard, clock = _heard()
    heard.shown(kind, namespace, body)
    clock.now = 1000.0
    assert set(heard.silences().values()) == {0.0}


@hypothesis.given(strategies.lists(strategies.tuples(strategies.booleans(), strategies.integers(1, 50))))
def test_a_watch_that_has_brought_the_newest_owes_nothing(story: list[tuple[bool, int]]) -> None:
    heard, clock = _heard()
    newest = 0
    for comes, version in story:
        clock.now += 1.0
        (heard.came if comes else heard.shown)("leases", "x", _object(version))
        newest = max(newest, version)
        assert heard.silences()[LEASES] <= clock.now
    heard.came("leases", "x", _object(newest))
    clock.now += 100.0
    assert heard.silences()[LEASES] == 0.0


LIMITS = vitals.Limits(silence=120, queued=600, look=300)
WELL = vitals.Signs(silences={LEASES: 0.0, PODS: 119.0}, queued=10, look=20, ended=0)


def test_who_is_well_has_nothing_to_say() -> None:
    assert vitals.complaints(WELL, LIMITS) == ()


@pytest.mark.parametrize(
    ("signs", "says"),
    [
        pytest.param(
            vitals.Signs({PODS: 121.0}, queued=0, look=0, ended=0),
            "the watch of pods in team-a is deaf",
            id="a deaf watch",
        ),
        pytest.param(
            vitals.Signs({}, queued=601, look=0, ended=0), "has waited for 601 s", id="a key left lying"
        ),
        pytest.param(
            vitals.Signs({}, queued=0, look=301, ended=0), "a look has taken 301 s", id="a look that hangs"
        ),
        pytest.param(vitals.Signs({}, queued=0, look=0, ended=1), "have ended", id="a worker that has died"),
    ],
)
def test_what_is_wrong_is_said_in_words(signs: vitals.Signs, says: str) -> None:
    (complaint,) = vitals.complaints(signs, LIMITS)
    assert says in complaint
