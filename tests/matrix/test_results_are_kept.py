"""What a run of the matrix finds out is written down at once, and shown whole."""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from tests.cluster import paths
from tests.matrix import __main__ as matrix
from tests.matrix import result, table
from tests.matrix.clerk import Clerk, is_wanted
from tests.matrix.result import Book, Result, Verdict

QUIETLY = ["-o", "addopts=--import-mode=importlib", "-p", "no:terminal", "-p", "no:cacheprovider"]
PASSED = Result(id="A2", title="it rolls", verdict=Verdict.PASSED, seconds=3.5, requests=1200, failed=0)
FAILED = Result(
    id="C10",
    title="it | crashes",
    verdict=Verdict.FAILED,
    seconds=9,
    requests=50,
    failed=7,
    seconds_back=2.25,
)
KNOWN = {"C10": FAILED.title, "A2": PASSED.title, "B1": "it is bad"}


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    book = Book(tmp_path / "deep" / "results.jsonl", Result)
    assert book.read() == {}
    for each in (PASSED, FAILED):
        book.write(each)
    assert book.read() == {"A2": PASSED, "C10": FAILED}


def test_the_last_result_of_a_case_counts(tmp_path: Path) -> None:
    book = Book(tmp_path / "results.jsonl", Result)
    again = Result(id="C10", title=FAILED.title, verdict=Verdict.PASSED, seconds=8)
    for each in (FAILED, again):
        book.write(each)
    assert book.read() == {"C10": again}


def test_cases_are_ordered_as_people_count() -> None:
    assert sorted(["B10", "C1", "B2", "A1"], key=result.order) == ["A1", "B2", "B10", "C1"]


@pytest.mark.parametrize(
    ("case", "wanted", "expected"),
    [
        pytest.param("E12", [], True, id="nothing is named: all"),
        pytest.param("E12", ["A", "E"], True, id="its kind"),
        pytest.param("E12", ["E12"], True, id="itself"),
        pytest.param("E12", ["E1", "D"], False, id="another that begins alike"),
    ],
)
def test_cases_are_named_one_by_one_or_by_kind(case: str, wanted: list[str], *, expected: bool) -> None:
    assert is_wanted(case, wanted) is expected


def test_the_page_shows_every_case_and_what_was_not_run() -> None:
    page = table.markdown(KNOWN, {"A2": PASSED, "C10": FAILED}, where="Run nowhere.")
    assert "| A2 | it rolls | 1,200 | 0 |  | passed |" in page
    assert "| B1 | it is bad |  |  |  | not run |" in page
    assert "| C10 | it / crashes | 50 | 7 | 2.2 | failed |" in page
    assert "1 of 3 cases passed, 1 failed; 1,250 requests were sent." in page
    assert page.index("| A2 |") < page.index("| B1 |") < page.index("| C10 |")


def test_the_document_names_no_folder_of_the_machine() -> None:
    found = Result(
        id="A2", title="it rolls", verdict=Verdict.FAILED, seconds=1, evidence="/somewhere", why="x"
    )
    cases = json.loads(table.document({"A2": "it rolls"}, {"A2": found}, where="Run nowhere."))["cases"]
    assert cases[0]["verdict"] == "failed"
    assert "/somewhere" not in json.dumps(cases)


def test_a_terminal_shows_the_verdict_in_words() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table.rich_table(KNOWN, {"A2": PASSED}))
    shown = console.export_text()
    assert "passed" in shown
    assert "not run" in shown


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Every case that there is, by its id."""
    clerk = collecting(tmp_path_factory.mktemp("evidence"))
    assert collect([str(paths.ROOT / tests) for tests in matrix.TESTS], clerk) is pytest.ExitCode.OK
    return clerk.known


def test_every_kind_of_case_has_a_title_and_every_title_a_case(known: Mapping[str, str]) -> None:
    assert {case[0] for case in known} == table.KINDS.keys()


def test_the_cases_of_a_kind_are_counted_without_a_gap(known: Mapping[str, str]) -> None:
    for kind in table.KINDS:
        numbers = sorted(int(case[1:]) for case in known if case[0] == kind)
        assert numbers == list(range(1, len(numbers) + 1)), kind


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param("A2", pytest.ExitCode.OK, id="each has its own"),
        pytest.param("A1", pytest.ExitCode.USAGE_ERROR, id="two share one"),
    ],
)
def test_two_cases_of_one_id_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: str, expected: pytest.ExitCode
) -> None:
    """Or the verdict of the second would hide that of the first."""
    tests = tmp_path / f"test_first_and_{second.lower()}.py"
    cases = (f"@pytest.mark.case('{case}')\ndef test_{n}(): pass\n" for n, case in enumerate(("A1", second)))
    tests.write_text("\n".join(["import pytest", *cases]))
    assert collect([str(tests)], collecting(tmp_path)) is expected
    assert ("more than one case has the id A1" in capsys.readouterr().err) is (second == "A1")


def test_cases_on_a_control_plane_of_their_own_come_last(tmp_path: Path) -> None:
    """It runs until the end of the session, and takes its share of the machine."""
    tests = tmp_path / "test_both_kinds.py"
    tests.write_text(
        "import pytest\n"
        "@pytest.fixture\ndef stack(): pass\n"
        "@pytest.mark.case('A1')\ndef test_apart(): pass\n"
        "@pytest.mark.case('B1')\ndef test_within(stack): pass\n"
    )
    begun: list[str] = []
    clerk = Clerk(
        wanted=[], done=[], evidence=tmp_path, begin=lambda case, _: begun.append(case), tell=lambda _: None
    )
    assert pytest.main([str(tests), *QUIETLY], plugins=[clerk]) is pytest.ExitCode.OK
    assert begun == ["B1", "A1"]
    assert list(clerk.known) == ["A1", "B1"]


def test_what_is_promised_is_measured_in_full_unless_somebody_asks_for_less() -> None:
    environment = {"SLIPWAY_IDLE_SECONDS": "5"}
    matrix.in_full(environment)
    assert environment == {"SLIPWAY_IDLE_MODELS": "20", "SLIPWAY_IDLE_SECONDS": "5"}


def collecting(evidence: Path) -> Clerk:
    """A clerk that is to run nothing."""
    return Clerk(wanted=[], done=[], evidence=evidence, begin=lambda *_: None, tell=lambda _: None)


def collect(tests: list[str], clerk: Clerk) -> int:
    return pytest.main([*tests, *QUIETLY, "--collect-only"], plugins=[clerk])
