"""Begins and ends a run: the recorder before anything else, the judgement after everything.

Must not know what happens in between.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.cluster.stack import Installed
from tests.recorder.columns import Sample
from tests.recorder.watch import Recorder
from tests.scenario import outcome
from tests.scenario.operator_pod import OperatorPod
from tests.scenario.run import Run

_NOTES = 20
_WAKING = timedelta(seconds=5)


@contextmanager
def observed(installed: Installed, namespace: str, folder: Path) -> Iterator[Run]:
    """Record the namespace, with all evidence in `folder`; afterwards `run.outcome` is known.

    What the body raises is raised on, with the broken promises as notes.
    """
    run = Run(installed, namespace, folder)
    try:
        with _recorded(run):
            yield run
    except BaseException as error:
        for complaint in _judge(run).complaints[:_NOTES]:
            error.add_note(complaint)
        raise
    _judge(run)


@contextmanager
def _recorded(run: Run) -> Iterator[None]:
    with Recorder(run.installed.cluster.kubeconfig, run.recording, namespaces=[run.namespace]):
        try:
            yield
        finally:
            run.stop_sampling()
            run.end_traffic()


def _judge(run: Run) -> outcome.Outcome:
    log = run.operator.log(run.namespace)
    (run.folder / "operator.log").write_text(log)
    run.judged = outcome.judge(
        run.recording,
        circumstances=replace(run.circumstances, log=log),
        samples={run.key: [sample for sample in run.samples if not _alone(sample, run.operator)]},
        report=run.end_traffic(),
    )
    (run.folder / "verdict.json").write_text(json.dumps(run.judged.figures, indent=1) + "\n")
    return run.judged


def _alone(sample: Sample, operator: OperatorPod) -> bool:
    """Printed while there was no operator, or none for long enough to have said anything."""
    return any(begin <= sample.end and sample.begin <= end + _WAKING for begin, end in operator.absences)
