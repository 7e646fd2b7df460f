"""`python -m tests.soak`: the whole soak on a cluster, its figures in .cluster/soak.json.

The exit status: 0 passed, 1 not passed, and why; 130 interrupted.
"""

import json
import shutil
import sys

from rich.console import Console

from tests.cluster import paths
from tests.cluster.errors import ClusterError
from tests.cluster.stack import Stack
from tests.cluster.stages import say
from tests.ledger import rendering
from tests.recorder.switches import Turn
from tests.scenario import namespaces
from tests.scenario.observation import observed
from tests.scenario.run import Run
from tests.soak import story
from tests.soak.verdict import Verdict

NAMESPACE = "slipway-soak"
FOLDER = paths.STATE / "soak"
RESULT = paths.STATE / "soak.json"


def main() -> int:
    RESULT.unlink(missing_ok=True)
    try:
        run, ended = _soak()
    except ClusterError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted; what was recorded is in {FOLDER}.", file=sys.stderr)
        return 130
    verdict = _verdict(run, ended)
    RESULT.write_text(json.dumps(verdict.as_json(), indent=1) + "\n")
    return _tell(run, verdict)


def _soak() -> tuple[Run, str]:
    """The run, and why it did not come to its end ("" when it did)."""
    installed = Stack().ensure()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    ended = ""
    with namespaces.lent(installed, NAMESPACE) as namespace:
        with observed(installed, namespace, FOLDER) as run:
            try:
                story.play(run)
            except AssertionError as failure:
                ended = f"it did not come to its end: {failure}"
        say(f"recorded in {FOLDER}")
    return run, ended


def _verdict(run: Run, ended: str) -> Verdict:
    outcome = run.outcome
    report = outcome.report
    moves = [switch for switch in outcome.switches if switch.turn is not Turn.HAND and switch.confirmed_at]
    complaints = [*outcome.broken_promises, *(report.findings if report else ()), *([ended] if ended else [])]
    return Verdict(
        requests=report.requests if report else 0,
        failed=report.failed if report else 0,
        switches=len(moves),
        operator_kills=run.operator.kills,
        violations=tuple(complaints),
        seconds=round(report.seconds, 1) if report else 0.0,
    )


def _tell(run: Run, verdict: Verdict) -> int:
    console = Console()
    if run.outcome.report is not None:
        console.print(rendering.render(run.outcome.report))
    console.print(
        f"{verdict.requests:,} requests, {verdict.failed:,} failed; {verdict.switches} switches, "
        f"{verdict.operator_kills} times the operator was killed; "
        f"{len(verdict.violations)} promises broken; {verdict.seconds:.0f} s",
        soft_wrap=True,
    )
    for shortcoming in verdict.shortcomings:
        console.print(f"! {shortcoming}", style="bold red", markup=False, soft_wrap=True)
    return 1 if verdict.shortcomings else 0


if __name__ == "__main__":
    sys.exit(main())
