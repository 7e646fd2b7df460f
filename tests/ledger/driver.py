"""Runs load generators as pods and brings home every record they wrote.

Speaks to the pods through the API server's proxy only, so that it works on any cluster. Knows nothing of
what the requests mean; the report is made from the folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import Kubectl
from tests.ledger import counts as live
from tests.ledger import manifests
from tests.ledger.archive import Archive
from tests.ledger.generator.load import Load
from tests.ledger.report import Report

START_SECONDS = 120.0
FINISH_SECONDS = 120.0
PATIENCE_SECONDS = 60.0
DONE = ("done", "broken")


class LedgerError(ClusterError):
    """A generator could not be started, or is not there any more."""


class Ledger:
    """One run: `start`, `counts` and `collect` as often as wanted, `stop`."""

    def __init__(
        self, kubectl: Kubectl, *, image: str, output: Path, namespace: str = "slipway-ledger"
    ) -> None:
        self._kubectl = kubectl
        self._image = image
        self._namespace = namespace
        self._archive = Archive(output)
        self._generators: tuple[str, ...] = ()
        self._report: Report | None = None

    def start(self, target: str, load: Load, generators: int = 2) -> None:
        """Start that many pods, each with this load; returns once all of them send.

        Raises LedgerError when one does not within two minutes, naming what its pod says.
        """
        self._archive.clear()
        self._report = None
        self._generators = tuple(f"generator-{number}" for number in range(generators))
        self._prepare()
        self._kubectl.apply(
            [
                manifests.generator(
                    name, namespace=self._namespace, image=self._image, target=target, load=load
                )
                for name in self._generators
            ]
        )
        for name in self._generators:
            self._await_start(name)

    def counts(self) -> live.Counts:
        """Return the live counts of all generators. Raises LedgerError when one does not answer."""
        return live.merge(self._counts(name) for name in self._generators)

    def collect(self) -> None:
        """Fetch the records written since the last time: what is here survives the death of a pod."""
        for name in self._generators:
            self._collect(name)

    def stop(self) -> Report:
        """Let the generators finish, fetch and check everything, delete the pods; return the report.

        The report also lies in the output folder. A generator that is gone raises nothing: it fails the
        report. Called again, it returns the same report.
        """
        if self._report is None:
            try:
                self._finish()
            finally:
                self._remove()
            self._report = self._archive.report()
            self._archive.write(self._report)
        return self._report

    def _prepare(self) -> None:
        self._kubectl.apply(manifests.namespace(self._namespace))
        self._remove()
        # Until the namespace has its account, the API server turns every pod away.
        _until(self._has_account, START_SECONDS, f"namespace {self._namespace} got no default ServiceAccount")

    def _has_account(self) -> bool:
        return self._kubectl.find("serviceaccount", "default", namespace=self._namespace) is not None

    def _remove(self) -> None:
        where = ("-n", self._namespace, "-l", f"{manifests.LABEL}=generator")
        self._kubectl.run("delete", "pod", *where, "--ignore-not-found", timeout=120)

    def _await_start(self, name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._sends(name):
            if time.monotonic() > deadline:
                raise LedgerError(f"{self._called(name)} does not send: {self._condition(name)}")
            time.sleep(0.5)

    def _sends(self, name: str) -> bool:
        try:
            return bool(self._counts(name)["state"] != "waiting")
        except LedgerError:
            return False

    def _counts(self, name: str) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(self._kubectl.raw(self._path(name, "counts")))
        except (ClusterError, ValueError) as error:
            raise LedgerError(
                f"{self._called(name)} does not answer: {self._condition(name)} ({error})"
            ) from error
        return document

    def _collect(self, name: str) -> None:
        """Fetch up to where the records end now: a generator that sends writes faster than kubectl asks."""
        end = self._counts(name)["records_bytes"]
        while (size := self._archive.size(name)) < end:
            self._archive.append(name, self._kubectl.raw(self._path(name, f"records?offset={size}")))

    def _finish(self) -> None:
        """Tell all of them first, so that none sends on while another is being waited for."""
        alive = [name for name in self._generators if self._survives(name, self._tell_to_stop)]
        for name in alive:
            self._survives(name, self._bring_home)

    def _survives(self, name: str, step: Callable[[str], None]) -> bool:
        """Do this with a generator; a failure is a finding, and not the end of the others."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                step(name)
            except ClusterError as error:
                # Every step can be repeated; a generator that runs has its records still.
                if self._runs(name) and time.monotonic() < deadline:
                    time.sleep(1)
                    continue
                self._lose(name, error)
                return False
            return True

    def _lose(self, name: str, error: ClusterError) -> None:
        self._archive.append(name, "")  # its books are opened, so that they are found to be missing
        self._archive.remark(f"{self._called(name)} was lost: {self._condition(name)} ({error})")

    def _tell_to_stop(self, name: str) -> None:
        self._kubectl.run("create", "--raw", self._path(name, "stop"), "-f", "-", stdin="{}")

    def _bring_home(self, name: str) -> None:
        _until(lambda: self._counts(name)["state"] in DONE, FINISH_SECONDS, f"{name} did not finish")
        self._collect(name)
        counts = self._counts(name)
        self._archive.count(name, counts["requests"])
        if counts["broken"]:
            self._archive.remark(f"{self._called(name)} could not write its records: {counts['broken']}")

    def _path(self, name: str, what: str) -> str:
        pods = f"/api/v1/namespaces/{self._namespace}/pods"
        return f"{pods}/{name}:{manifests.PORT}/proxy/{what}"

    def _called(self, name: str) -> str:
        return f"generator pod {self._namespace}/{name}"

    def _runs(self, name: str) -> bool:
        pod = self._pod(name)
        return pod is None or pod.get("status", {}).get("phase") == "Running"

    def _pod(self, name: str) -> dict[str, Any] | None:
        """Return the pod, {} when there is none, None when the API server does not answer."""
        try:
            return self._kubectl.find("pod", name, namespace=self._namespace) or {}
        except ClusterError:
            return None

    def _condition(self, name: str) -> str:
        """Say in a few words how the pod is, as far as the API server can tell."""
        match self._pod(name):
            case None:
                return "the API server does not answer"
            case {"status": {"phase": "Failed"} as status}:
                return f"{_words(status)}; {self._last_words(name)}"
            case {"status": status}:
                return _words(status)
        return "there is no such pod"

    def _last_words(self, name: str) -> str:
        done = self._kubectl.attempt("logs", name, "-n", self._namespace, "--tail=4")
        return " ".join((done.stdout or done.stderr).split())


def _words(status: dict[str, Any]) -> str:
    containers = status.get("containerStatuses", ())
    parts = [status, *(state for container in containers for state in container["state"].values())]
    parts += [condition for condition in status.get("conditions", ()) if condition["status"] == "False"]
    said = [str(part.get("message") or part.get("reason") or "") for part in parts]
    return "; ".join([f"phase {status.get('phase', 'unknown')}", *filter(None, said)])


def _until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LedgerError(f"{otherwise} within {seconds:.0f} s")
        time.sleep(0.5)
