"""Why an attempt has ended is read as it was written, also by an operator that is older or younger."""

import dataclasses
import datetime
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway_operator.api import labels, reasons
from slipway_operator.domain import observed
from slipway_operator.rendering import attempt

AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
RELEASED = observed.Verdict(reasons.ConditionReason.PROGRESS_DEADLINE_EXCEEDED, "0 of 2", AT, "once", 3)


def _written(verdict: observed.Verdict) -> dict[str, str]:
    return {name: value or "" for name, value in attempt.released(verdict).items()}


@pytest.mark.parametrize("words", ["", "still loading\nand loading"])
def test_a_verdict_is_read_as_it_was_written(words: str) -> None:
    verdict = dataclasses.replace(RELEASED, last_words=words)
    assert attempt.read_verdict(_written(verdict), labels.RELEASED) == verdict


def test_without_last_words_nothing_is_written_of_them() -> None:
    assert "lastWords" not in json.loads(_written(RELEASED)[labels.RELEASED])


def test_of_long_last_words_the_end_is_written() -> None:
    verdict = dataclasses.replace(RELEASED, last_words="x" * 5000 + "end")
    read = attempt.read_verdict(_written(verdict), labels.RELEASED)
    assert read is not None
    assert (len(read.last_words), read.last_words[-3:]) == (1024, "end")


def test_a_new_attempt_is_not_slow_until_it_is_seen_to_be() -> None:
    assert attempt.started(at=AT, replicas=1, number=2)[labels.SLOWER] is None
    assert attempt.slower("it is slow") == {labels.SLOWER: "it is slow"}


def _note(**changes: object) -> str:
    known = {"reason": "CrashLoop", "message": "it ends", "at": "2026-01-02T03:04:05Z", "attempts": 3}
    return json.dumps({**known, **changes})


KNOWN = observed.Verdict(reasons.ConditionReason.CRASH_LOOP, "it ends", AT, attempts=3)


@pytest.mark.parametrize(
    ("note", "read"),
    [
        pytest.param(_note(), KNOWN, id="as it is written"),
        pytest.param(_note(at="2026-01-02T03:04:05"), KNOWN, id="a moment without a zone is one of UTC"),
        pytest.param(
            _note(attempts=1).replace("1}", "1e400}"), dataclasses.replace(KNOWN, attempts=1), id="1e400"
        ),
        pytest.param(_note(attempts="many"), dataclasses.replace(KNOWN, attempts=1), id="no number"),
        pytest.param(_note(attempts=-5), dataclasses.replace(KNOWN, attempts=1), id="fewer than one"),
        pytest.param(
            _note(reason="LicenceRevoked"), dataclasses.replace(KNOWN, reason="LicenceRevoked"), id="unknown"
        ),
        pytest.param(
            _note(reason="not a word!"), dataclasses.replace(KNOWN, reason="not a word!"), id="no word"
        ),
        pytest.param(_note(message=None), dataclasses.replace(KNOWN, message=""), id="no sentence"),
        pytest.param(_note(reason=None), None, id="no reason"),
        pytest.param(_note(at="9999-12-31T23:59:59Z"), None, id="a moment that nothing can be added to"),
        pytest.param(_note(at="0001-01-01T00:00:00+14:00"), None, id="a moment before there were any"),
        pytest.param(_note(at=5), None, id="no moment"),
        pytest.param("[" * 100_000, None, id="deeper than can be read"),
        pytest.param("[]", None, id="no object"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_verdict_that_somebody_edited_is_read_as_far_as_it_can_be(
    note: str, read: observed.Verdict | None
) -> None:
    assert attempt.read_verdict({labels.REJECTED: note}, labels.REJECTED) == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NOTES = st.fixed_dictionaries(
    {"at": JSON | st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())},
    optional=dict.fromkeys(("reason", "message", "retryToken", "attempts", "lastWords", "from", "to"), JSON),
)


@given(NOTES.map(json.dumps) | JSON.map(json.dumps) | st.text())
@example(r'{"reason": "X", "to": "x", "message": "\ud800", "at": "2026-01-02T03:04:05Z"}')
def test_whatever_stands_in_an_annotation_is_a_verdict_or_none(note: str) -> None:
    """And one with which can be reckoned, and which can be told and written down again."""
    verdict = attempt.read_verdict({labels.REJECTED: note}, labels.REJECTED)
    if verdict is not None:
        assert verdict.at + datetime.timedelta(days=366) > AT - datetime.timedelta(days=36_600)
        assert attempt.read_verdict(_annotations(verdict), labels.REJECTED) is not None
        (verdict.reason + verdict.message + verdict.retry_token + verdict.last_words).encode()
    switch = attempt.read_switch({labels.SWITCH: note})
    if switch is not None:
        assert switch.at.tzinfo is datetime.UTC
        assert isinstance(switch.to, str)
        assert isinstance(switch.origin, str | None)


def _annotations(verdict: observed.Verdict) -> dict[str, str]:
    return {name: value or "" for name, value in attempt.rejected(verdict).items()}


@pytest.mark.parametrize(
    ("text", "count"),
    [("3", 3), ("", None), ("-1", None), ("\u0663", None), ("\u00b2", None), ("9" * 5000, None), ("007", 7)],
)
def test_a_number_is_read_or_is_none(text: str, count: int | None) -> None:
    assert attempt.read_count({labels.ATTEMPT: text}, labels.ATTEMPT) == count
