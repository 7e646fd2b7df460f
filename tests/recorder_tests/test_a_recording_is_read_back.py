"""From the file's lines to ordered history, and from there to a report for a person."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorder import __main__, invariants, journal, report, writers
from tests.recorder.history import History
from tests.recorder.journal import Entry, Journal, Line
from tests.recorder.recent import Recent
from tests.recorder_tests.story import BEGIN, NAME, A, B, Story


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    entries = Story().rollout().entries()
    recording = Journal(file)
    for entry in entries:
        recording.write(entry)
    recording.close()

    assert list(journal.read(file)) == entries
    assert History.load(file) == Story().rollout().history()


def test_a_line_that_was_cut_off_ends_the_reading(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    entry = Entry(BEGIN, "Pod", Line.SYNCED, 7)
    file.write_text(entry.text() + "\n" + '{"at": "20')
    assert list(journal.read(file)) == [entry]


@settings(max_examples=20, deadline=None)
@given(st.integers())
def test_the_order_is_that_of_the_revisions_and_not_of_the_file(seed: int) -> None:
    story = Story().first_version().second_version_ready().switched()
    told = story.history()
    shuffled = story.entries()
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - not for secrets

    assert History.of(shuffled).changes == told.changes
    assert invariants.check(told) == []


def test_the_history_begins_when_every_kind_is_known() -> None:
    listed = {"metadata": {"name": "a", "namespace": "n", "resourceVersion": "3"}}
    entries = [
        Entry(BEGIN, "Service", Line.SYNCED, 5),
        Entry(BEGIN, "Service", Line.ADDED, 8, listed),
        Entry(BEGIN, "Pod", Line.LISTED, 9, listed),
        Entry(BEGIN, "Pod", Line.SYNCED, 9),
        Entry(BEGIN, "Service", Line.MODIFIED, 12, listed),
    ]
    history = History.of(entries)

    assert history.start == 9
    assert [moment.position for moment in history.moments()] == [12]
    assert len(history.at_start().objects) == 2


def test_the_bulk_of_managed_fields_is_dropped_but_for_services() -> None:
    item: dict[str, Any] = {
        "metadata": {"name": "x", "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}]},
        "spec": {"a": 1},
    }
    pod = journal.trim("Pod", item)
    service = journal.trim("Service", item)

    assert "fieldsV1" not in str(pod)
    assert pod["metadata"]["managedFields"][0]["manager"] == "m"
    assert service == item
    assert item["metadata"]["managedFields"][0]["fieldsV1"] == {"f:spec": {}}, "the original is let be"


def test_readings_are_kept_for_their_age_and_the_last_one_for_ever() -> None:
    recent: Recent[str, int] = Recent(timedelta(seconds=2))
    for second, value in enumerate((1, 2, 3)):
        recent.note("x", value, BEGIN + timedelta(seconds=second))

    assert recent.of("x", BEGIN + timedelta(seconds=2.5)) == [1, 2, 3]
    assert recent.of("x", BEGIN + timedelta(seconds=3.5)) == [2, 3]
    assert recent.of("x", BEGIN + timedelta(hours=1)) == [3]
    assert recent.of("unknown", BEGIN) == []


def test_only_slipways_own_field_managers_are_the_operator() -> None:
    names = ["slipway", "slipway-traffic", "slipwayish", "kubectl", "kube-controller-manager", ""]
    assert writers.operators(names) == ["slipway", "slipway-traffic"]


WRITERS: dict[str, tuple[set[str], list[str]]] = {
    "the only one": ({"kubectl"}, ["kubectl"]),
    "a second one, within the same second": ({"slipway"}, ["kubectl", "slipway"]),
    "the same again, within the same second": ({"slipway"}, ["slipway", "slipway"]),
    "one that takes a field from another": ({"kubectl"}, ["slipway", "kubectl"]),
}


@pytest.mark.parametrize(("expected", "by"), WRITERS.values(), ids=WRITERS.keys())
def test_the_writer_of_the_last_change_is(expected: set[str], by: list[str]) -> None:
    story = Story()
    for number, manager in enumerate(by):
        story.write("Service", "x", {"spec": {f"field-{number}": number}}, by=manager)
    *_, last = story.history().moments()
    assert last.writers == expected


def test_a_writer_that_left_no_mark_is_not_made_up() -> None:
    story = Story().write("Service", "x", {"spec": {"a": 1}}, by="slipway").wait(60)
    story.unmarked("Service", "x", {"spec": {"a": None}})
    *_, last = story.history().moments()
    assert last.writers == set()


def test_the_report_tells_the_moves_of_the_traffic_and_what_was_broken() -> None:
    story = Story().rollout().scale(B, 0)
    text = report.render(story.history(), invariants.check(story.history()))

    assert "Moves of the traffic: 1" in text
    assert f"{A} -> {B}  forward, 2 -> 2 ready pods, EndpointSlices 0.200 s later" in text
    assert "Broken promises: 1\n  I2 " in text
    assert f"Deployment default/{NAME}-{B} was scaled from 2 to 0 by slipway (the operator)" in text


def test_the_report_says_when_all_was_kept() -> None:
    history = Story().history()
    assert report.render(history, []).endswith("Moves of the traffic: none\n\nEvery promise was kept\n")


def test_the_command_ends_with_a_failure_when_a_promise_was_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for status, story in enumerate([Story().rollout(), Story().rollout().scale(B, 0)]):
        file = tmp_path / f"{status}.jsonl"
        file.write_text("".join(entry.text() + "\n" for entry in story.entries()))
        assert __main__.main(str(file)) == status
    assert "I2" in capsys.readouterr().out
