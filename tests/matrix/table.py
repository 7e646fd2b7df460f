"""The results as a table: for a terminal, and for docs/matrix.md and docs/matrix.json. Pure.

Must not know how they came about.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from rich.table import Table

from tests.matrix import result
from tests.matrix.result import Result, Verdict

HEADINGS: Final = ("case", "what happened", "requests", "failed", "seconds back", "verdict")
KINDS: Final = {
    "A": "From one good version to the next, under requests",
    "B": "A version that is bad: it never gets the traffic",
    "C": "A version that turns bad when it has the traffic: the requests go back",
    "D": "Too few GPUs, or no quota",
    "E": "Somebody changes their mind in mid-rollout",
    "F": "The operator is killed",
    "G": "The API server misbehaves",
    "H": "Somebody edits the children by hand",
    "I": "The number of pods changes",
    "J": "The operator is upgraded",
    "K": "Two operators at once",
    "L": "Nodes are drained",
    "N": "How much the operator writes",
    "O": "The user has the last word",
    "P": "A Service that is there already is taken over",
    "Q": "More rollouts are asked for than may be under way",
    "R": "The operator is installed for named namespaces",
}
_INTRODUCTION: Final = """# The case matrix

What may come to a rollout, each case played on two real nodes with real pods and clients that never repeat
a request (G: on a real API server with Kubernetes' own controllers, and pods that are only called ready).
Written by `python -m tests.matrix --publish`; the figures are of one run, on the machine that is named below.
What that run did not come to is shown as *not run*.

- *requests*, *failed*: the client ledger's, which counts what has no record as failed. Where a pod that has
  the traffic is killed or answers with errors, requests must fail: how many, and that none does after the way
  back, is what the case shows. Cases that share a model (B1 to B16) share its requests: they stand with the
  last of them.
- *seconds back*: from the first evidence that the API or a client shows (the end of a container, rounded down
  to a second; the loss of readiness; the first error) to the write that moved the Service's selector.
- *verdict*: `passed` means the case's own end, and every promise of [how a rollout works](architecture.md)
  held on the recorded history.
"""


def rich_table(known: Mapping[str, str], results: Mapping[str, Result]) -> Table:
    """For a terminal; `known` are the titles of all cases by id, also of those without a result."""
    table = Table(*HEADINGS, title_justify="left")
    for row in _rows(known, results):
        colour = {"passed": "green", "failed": "red"}.get(row[-1], "yellow")
        table.add_row(*row[:-1], f"[{colour}]{row[-1]}[/]")
    return table


def markdown(known: Mapping[str, str], results: Mapping[str, Result], *, where: str) -> str:
    """The page; `where` says on what it was run, in a sentence."""
    known = dict(sorted(known.items(), key=lambda case: result.order(case[0])))
    parts = [_INTRODUCTION, f"{where} {summary(known, results)}\n"]
    for kind in dict.fromkeys(case[0] for case in known):
        chosen = {case: title for case, title in known.items() if case[0] == kind}
        parts += [f"## {kind}. {KINDS.get(kind, 'More')}\n", _markdown_table(_rows(chosen, results))]
    return "\n".join(parts)


def document(known: Mapping[str, str], results: Mapping[str, Result], *, where: str) -> str:
    """The same for machines."""
    cases = [_as_json(case, title, results.get(case)) for case, title in known.items()]
    return json.dumps({"where": where, "summary": summary(known, results), "cases": cases}, indent=1) + "\n"


def summary(known: Mapping[str, str], results: Mapping[str, Result]) -> str:
    """How many cases of how many, in a sentence."""
    verdicts = [results[case].verdict for case in known if case in results]
    failed, passed = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.PASSED)
    requests = sum(results[case].requests or 0 for case in known if case in results)
    return f"{passed} of {len(known)} cases passed, {failed} failed; {requests:,} requests were sent."


def _rows(known: Mapping[str, str], results: Mapping[str, Result]) -> Sequence[tuple[str, ...]]:
    ordered = sorted(known, key=result.order)
    return [_row(case, known[case], results.get(case)) for case in ordered]


def _row(case: str, title: str, found: Result | None) -> tuple[str, ...]:
    if found is None:
        return case, title, "", "", "", "not run"
    what = f"{title} ({found.remark})" if found.remark else title
    back = "" if found.seconds_back is None else f"{found.seconds_back:.1f}"
    return case, what, _number(found.requests), _number(found.failed), back, found.verdict.value


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _markdown_table(rows: Sequence[tuple[str, ...]]) -> str:
    lines = [HEADINGS, ("---", "---", "---:", "---:", "---:", "---"), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


def _as_json(case: str, title: str, found: Result | None) -> dict[str, object]:
    if found is None:
        return {"id": case, "title": title, "verdict": "not run"}
    return {
        "id": case,
        "title": title,
        "verdict": found.verdict.value,
        "requests": found.requests,
        "failed": found.failed,
        "seconds_back": found.seconds_back,
        "seconds": found.seconds,
        "remark": found.remark,
    }
