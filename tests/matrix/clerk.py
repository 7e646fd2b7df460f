"""The pytest plugin behind `make matrix`: picks the cases that are wanted, and writes down how each ended.

A case is a test with the mark `case("A1")`. What it did is read from the verdict that `observed` leaves in
its folder, and from the properties `seconds_back` and `remark` that it recorded. Must not know any case.
"""

import json
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from tests.matrix import result
from tests.matrix.result import Result, Verdict

Tell = Callable[[Result], None]
Begin = Callable[[str, str], None]
Figures = dict[str, Any]
BACK_WITHIN = 10.0
"""Seconds from the first evidence against a version to the move of the requests away from it."""


class Clerk:
    """`wanted` are ids, or letters of kinds, and none means all; what is in `done` is not run again."""

    def __init__(
        self, *, wanted: Collection[str], done: Collection[str], evidence: Path, begin: Begin, tell: Tell
    ) -> None:
        self.known: dict[str, str] = {}  # every case's title by its id
        self._wanted = tuple(wanted)
        self._done = done
        self.evidence = evidence  # pytest's base folder for what tests write
        self._begin = begin
        self._tell = tell
        self._ids: dict[str, str] = {}
        self._began = 0.0
        self._reports: list[pytest.TestReport] = []
        self._verdicts: list[tuple[str, Figures]] = []
        self._read: set[Path] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        cases = [(case, item) for item in items if (case := id_of(item))]
        _assert_unique([case for case, _ in cases])
        self.known = {case: title_of(item) for case, item in sorted(cases, key=lambda pair: _order(pair[0]))}
        due = [(case, item) for case, item in cases if self._is_due(case)]
        chosen = sorted(due, key=lambda pair: (_is_apart(pair[1]), _order(pair[0])))
        self._ids = {item.nodeid: case for case, item in chosen}
        items[:] = [item for _, item in chosen]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        case = self._ids[nodeid]
        self._began, self._reports, self._verdicts = time.monotonic(), [], []
        self._begin(case, self.known[case])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._reports.append(report)
        self._verdicts += self._new_verdicts()  # now: the folder of a test that passed goes at its end

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._tell(self._result(self._ids[nodeid]))

    def _is_due(self, case: str) -> bool:
        return case not in self._done and is_wanted(case, self._wanted)

    def _result(self, case: str) -> Result:
        properties = dict(self._reports[-1].user_properties)
        seconds_back = _seconds(properties.get("seconds_back"))
        late = _late(seconds_back)
        verdict = Verdict.FAILED if late else _verdict(self._reports)
        seen = [verdict for _, verdict in self._verdicts]
        folders = " ".join(folder for folder, _ in self._verdicts) or str(self.evidence)
        return Result(
            id=case,
            title=self.known[case],
            verdict=verdict,
            seconds=round(time.monotonic() - self._began, 1),
            requests=_sum(seen, "requests"),
            failed=_sum(seen, "failed"),
            seconds_back=seconds_back,
            remark=str(properties.get("remark", "")),
            why=_why(self._reports) or late,
            evidence=folders if verdict is Verdict.FAILED else "",
        )

    def _new_verdicts(self) -> list[tuple[str, Figures]]:
        """Those of the runs that have ended since this was asked last, each with its folder."""
        new = set(self.evidence.glob("**/verdict.json")) - self._read
        self._read |= new
        return [(str(file.parent), json.loads(file.read_text())) for file in sorted(new)]


def is_wanted(case: str, wanted: Collection[str]) -> bool:
    """By its id or by its kind's letter; where nothing is named everything is wanted."""
    return not wanted or case in wanted or case[0] in wanted


def id_of(item: pytest.Item) -> str:
    """The case's id; '' for a test that is none."""
    mark = item.get_closest_marker("case")
    return str(mark.args[0]) if mark else ""


def _assert_unique(ids: list[str]) -> None:
    """Of two cases with one id the later verdict would hide the other."""
    if repeated := sorted({case for case in ids if ids.count(case) > 1}, key=_order):
        raise pytest.UsageError(f"more than one case has the id {', '.join(repeated)}")


def _is_apart(item: pytest.Item) -> bool:
    """It needs no Slipway in a cluster, and starts what stays until the end: the others come before it."""
    return "stack" not in getattr(item, "fixturenames", ())


def title_of(item: pytest.Item) -> str:
    """What the test is called, as words."""
    name, _, parameter = item.name.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words}: {parameter.removesuffix(']')}" if parameter else words


def _seconds(recorded: object) -> float | None:
    return None if recorded is None else float(str(recorded))


def _late(seconds_back: float | None) -> str:
    """Judged here and not by the test: `make test` shares its machine, and must not depend on its speed."""
    if seconds_back is None or seconds_back <= BACK_WITHIN:
        return ""
    return f"the requests were back after {seconds_back:.1f} s, and {BACK_WITHIN:g} s are promised"


def _order(case: str) -> tuple[str, int, str]:
    return result.order(case)


def _verdict(reports: list[pytest.TestReport]) -> Verdict:
    if any(report.failed for report in reports):
        return Verdict.FAILED
    return Verdict.SKIPPED if any(report.skipped for report in reports) else Verdict.PASSED


def _why(reports: list[pytest.TestReport]) -> str:
    """The words of the first failure, notes included; '' when there was none."""
    texts = [report.longreprtext for report in reports if report.failed]
    said = [line[1:].strip() for line in texts[0].splitlines() if line.startswith("E ")] if texts else []
    return "\n".join(said) or (texts[0][-2000:] if texts else "")


def _sum(verdicts: list[Figures], what: str) -> int | None:
    known = [verdict[what] for verdict in verdicts if verdict[what] is not None]
    return sum(known) if known else None
