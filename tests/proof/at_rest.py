"""An operator with models at rest, watched for an hour: all that it does is to keep its Lease.

Must not decide whether what was seen is good: the verdict does.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.cluster.stack import Installed, Stack
from tests.cluster.stages import Tell, say, stage
from tests.matrix import sources
from tests.proof import sampling
from tests.proof.entry import Measured, NotHereError
from tests.proof.rest_verdict import QUICK, Plan, Rest
from tests.proof.sampling import Sample
from tests.recorder import journal
from tests.recorder.watch import Recorder
from tests.scenario import audit, namespaces, rest
from tests.scenario.operator_pod import OperatorPod

NAMESPACE = "slipway-proof-at-rest"
SETTLING = 5.0  # seconds after the last model is at rest
_NO_LOG = (ClusterError, AssertionError)  # a log is not worth an hour


class AtRest:
    """Begun anew after an interruption: rest broken off is none. Each try has a folder of its own."""

    id: Final = "at-rest"
    title: Final = (
        "an operator whose models are at rest is not restarted, writes its Lease alone and does not grow"
    )

    def run(self, folder: Path, *, quick: bool) -> Measured:
        installed, plan = Stack().ensure(), QUICK if quick else Plan()
        log = _audit_log(installed)
        tried = folder / f"{journal.now():%Y%m%dT%H%M%SZ}"
        tried.mkdir()
        with namespaces.lent(installed, NAMESPACE):
            with stage(f"{plan.models} models come to rest"):
                rest.settle(installed.kubectl, NAMESPACE, models=plan.models, awake=plan.awake)
                time.sleep(SETTLING)
            seen = _watch(installed, log, tried, plan)
        (folder / "picture.svg").write_text(seen.draw())
        return Measured(_where(installed), seen.figures, seen.shortcomings)


def _audit_log(installed: Installed) -> Path:
    log = installed.cluster.audit_log
    if log is None:
        where = installed.cluster.description
        raise NotHereError(f"the API server of {where} keeps no log of writes to read here")
    return log


def _watch(installed: Installed, log: Path, folder: Path, plan: Plan) -> Rest:
    begin, recording = journal.now(), folder / "recording.jsonl"
    operator = OperatorPod(installed.kubectl, since=begin)
    with (
        Recorder(installed.cluster.kubeconfig, recording, namespaces=[NAMESPACE]),
        stage(f"{plan.seconds / 60:g} minutes of rest") as tell,
    ):
        taken = samples(
            installed.kubectl,
            folder / "samples.jsonl",
            plan,
            tell=tell,
            renewed=lambda: _keep_words(operator),
        )
    written = audit.writes(log, begin=begin, end=journal.now())
    needless = list(map(str, rest.needless(written, NAMESPACE, restless=rest.restless(recording))))
    (folder / "needless-writes.txt").write_text("".join(f"{write}\n" for write in needless))
    with contextlib.suppress(*_NO_LOG):
        (folder / "operator.log").write_text(operator.log(NAMESPACE))
    return Rest(plan, taken, Counter(write.what for write in written), needless)


def samples(
    kubectl: Kubectl, file: Path, plan: Plan, *, tell: Tell, renewed: Callable[[], None]
) -> list[Sample]:
    """A look every so often, each written down at once, the last at the end. `renewed`: it is another one."""
    began, taken = time.monotonic(), list[Sample]()
    with file.open("a") as lines:
        while not taken or taken[-1].seconds < plan.seconds:
            _sleep_until(began + min(plan.seconds, due(taken, plan)))
            sample = sampling.look(kubectl, now=journal.now(), seconds=time.monotonic() - began)
            lines.write(json.dumps(asdict(sample)) + "\n")
            lines.flush()
            tell(f"{sample.seconds / 60:.1f} min, {sample}")
            if sample.problem:
                say(f"  a look after {sample.seconds:.0f} s was not answered: {sample.problem}")
            if sample.life not in (None, _last_life(taken, or_else=sample)):
                renewed()
            taken.append(sample)
    return taken


def due(taken: list[Sample], plan: Plan) -> float:
    """When to look next. What took longer than a period costs that period, and the end comes in time."""
    return (taken[-1].seconds // plan.every + 1) * plan.every if taken else 0.0


def _last_life(taken: list[Sample], *, or_else: Sample) -> tuple[str, str] | None:
    return next((sample.life for sample in reversed(taken) if sample.life), or_else.life)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _keep_words(operator: OperatorPod) -> None:
    say("  another process of the operator has begun")
    with contextlib.suppress(*_NO_LOG):
        operator.keep_words()


def _where(installed: Installed) -> str:
    cluster = installed.cluster
    return f"{cluster.description}, {len(cluster.nodes())} of them ({sources.machine()})"
