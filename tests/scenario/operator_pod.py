"""The operator as a process that can be killed, and all that it has said. Of several it is the one that acts.

Must not know of any model.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster.kubectl import JsonObject, Kubectl
from tests.cluster.release import NAME, NAMESPACE, PODS
from tests.recorder import journal

_PROC = Path("/proc")
_PATIENCE = 180.0


class OperatorPod:
    """The operator of the stack, from `since` on."""

    def __init__(self, kubectl: Kubectl, *, since: datetime) -> None:
        self._kubectl = kubectl
        self._since = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._words: list[str] = []
        self._killed: dict[str, datetime] = {}  # by container id
        self._waited_for: set[str] = set()
        self.absences: list[tuple[datetime, datetime]] = []

    def aim(self) -> Callable[[], None]:
        """What kills the process that runs now, the moment it is called: nothing is looked up any more.

        It returns without waiting for the next process: `wait` does.
        """
        pod = self._pod()
        processes = _processes(_container(pod))
        return lambda: self._kill(pod, processes)

    def kill(self) -> None:
        """End its process at once, without a chance to say or write anything."""
        self.aim()()

    def wait(self) -> None:
        """Return once one that was started after the last kill is ready."""
        deadline = time.monotonic() + _PATIENCE
        while not self._is_back():
            if time.monotonic() > deadline:
                raise AssertionError(f"the operator is not ready again within {_PATIENCE:g} s")
            time.sleep(0.5)
        if self._killed:
            self.absences.append((self._absent_since(), journal.now()))
        if self.restarts() > 0:
            self._keep_words(self._pod(), previous=True)

    @contextmanager
    def away(self) -> Iterator[None]:
        """There is no operator at all in the body; afterwards there is one again."""
        self._keep_words(self._pod(), previous=False)
        self._scale(0)
        self._kubectl.wait("delete", "pod", "-l", PODS, namespace=NAMESPACE, timeout=_PATIENCE)
        gone = journal.now()
        try:
            yield
        finally:
            self._scale(1)
            self.wait()
            self.absences.append((gone, journal.now()))

    def renew(self) -> None:
        """A new pod, if this one has been restarted: the kubelet starts each time later than the last."""
        pod = self._pod()
        if self.restarts() == 0:
            return
        self._keep_words(pod, previous=False)
        gone = journal.now()
        self._kubectl.delete("pod", pod["metadata"]["name"], namespace=NAMESPACE)
        self.wait()
        self.absences.append((gone, journal.now()))

    def restarts(self) -> int:
        """How often the present pod's container was started again."""
        return sum(status["restartCount"] for status in self._pod()["status"].get("containerStatuses", []))

    @property
    def name(self) -> str:
        """Of its present pod."""
        return str(self._pod()["metadata"]["name"])

    @property
    def kills(self) -> int:
        return len(self._killed)

    def keep_words(self) -> None:
        """Remember what it has said, and its last process: a node keeps the words of no more than two."""
        pod = self._pod()
        self._keep_words(pod, previous=False)
        if self.restarts() > 0:
            self._keep_words(pod, previous=True)

    def log(self, namespace: str) -> str:
        """What it and its killed predecessors said, without what is about other namespaces."""
        pod = self._pod()
        self._keep_words(pod, previous=False)
        lines = dict.fromkeys(line for words in self._words for line in words.splitlines())
        return "\n".join(line for line in lines if _concerns(line, namespace))

    def _absent_since(self) -> datetime:
        """The first death that has not been waited for: the next may come before that wait has ended."""
        new = [at for container, at in self._killed.items() if container not in self._waited_for]
        self._waited_for.update(self._killed)
        return min(new, default=max(self._killed.values()))

    def _scale(self, replicas: int) -> None:
        self._kubectl.run("scale", f"deployment/{NAME}", "-n", NAMESPACE, f"--replicas={replicas}")

    def _kill(self, pod: JsonObject, processes: list[int]) -> None:
        self._killed[_container(pod)] = journal.now()
        for pid in processes:
            _kill(pid)
        if not processes:  # the node is not on this machine
            self._keep_words(pod, previous=False)
            name = pod["metadata"]["name"]
            self._kubectl.run("delete", "pod", name, "-n", NAMESPACE, "--grace-period=0", "--force")

    def _is_back(self) -> bool:
        pod = self._pod()
        ready = bool(pod["status"]["containerStatuses"][0]["ready"])
        return ready and _container(pod) not in self._killed

    def _keep_words(self, pod: JsonObject, *, previous: bool) -> None:
        which = ["--previous"] if previous else []
        where = ("-n", NAMESPACE, f"--since-time={self._since}")
        done = self._kubectl.attempt("logs", pod["metadata"]["name"], *where, *which)
        self._words.append(done.stdout)

    def _pod(self) -> JsonObject:
        deadline = time.monotonic() + _PATIENCE
        while True:
            pods = self._kubectl.list("pod", namespace=NAMESPACE, selector=PODS)
            standing = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
            found = standing if len(standing) < 2 else self._leading(standing)
            if found and found[0]["status"].get("containerStatuses"):
                return found[0]
            if time.monotonic() > deadline:
                raise AssertionError(f"there is no operator's pod in {NAMESPACE}")
            time.sleep(0.5)

    def _leading(self, pods: list[JsonObject]) -> list[JsonObject]:
        """The one that holds the Lease; none while nobody does."""
        lease = self._kubectl.find("lease", NAME, namespace=NAMESPACE) or {"spec": {}}
        holder = lease["spec"].get("holderIdentity", "").partition("_")[0]
        return [pod for pod in pods if pod["metadata"]["name"] == holder]


def _container(pod: JsonObject) -> str:
    return str(pod["status"]["containerStatuses"][0].get("containerID", "")).rpartition("/")[2]


def _processes(container: str) -> list[int]:
    """Ids of the container's processes, as far as they run on this machine and may be ended from here."""
    if not container or os.geteuid() != 0:
        return []
    return [
        int(folder.name)
        for folder in _PROC.iterdir()
        if folder.name.isdigit() and _runs_in(folder, container)
    ]


def _runs_in(process: Path, container: str) -> bool:
    try:
        return container in (process / "cgroup").read_text()
    except OSError:  # it has ended
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _concerns(line: str, namespace: str) -> bool:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return True
    return not isinstance(record, dict) or record.get("namespace", namespace) == namespace
