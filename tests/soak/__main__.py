"""`make soak`: at least 50,000 requests over six rollouts on two nodes, the operator killed three times.

Exits with 0 only when no request failed, none is unaccounted for, and no promise was broken on the recorded
history. Writes .cluster/soak.json and, beside it, the evidence: recording, ledger, the operator's log.
"""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import paths
from tests.cluster.errors import ClusterError
from tests.cluster.s3_manifests import restricted_namespace
from tests.cluster.stack import CREDENTIALS, Installed, Stack
from tests.cluster.stages import say, stage
from tests.ledger import rendering
from tests.ledger.generator.load import ClientClass, Load, Rate
from tests.scenario.observation import observed
from tests.scenario.outcome import Outcome
from tests.scenario.run import Run
from tests.soak.story import LEGS, LONGEST_SECONDS, REQUESTS, Kill, Leg, share

NAMESPACE = "slipway-soak"
FOLDER = paths.STATE / "soak"
RESULT = paths.STATE / "soak.json"
LOAD = Load(
    paces={ClientClass.FAST: Rate(35), ClientClass.POOL: Rate(10), ClientClass.NEW: Rate(8)},
    max_seconds=LONGEST_SECONDS,
)


def main() -> int:
    """The exit status: 0 nothing failed and no promise was broken, 1 otherwise, 130 interrupted."""
    try:
        return _tell(*_soak(Stack().ensure()))
    except (ClusterError, AssertionError) as failure:
        print("\n".join([str(failure), *getattr(failure, "__notes__", [])]), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: `make down` removes what is left.", file=sys.stderr)
        return 130


def _soak(installed: Installed) -> tuple[Outcome, int, float]:
    """The outcome, how often the operator was killed, and how long it took in seconds."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    began = time.monotonic()
    with _namespace(installed), observed(installed, NAMESPACE, FOLDER) as run:
        run.operator.renew()
        with stage("version 1 is applied, and is ready"):
            run.apply("1")
            run.wait_complete("1")
        run.send(LOAD)
        for number, leg in enumerate(LEGS):
            _roll(run, leg, legs_left=len(LEGS) - number)
    return run.outcome, run.operator.kills, time.monotonic() - began


def _roll(run: Run, leg: Leg, *, legs_left: int) -> None:
    fate = "" if leg.kill is Kill.NEVER else f", the operator is killed {leg.kill}"
    with stage(f"to version {leg.version}{fate}"):
        before = run.seen.selected
        kill = run.operator.aim() if leg.kill is not Kill.NEVER else None
        revision = run.apply(leg.version)
        if kill is not None:
            if leg.kill is Kill.BEFORE_THE_SWITCH:
                run.wait_step("WaitingForReadyPods")
            else:
                run.wait_selected(revision)
            kill()
            run.operator.wait()
        run.wait_complete(leg.version)
        if before:
            run.wait_gone(before)
        run.send_more(share(run.answered(), legs_left), timeout=LONGEST_SECONDS)
    say(f"  {run.answered():,} of {REQUESTS:,} requests")


@contextmanager
def _namespace(installed: Installed) -> Iterator[None]:
    """Nothing of an earlier run, and afterwards nothing of this one."""
    used = (NAMESPACE, f"{NAMESPACE}-load")
    for name in used:
        installed.kubectl.delete("namespace", name)
    installed.kubectl.apply(restricted_namespace(NAMESPACE))
    installed.s3.give_reader(CREDENTIALS, NAMESPACE)
    yield
    for name in used:
        installed.kubectl.delete("namespace", name, wait=False)


def _tell(outcome: Outcome, kills: int, seconds: float) -> int:
    report = outcome.report
    assert report is not None, "no request was sent"
    passed = not outcome.complaints and report.requests >= REQUESTS
    result = {
        "requests": report.requests,
        "failed": report.failed,
        "switches": len(outcome.switches),
        "operator_kills": kills,
        "violations": [str(violation) for violation in outcome.violations],
        "seconds": round(seconds, 1),
        "passed": passed,
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(rendering.plain(report))
    for complaint in outcome.complaints:
        print(f"✗ {complaint}")
    print(
        f"{'✓' if passed else '✗'} {report.requests:,} requests, {report.failed} failed, "
        f"{len(outcome.switches)} switches, operator killed {kills} times, "
        f"{len(outcome.violations)} promises broken, {seconds:.0f} s"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
