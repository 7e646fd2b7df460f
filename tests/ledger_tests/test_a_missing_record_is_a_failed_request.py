"""Completeness: whatever is cut off, lost or doubled makes the books wrong, and the report says so."""

from __future__ import annotations

import json
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger import records
from tests.ledger.completeness import audit
from tests.ledger.records import End, Record
from tests.ledger.report import build
from tests.ledger_tests import books

BOOKS: list[Record] = books.whole(5)  # start, 5 x (intent, outcome), end


def without(*positions: int) -> list[Record]:
    return [record for position, record in enumerate(BOOKS) if position not in positions]


def test_whole_books_have_nothing_unaccounted() -> None:
    result = audit("g", BOOKS, counted=5)
    assert (result.requests, result.unaccounted, result.findings) == (5, 0, ())


def test_a_client_without_a_request_is_no_finding() -> None:
    idle: list[Record] = [books.START, End("g", 1.0, {"g/slow-0": 0})]
    assert audit("g", idle).findings == ()


@pytest.mark.parametrize(
    ("lines", "unaccounted", "said"),
    [
        pytest.param(without(4), 1, "request 2 has no outcome", id="an outcome is missing"),
        pytest.param(without(10), 1, "request 5 has no outcome", id="the last outcome is missing"),
        pytest.param(without(3), 1, "an outcome of request 2 too many", id="an intent is missing"),
        pytest.param(without(3, 4), 1, "request 1 is followed by request 3", id="a gap of one request"),
        pytest.param(without(3, 4, 5, 6), 2, "request 1 is followed by request 4", id="a gap of two"),
        pytest.param(without(9, 10), 1, "sent 5, recorded 4", id="the last request is missing"),
        pytest.param(without(11), 1, "without an end", id="cut off before the end"),
        pytest.param(BOOKS[:4], 2, "without an end", id="cut off in mid-flight"),
        pytest.param([*BOOKS[:5], *BOOKS[3:]], 1, "request 2 is followed by request 2", id="lines doubled"),
        pytest.param([*BOOKS[:5], *BOOKS[4:]], 1, "outcome of request 2 too many", id="an outcome doubled"),
        pytest.param(without(*range(12)), 1, "without an end", id="nothing at all"),
    ],
)
def test_what_is_missing_is_found_and_counted(lines: list[Record], unaccounted: int, said: str) -> None:
    result = audit("g", lines)
    assert result.unaccounted == unaccounted
    assert any(said in finding for finding in result.findings), result.findings


def test_fewer_records_than_the_generator_counted_is_a_finding() -> None:
    result = audit("g", BOOKS, counted=7)
    assert (result.requests, result.unaccounted) == (7, 2)


def test_what_is_unaccounted_fails_the_report() -> None:
    report = build({"g": without(4)})
    assert (report.requests, report.served, report.failed, report.unaccounted) == (5, 4, 1, 1)
    assert not report.passed


def test_a_run_without_a_request_proves_nothing() -> None:
    assert not build({}).passed


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(st.data())
def test_no_line_can_be_dropped_unseen(data: st.DataObject) -> None:
    dropped = data.draw(st.sets(st.integers(0, len(BOOKS) - 1), min_size=1))
    assert audit("g", without(*dropped)).findings


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(st.integers(2, 500))  # the last newline alone is no loss
def test_a_file_cut_anywhere_is_never_taken_for_whole(from_the_end: int) -> None:
    text = LEDGER[:-from_the_end]
    report = build({"g": records.read(text.splitlines(keepends=True))})
    assert not report.passed
    assert report.unaccounted >= 1


def _line(kind: str, **fields: object) -> str:
    return json.dumps({"kind": kind, **fields}) + "\n"


WHO = {"client": "g/new-0", "class": "new", "seq": 1, "sent_at": 1.5}
CONNECTION = {"id": "g/new-0#1", "age": 0.0, "reused": False}
ANSWER = {"outcome": "served", "reason": "", "status": 200, "version": "1", "pod": "p", "bytes": 3}
LEDGER = (
    _line("start", generator="g", at=1.0, waited=0.0)
    + _line("intent", **WHO)
    + _line("outcome", id="g/new-0/1", **WHO, **ANSWER, done_at=1.6, connection=CONNECTION)
    + _line("end", generator="g", at=2.0, sent={"g/new-0": 1})
)


def test_lines_are_read_as_they_are_written() -> None:
    report = build({"g": records.read(LEDGER.splitlines(keepends=True))})
    assert (report.passed, report.requests) == (True, 1), report.findings


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text + "\x00\x00\n", id="zeros at the end"),
        pytest.param(lambda text: text + '{"kind": "outcome"}\n', id="an outcome without content"),
        pytest.param(lambda text: text + "7\n", id="a number"),
        pytest.param(lambda text: text.replace('"served"', '"survived"'), id="an unknown outcome"),
    ],
)
def test_a_line_that_is_not_ours_is_a_finding(spoil: Callable[[str], str]) -> None:
    report = build({"g": records.read(spoil(LEDGER).splitlines(keepends=True))})
    assert any("unreadable" in finding for finding in report.findings)
