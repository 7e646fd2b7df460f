"""The report's numbers, and the three ways in which people and programs read it."""

from __future__ import annotations

import dataclasses
import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from rich.console import Console

from tests.ledger import plot, rendering
from tests.ledger.__main__ import main
from tests.ledger.archive import Archive
from tests.ledger.report import Latency, Report, build
from tests.ledger_tests import books
from tests.ledger_tests.books import outcome
from tests.ledger_tests.test_a_missing_record_is_a_failed_request import LEDGER
from tests.ledger_tests.test_switches_are_seen_as_clients_see_them import kept_connection, new_clients

ANSWERS = sorted(
    new_clients("1" * 20 + "2" * 40)
    + kept_connection("g/fast-0", "1" * 4, opened=0.0, every=1.0)
    + [outcome(1, client="g/pool-0", at=2.5, reason="ReadError ECONNRESET", opened=0.5)],
    key=lambda one: one.sent_at,
)


def report() -> Report:
    return build({"g": books.with_intents(ANSWERS)})


def test_requests_are_counted_by_class_and_version() -> None:
    lines = {line.client_class: line for line in report().classes}
    assert (lines["new"].requests, dict(lines["new"].versions)) == (60, {"1": 20, "2": 40})
    assert (lines["fast"].requests, lines["pool"].failed, lines["pool"].latency) == (4, 1, None)
    assert report().requests == 65


def test_a_failure_keeps_its_first_examples() -> None:
    (failure,) = report().failures
    assert (failure.client_class, failure.reason, failure.count) == ("pool", "ReadError ECONNRESET", 1)
    (example,) = failure.examples
    assert (example.id, example.sent_at, example.age, example.reused) == ("g/pool-0/1", 2.5, 2.0, True)


def test_latency_is_the_nearest_rank() -> None:
    times = [0.001 * (1 + index) for index in range(100)]
    outcomes = [
        dataclasses.replace(outcome(1 + index), sent_at=0.0, done_at=time) for index, time in enumerate(times)
    ]
    latency = build({"g": books.with_intents(outcomes)}).classes[0].latency
    assert latency == Latency(times[49], times[94], times[98], times[99])


def test_the_report_is_json_that_comes_back_the_same() -> None:
    document = report().as_json()
    assert json.loads(json.dumps(document))["switches"][0]["seen"]["all"]["overlap"] == 1.0
    assert (document["passed"], document["served"], document["failed"]) == (False, 64, 1)


def test_plain_text_names_what_failed_and_has_no_control_characters() -> None:
    text = rendering.plain(report())
    assert "65 requests in 5.9 s, 1 failed; version switches seen: 1" in text
    assert "ReadError ECONNRESET" in text
    assert "connection 2.0 s old" in text
    assert "1 → 2" in text
    assert "\x1b" not in text


def test_missing_records_are_said_aloud() -> None:
    text = rendering.plain(build({"g": books.whole(5)[:-1]}))
    assert "1 of them unaccounted for" in text
    assert "! g: its records end without an end" in text


def test_a_terminal_gets_colours() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=100)
    with console.capture() as capture:
        console.print(rendering.render(report()))
    assert "\x1b[" in capture.get()


def test_the_drawing_shows_versions_switch_and_failure() -> None:
    timeline = plot.Timeline()
    for one in ANSWERS:
        timeline.take(one)
    drawing = timeline.draw(report().switches, title="A <rollout>")
    tree = ElementTree.fromstring(drawing)  # noqa: S314
    name = "{http://www.w3.org/2000/svg}"
    assert len(tree.findall(f"{name}polygon")) == 2
    assert len(tree.findall(f"{name}circle")) == 1
    assert "1 → 2" in drawing


def test_an_empty_drawing_says_so() -> None:
    assert "No request" in plot.Timeline().draw()


def test_a_folder_alone_is_enough_for_the_report(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.clear()
    for part in (LEDGER[:100], LEDGER[100:]):
        archive.append("g", part)
    archive.count("g", 1)
    archive.write(archive.report())
    assert archive.size("g") == len(LEDGER)
    assert json.loads((tmp_path / "report.json").read_text())["passed"] is True
    assert "<svg" in (tmp_path / "timeline.svg").read_text()
    assert main([str(tmp_path)]) == 0


def test_a_remark_of_the_driver_fails_the_report(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append("g", LEDGER)
    archive.remark("generator pod x/g was lost:\n phase Failed")
    assert archive.report().findings == ("generator pod x/g was lost: phase Failed",)
    assert main([str(tmp_path)]) == 1


def test_another_run_starts_in_an_empty_folder(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.append("g", LEDGER)
    archive.clear()
    assert list(tmp_path.iterdir()) == []
