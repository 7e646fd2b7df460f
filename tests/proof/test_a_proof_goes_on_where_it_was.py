"""What an entry has found is written down at once; what was cut short has found nothing and begins anew."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.matrix.result import Book, Verdict
from tests.proof import __main__ as proof
from tests.proof import entries
from tests.proof.entry import Entry, Figure, Measured, NotHereError, Result

GOOD = Measured("two nodes", (Figure("restarts", 0, "", "0"), Figure("memory", 1234.5, "MiB")))
BAD = Measured("two nodes", (Figure("restarts", 7, "", "0"),), ("it was restarted 7 times",))


@dataclass
class Played:
    """An entry that does what it is told, and remembers how often."""

    id: str
    deed: Callable[[Path], Measured]
    title: str = "it | holds"
    quick: list[bool] = field(default_factory=list)

    def run(self, folder: Path, *, quick: bool) -> Measured:
        self.quick.append(quick)
        return self.deed(folder)


def finding(measured: Measured) -> Callable[[Path], Measured]:
    return lambda _: measured


def raising(error: BaseException) -> Callable[[Path], Measured]:
    def deed(_: Path) -> Measured:
        raise error

    return deed


def run(folder: Path, of: Sequence[Entry], *arguments: str) -> int:
    known = entries.by_id(of)
    return proof.main(["--key", "k", *arguments], entries=known, proofs=folder / "p", docs=folder / "docs")


def results(folder: Path, key: str = "k") -> dict[str, Result]:
    return dict(Book(folder / "p" / key / "results.jsonl", Result).read())


def test_a_result_is_read_back_with_its_figures(tmp_path: Path) -> None:
    assert run(tmp_path, [Played("a", finding(GOOD))]) == 0
    found = results(tmp_path)["a"]
    assert (found.verdict, found.figures, found.where) == (Verdict.PASSED, GOOD.figures, "two nodes")
    assert found.command == "python -m tests.proof a"
    assert [figure.text for figure in found.figures] == ["0", "1,234.5 MiB"]


def test_what_has_a_verdict_is_not_run_again_for_the_same_sources(tmp_path: Path) -> None:
    good, bad = Played("good", finding(GOOD)), Played("bad", finding(BAD))
    assert [run(tmp_path, [good, bad]) for _ in range(2)] == [1, 1]
    assert (len(good.quick), len(bad.quick)) == (1, 1)
    run(tmp_path, [good, bad], "--again")
    assert (len(good.quick), len(bad.quick)) == (1, 2)
    run(tmp_path, [good, bad], "--key", "another state")
    assert (len(good.quick), len(bad.quick)) == (2, 3)


def test_an_interrupted_entry_has_no_verdict_and_is_given_its_folder_again(tmp_path: Path) -> None:
    def cut_short(folder: Path) -> Measured:
        (folder / "half").touch()
        raise KeyboardInterrupt

    first, after = Played("first", finding(GOOD)), Played("after", finding(GOOD))
    assert run(tmp_path, [first, Played("long", cut_short), after]) == 130
    assert results(tmp_path).keys() == {"first"}
    assert after.quick == []

    def goes_on(folder: Path) -> Measured:
        assert (folder / "half").exists()
        return GOOD

    assert run(tmp_path, [first, Played("long", goes_on), after]) == 0
    assert len(first.quick) == 1
    assert results(tmp_path).keys() == {"first", "long", "after"}


@pytest.mark.parametrize(
    ("error", "verdict", "said"),
    [
        (ClusterError("no node is ready"), Verdict.FAILED, "no node is ready"),
        (AssertionError("it never came"), Verdict.FAILED, "it never came"),
        (ZeroDivisionError("a bug"), Verdict.FAILED, "Traceback"),
        (NotHereError("there is no GPU"), Verdict.SKIPPED, "there is no GPU"),
    ],
    ids=["the cluster", "a wait", "a bug", "it cannot be shown here"],
)
def test_an_entry_that_does_not_come_to_its_end_says_why_and_costs_the_others_nothing(
    tmp_path: Path, error: Exception, verdict: Verdict, said: str
) -> None:
    status = run(tmp_path, [Played("broken", raising(error)), Played("after", finding(GOOD))])
    found = results(tmp_path)
    assert found["broken"].verdict is verdict
    assert said in found["broken"].why
    assert found["after"].verdict is Verdict.PASSED
    assert status == (1 if verdict is Verdict.FAILED else 0)


def test_only_what_is_named_is_run_and_judged(tmp_path: Path) -> None:
    good, bad = Played("good", finding(GOOD)), Played("bad", finding(BAD))
    assert run(tmp_path, [good, bad], "good") == 0
    assert bad.quick == []


def test_an_entry_that_is_not_there_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, [Played("good", finding(GOOD))], "god")
    assert "there is no entry god; there is good" in capsys.readouterr().err


def test_what_was_tried_quickly_counts_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = Played("a", finding(GOOD))
    assert run(tmp_path, [entry], "--quick") == 0
    assert results(tmp_path) == {}
    assert results(tmp_path, "k-quick").keys() == {"a"}
    run(tmp_path, [entry])
    assert entry.quick == [True, False]
    with pytest.raises(SystemExit):
        run(tmp_path, [entry], "--quick", "--publish")
    assert "proves nothing" in capsys.readouterr().err


def test_a_table_runs_nothing_and_shows_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = Played("a", finding(GOOD))
    assert run(tmp_path, [entry], "--table") == 1
    assert entry.quick == []
    assert "not run" in capsys.readouterr().out


def test_two_entries_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="share an id"):
        entries.by_id([Played("a", finding(GOOD)), Played("a", finding(BAD))])


def test_the_page_shows_each_entry_with_its_command_figures_and_picture(tmp_path: Path) -> None:
    def drawing(folder: Path) -> Measured:
        (folder / "picture.svg").write_text("<svg/>")
        return GOOD

    of = [
        Played("drawn", drawing),
        Played("bad", finding(BAD)),
        Played("broken", raising(ClusterError("/x"))),
    ]
    run(tmp_path, of, "drawn", "bad", "broken", "--publish", "--note", "two processors")
    page = (tmp_path / "docs" / "proof.md").read_text()
    assert "1 of 3 entries passed, 2 failed. The machine: two processors." in page
    assert "## drawn: it | holds" in page
    assert "`.venv/bin/python -m tests.proof drawn`" in page
    assert "| memory | 1,234.5 MiB |  |" in page
    assert "![it | holds](images/proof-drawn.svg)" in page
    assert (tmp_path / "docs" / "images" / "proof-drawn.svg").read_text() == "<svg/>"
    assert "- it was restarted 7 times\n\n| what was measured" in page
    assert "- it did not come to its end" in page


def test_a_picture_of_an_earlier_try_is_not_shown(tmp_path: Path) -> None:
    def drawing(folder: Path) -> Measured:
        (folder / "picture.svg").touch()
        return BAD

    run(tmp_path, [Played("a", drawing)])
    run(tmp_path, [Played("a", finding(BAD))], "--again", "--publish")
    assert "images/" not in (tmp_path / "docs" / "proof.md").read_text()


def test_the_page_says_what_was_not_run(tmp_path: Path) -> None:
    run(tmp_path, [Played("a", finding(GOOD))], "--table", "--publish")
    assert "`.venv/bin/python -m tests.proof a`: not run." in (tmp_path / "docs" / "proof.md").read_text()
    (entry,) = json.loads((tmp_path / "docs" / "proof.json").read_text())["entries"]
    assert entry == {"id": "a", "title": "it | holds", "verdict": "not run"}


def test_what_is_published_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    run(tmp_path, [Played("a", raising(ClusterError(f"no {tmp_path}")))], "--publish")
    for file in ("proof.md", "proof.json"):
        assert str(tmp_path) not in (tmp_path / "docs" / file).read_text()
