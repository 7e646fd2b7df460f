"""Why an attempt has ended is read as it was written, also by an operator that is older or younger."""

import dataclasses
import datetime
import json

import pytest

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
