"""Does what the story says, and waits until it has happened.

Must not know how it is shown; what it waits for, it is told by the story.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import commands
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.demo import manifests, shell
from tests.demo.manifests import NAME, NAMESPACE
from tests.demo.progress import Progress
from tests.demo.snapshot import Facts
from tests.demo.story import Apply, Clear, StartTraffic, Step, StopTraffic, Watch, is_hopeless
from tests.demo.watching import Watcher
from tests.ledger import manifests as generators
from tests.ledger.driver import Ledger
from tests.ledger.generator.load import ClientClass, Load, Rate
from tests.ledger.report import Report

TARGET = f"http://{NAME}.{NAMESPACE}/v1/predict"
GENERATORS = 2
# What two processors carry beside four pods of the model, with room to spare for the rollout.
LOAD = Load(
    paces={ClientClass.FAST: Rate(35), ClientClass.POOL: Rate(10), ClientClass.NEW: Rate(8)},
    max_seconds=900.0,
)
LOAD_NAMESPACE = "slipway-ledger"
EVENTS = ("--field-selector", f"involvedObject.name={NAME}", "--sort-by=.metadata.creationTimestamp")


class StepError(ClusterError):
    """A step of the story did not come about; the text ends with what the model says of itself."""


@dataclass(slots=True)
class Player:
    """Plays a story once."""

    kubectl: Kubectl
    ledger: Ledger
    watcher: Watcher
    progress: Progress
    files: Mapping[str, Path]
    may_delete_any: bool
    """Whether a model that is not the demo's own may be removed: only on a cluster that is ours."""
    report: Report | None = field(default=None)

    def play(self, story: Sequence[Step]) -> Report:
        """Play it to its end. StepError says which step did not come about, and how the model is."""
        for number, step in enumerate(story):
            with self.progress.running(number, command=self._command(step)):
                self._do(step)
                self._await(step)
        if self.report is None:
            raise StepError("The story has no end: the traffic was never stopped.")
        return self.report

    def remove_generators(self) -> None:
        """Take the clients away, whatever they are doing; what they wrote down is lost."""
        where = ("-n", LOAD_NAMESPACE, "-l", f"{generators.LABEL}=generator")
        self.kubectl.attempt("delete", "pod", *where, "--ignore-not-found", "--wait=false")

    def _command(self, step: Step) -> str:
        match step.action:
            case Apply(version):
                return f"kubectl apply -f {shell.path(self.files[version])}"
        return ""

    def _do(self, step: Step) -> None:
        match step.action:
            case Clear():
                self._clear()
            case Apply(version):
                self.kubectl.run("apply", "-f", str(self.files[version]))
            case StartTraffic():
                self.ledger.start(TARGET, LOAD, GENERATORS)
                self.watcher.count(on=True)
            case StopTraffic():
                self.watcher.count(on=False)
                self.report = self.ledger.stop()
            case Watch():
                pass

    def _clear(self) -> None:
        self.remove_generators()
        found = self.kubectl.find("inferencemodel", NAME, namespace=NAMESPACE)
        if found is None:
            return
        if not self.may_delete_any and manifests.LABEL not in found["metadata"].get("labels", {}):
            raise StepError(
                f"There is a model {NAMESPACE}/{NAME} on this cluster, and it is not the demo's: "
                "delete it, or name another cluster in SLIPWAY_KUBECONFIG."
            )
        # In the foreground: once it is gone, so are the children whose names the next one needs.
        where = ("-n", NAMESPACE, "--cascade=foreground", "--timeout=150s")
        self.kubectl.run("delete", "inferencemodel", NAME, *where, timeout=160)

    def _await(self, step: Step) -> None:
        deadline = time.monotonic() + step.within
        since = time.monotonic()
        while True:
            facts = self.watcher.after(since, within=max(0.0, deadline - time.monotonic()))
            if facts is not None and step.until(facts):
                return
            if facts is not None and is_hopeless(facts):
                raise StepError(f"It came to nothing: {step.title}.\n{self._condition(facts)}")
            if time.monotonic() > deadline:
                late = f"After {step.within:.0f} s it had not come about: {step.title}."
                raise StepError(f"{late}\n{self._condition(self.watcher.facts())}")
            since = time.monotonic()

    def _condition(self, facts: Facts) -> str:
        """How the model is, for a person who has to find out what is wrong."""
        said = [f"Model {NAMESPACE}/{NAME}:", *(_pods(facts) or ["    it has no pods"]), *_conditions(facts)]
        if facts.problem:
            said.append(f"    {facts.problem}")
        events = self.kubectl.attempt("get", "events", "-n", NAMESPACE, *EVENTS).stdout
        said += ["Its last events:", commands.tail(events, 8) or "    none"]
        said.append(f"Look further with: kubectl -n {NAMESPACE} describe imodel {NAME}")
        return "\n".join(said)


def _pods(facts: Facts) -> list[str]:
    return [f"    pod {pod.name}, version {pod.version}: {pod.state} {pod.node}" for pod in facts.pods]


def _conditions(facts: Facts) -> list[str]:
    conditions = facts.model.conditions if facts.model else ()
    return [f"    {part.type}={part.status} {part.reason}: {part.message}" for part in conditions]
