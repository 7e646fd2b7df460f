"""The results for a terminal, and as docs/proof.md and docs/proof.json. Pure.

Must not know how they came about. What was raised and where evidence lies is for the terminal alone: it names
folders of a machine.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from rich.table import Table

from tests.matrix.result import Verdict
from tests.proof.entry import Figure, Result

HEADINGS: Final = ("what was measured", "figure", "wanted")
_INTRODUCTION: Final = """# What takes hours to show

| command | what it runs | how long |
| --- | --- | --- |
| `make test` | everything that a commit has to pass | minutes |
| `make matrix` | every case of [what may come to a rollout](matrix.md) | an hour and more |
| `make proof` | what takes too long for the one and is no case of the other: this page | hours |

Written by `python -m tests.proof --publish`. Each entry stands beside the command that repeats it. One that
was cut short has no verdict and is run anew; one that has a verdict is not run again for the same sources,
unless it failed and `--again` asks for it.
"""


def rich_table(known: Mapping[str, str], results: Mapping[str, Result]) -> Table:
    """For a terminal; `known` are the titles of all entries by id, also of those without a result."""
    table = Table("entry", *HEADINGS, "verdict", title_justify="left")
    for name, title in known.items():
        found = results.get(name)
        verdict = _verdict(found)
        colour = {"passed": "green", "failed": "red"}.get(verdict, "yellow")
        table.add_row(name, title, "", "", f"[{colour}]{verdict}[/]")
        for figure in found.figures if found else ():
            table.add_row("", *_row(figure), "")
        table.add_section()
    return table


def summary(known: Mapping[str, str], results: Mapping[str, Result]) -> str:
    """How many entries of how many, in a sentence."""
    verdicts = [results[name].verdict for name in known if name in results]
    passed, failed = verdicts.count(Verdict.PASSED), verdicts.count(Verdict.FAILED)
    return f"{passed} of {len(known)} entries passed, {failed} failed."


def picture(name: str) -> str:
    """The file of an entry's picture, below docs/images."""
    return f"proof-{name}.svg"


def markdown(
    known: Mapping[str, str], results: Mapping[str, Result], *, pictures: Collection[str], note: str
) -> str:
    """The page; `note` is what else is to be said of the machine, `pictures` the entries that have one."""
    parts = [_INTRODUCTION, f"{summary(known, results)}{note and f' The machine: {note}.'}\n"]
    for name, title in known.items():
        parts += [f"## {name}: {title}\n", *_section(name, results.get(name))]
        if name in pictures:
            parts.append(f"![{title}](images/{picture(name)})\n")
    return "\n".join(parts)


def document(known: Mapping[str, str], results: Mapping[str, Result], *, note: str) -> str:
    """The same for machines."""
    entries = [_as_json(name, title, results.get(name)) for name, title in known.items()]
    return json.dumps({"summary": summary(known, results), "note": note, "entries": entries}, indent=1) + "\n"


def _section(name: str, found: Result | None) -> Iterator[str]:
    command = f"`.venv/bin/python -m tests.proof {name}`"
    if found is None:
        yield f"{command}: not run.\n"
        return
    where = f", on {found.where}" if found.where else ""
    yield f"{command} on {found.began}{where}: **{found.verdict.value}**.\n"
    for shortcoming in _shortcomings(found):
        yield f"- {shortcoming}"
    if found.shortcomings:
        yield ""
    if found.figures:
        lines = [HEADINGS, ("---", "---:", "---"), *map(_row, found.figures)]
        yield "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


def _row(figure: Figure) -> tuple[str, str, str]:
    return figure.name, figure.text, figure.wanted


def _verdict(found: Result | None) -> str:
    return found.verdict.value if found else "not run"


def _shortcomings(found: Result) -> tuple[str, ...]:
    return found.shortcomings or (("it did not come to its end",) if found.why else ())


def _as_json(name: str, title: str, found: Result | None) -> dict[str, object]:
    if found is None:
        return {"id": name, "title": title, "verdict": "not run"}
    return {
        "id": name,
        "title": title,
        "verdict": found.verdict.value,
        "command": found.command,
        "where": found.where,
        "began": found.began,
        "seconds": found.seconds,
        "figures": [
            {"name": f.name, "value": f.value, "unit": f.unit, "wanted": f.wanted} for f in found.figures
        ],
        "shortcomings": _shortcomings(found),
    }
