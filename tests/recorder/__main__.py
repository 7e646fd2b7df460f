"""`python -m tests.recorder FILE`: the report on a recording; exit status 1 when a promise was broken."""

import sys
from pathlib import Path

from tests.recorder import invariants, report
from tests.recorder.history import History


def main(path: str) -> int:
    """Print the report."""
    history = History.load(Path(path))
    violations = invariants.check(history)
    print(report.render(history, violations), end="")
    return 1 if violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.recorder FILE")
    sys.exit(main(sys.argv[1]))
