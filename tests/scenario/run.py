"""What a test does to one model, each deed a short function, and what it waits for.

Must not decide which states are right: the outcome does, when all has been recorded.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway_operator.api import labels
from slipway_operator.domain.revision import revision_of
from tests.cluster.kubectl import Kubectl
from tests.cluster.stack import Installed
from tests.ledger.driver import Ledger
from tests.ledger.generator.load import ClientClass, Load, Rate, Think
from tests.ledger.report import Report
from tests.recorder import journal
from tests.recorder.columns import Sample, Sampler
from tests.recorder.invariants import Circumstances
from tests.recorder.metadata import Key
from tests.recorder.silence import QuietWindow
from tests.recorder.violation import Excuse
from tests.scenario import manifest, processes
from tests.scenario.operator_pod import OperatorPod
from tests.scenario.outcome import Outcome, revision_of_json
from tests.scenario.seen import Seen
from tests.scenario.view import JsonObject

NAME = manifest.NAME
PATIENCE = 240.0  # the machine may be busy: nothing here is about speed
GENTLE = Load(
    clients={
        ClientClass.FAST: 3,
        ClientClass.SLOW: 4,
        ClientClass.POOL: 2,
        ClientClass.NEW: 2,
        ClientClass.UPLOAD: 1,
    },
    paces={
        ClientClass.FAST: Rate(12),
        ClientClass.SLOW: Think(0, 4),
        ClientClass.POOL: Rate(6),
        ClientClass.NEW: Rate(6),
    },
    max_seconds=1500,
    max_requests=200_000,
)
_SETTLING = timedelta(seconds=3)  # managedFields tell whole seconds


class Run:
    """One model in one namespace. `observed` makes it and ends it.

    Every wait raises AssertionError, with what was waited for and how the model is instead.
    """

    def __init__(self, installed: Installed, namespace: str, folder: Path) -> None:
        self.installed = installed
        self.namespace = namespace
        self.folder = folder
        self.recording = folder / "recording.jsonl"
        self.seen = Seen(self.recording, namespace)
        self.operator = OperatorPod(installed.kubectl, since=journal.now())
        self.circumstances = Circumstances(at_rest=True, revision_of=revision_of_json)
        self.judged: Outcome | None = None
        self._generation = 0
        self._ledger: Ledger | None = None
        self._sampler: Sampler | None = None
        self._samples: list[Sample] = []

    @property
    def kubectl(self) -> Kubectl:
        return self.installed.kubectl

    @property
    def key(self) -> Key:
        return Key("InferenceModel", self.namespace, NAME)

    @property
    def outcome(self) -> Outcome:
        """The evidence; there is none before the end of the `with`."""
        assert self.judged is not None, "the run has not ended"
        return self.judged

    # -- deeds --

    def apply(self, version: str, **changes: Any) -> str:
        """Apply the model with these changes to its spec, as from a file; the revision that it asks for."""
        body = manifest.model(version, namespace=self.namespace, changes=changes)
        answer = self.kubectl.run("apply", "-f", "-", "-o", "json", stdin=json.dumps(body))
        self._sample()
        return self._asked(json.loads(answer))

    def would_ask(self, version: str, **changes: Any) -> str:
        """The revision that `apply` would ask for; nothing is written."""
        body = manifest.model(version, namespace=self.namespace, changes=changes)
        answer = self.kubectl.run(
            "apply", "--dry-run=server", "-f", "-", "-o", "json", stdin=json.dumps(body)
        )
        return revision_of(json.loads(answer)["spec"])

    def patch(self, spec: Mapping[str, Any]) -> str:
        """Merge into the spec that is there; the revision that it asks for now."""
        where = ("-n", self.namespace, "--type=merge", "-p", json.dumps({"spec": spec}))
        return self._asked(json.loads(self.kubectl.run("patch", "imodel", NAME, *where, "-o", "json")))

    def scale(self, replicas: int) -> None:
        """By the scale subresource, as an autoscaler would."""
        self.kubectl.run("scale", "imodel", NAME, "-n", self.namespace, f"--replicas={replicas}")
        self._asked(self.kubectl.get("imodel", NAME, namespace=self.namespace))

    def delete(self) -> None:
        """Delete the model; its children are the garbage collector's."""
        self.stop_sampling()
        self.kubectl.delete("imodel", NAME, namespace=self.namespace)

    def signal(self, revision: str, name: str) -> None:
        """Send the runtimes in all pods of the revision a signal: SEGV, STOP, CONT."""
        for pod in self.kubectl.list(
            "pod", namespace=self.namespace, selector=f"{labels.REVISION}={revision}"
        ):
            within = ("-n", self.namespace, "-c", "runtime", "--", *processes.signal(name))
            self.kubectl.run("exec", pod["metadata"]["name"], *within)

    def send(self, load: Load = GENTLE, generators: int = 2) -> None:
        """Send requests to the stable Service, until the end of the run."""
        image, folder = self.installed.references["ledger"], self.folder / "ledger"
        self._ledger = Ledger(self.kubectl, image=image, output=folder, namespace=f"{self.namespace}-load")
        self._ledger.start(f"http://{NAME}.{self.namespace}/v1/predict", load, generators)

    def send_more(self, count: int, timeout: float = PATIENCE) -> None:
        """Let that many further requests be answered."""
        goal, deadline = self.answered() + count, time.monotonic() + timeout
        while (there := self.answered()) < goal:
            assert time.monotonic() < deadline, f"{there} of {goal} requests after {timeout:g} s"
            time.sleep(1)

    def answered(self) -> int:
        """Requests with an outcome so far."""
        return self._ledger.counts().requests if self._ledger else 0

    def quiet(self, seconds: float) -> None:
        """Do nothing for so long; the operator must not either (I10)."""
        begin = journal.now() + _SETTLING
        time.sleep(seconds + _SETTLING.total_seconds())
        known = self.circumstances.quiet
        self.circumstances = replace(self.circumstances, quiet=(*known, QuietWindow(begin, journal.now())))

    def excuse(self, excused: Excuse) -> None:
        """What the test provokes by hand is no fault of the operator's."""
        self.circumstances = replace(self.circumstances, excused=(*self.circumstances.excused, excused))

    def deletes(self, *keys: Key) -> None:
        """These are other people's objects, which the test deletes itself."""
        known = self.circumstances.deletions
        self.circumstances = replace(self.circumstances, deletions=known | set(keys))

    # -- waits --

    def wait_ready(self, version: str, timeout: float = PATIENCE) -> None:
        """The version is asked for and has the traffic, by the status of the present spec."""
        self.until(lambda: self._is_ready(version), what=f"version {version} is Ready", timeout=timeout)

    def wait_complete(self, version: str, timeout: float = PATIENCE) -> None:
        """The version is ready, and what was before it has left."""
        self.wait_ready(version, timeout)
        self.wait_step("Complete", timeout)

    def wait_step(self, step: str, timeout: float = PATIENCE) -> None:
        """The status of the present spec has reached that step."""
        self.until(
            lambda: self._is_current() and self.seen.step == step, what=f"step {step}", timeout=timeout
        )

    def wait_stalled(self, reason: str, timeout: float = PATIENCE) -> str:
        """The status of the present spec says Stalled for that reason; the message."""

        def is_stalled() -> bool:
            return self._is_current() and self.seen.holds("Stalled", reason)

        self.until(is_stalled, what=f"Stalled: {reason}", timeout=timeout)
        return str(self.seen.condition("Stalled")["message"])

    def wait_gone(self, revision: str, timeout: float = PATIENCE) -> None:
        """No pod of the revision is left."""
        what = f"the pods of revision {revision} are gone"
        self.until(lambda: not self.seen.pods(revision), what=what, timeout=timeout)

    def wait_deployed(self, revision: str, timeout: float = PATIENCE) -> None:
        """The revision's Deployment exists."""
        what = f"the Deployment of revision {revision} exists"
        self.until(lambda: bool(self.seen.deployment(revision)), what=what, timeout=timeout)

    def wait_selected(self, revision: str, timeout: float = PATIENCE) -> None:
        """The stable Service selects the revision."""
        what = f"the Service selects revision {revision}"
        self.until(lambda: self.seen.selected == revision, what=what, timeout=timeout)

    def until(self, condition: Callable[[], bool], *, what: str, timeout: float = PATIENCE) -> None:
        """Any other state, however short it lasts."""
        self.seen.until(condition, what=what, timeout=timeout)

    # -- the end --

    def stop_sampling(self) -> None:
        """Print no columns any more: the model is about to go."""
        if self._sampler is not None:
            self._sampler.stop()
            self._samples = self._sampler.samples

    def end_traffic(self) -> Report | None:
        """Let the requests end; None when none were sent. The same report however often it is asked for."""
        return self._ledger.stop() if self._ledger else None

    @property
    def samples(self) -> list[Sample]:
        """The columns that were printed."""
        return self._samples

    def _sample(self) -> None:
        if self._sampler is None:
            self._sampler = Sampler(self.kubectl.run, namespace=self.namespace, name=NAME)
            self._sampler.start()

    def _asked(self, model: JsonObject) -> str:
        self._generation = model["metadata"]["generation"]
        return revision_of(model["spec"])

    def _is_current(self) -> bool:
        return self.seen.speaks_of(self._generation)

    def _is_ready(self, version: str) -> bool:
        status = self.seen.status
        is_version = (status.get("activeVersion"), status.get("targetVersion")) == (version, version)
        return self._is_current() and is_version and self.seen.holds("Ready", "Serving")
