"""`python -m tests.ledger FOLDER`: makes the report of a run again, from its records alone."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from tests.ledger import rendering
from tests.ledger.archive import Archive


def main(arguments: list[str]) -> int:
    """Print the report; exit status 0 only when no request failed or is missing."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m tests.ledger FOLDER (the output of a run)", file=sys.stderr)
        return 2
    report = Archive(Path(arguments[0])).report()
    Console().print(rendering.render(report))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
