"""`python -m tests.cluster.dev`: this checkout's operator as a local process, until Ctrl-C.

The chart's operator stands back meanwhile, and returns however this ends. Its settings are those of the
chart's Deployment, but for what a process on this machine needs to differ in. Must not know what the
operator does.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from tests.cluster import paths, selection
from tests.cluster.errors import ClusterError
from tests.cluster.interface import Cluster
from tests.cluster.kubectl import JsonObject, Kubectl
from tests.cluster.release import NAME, NAMESPACE
from tests.cluster.stages import say, stage

PODS = ("pod", "-l", f"app.kubernetes.io/name=slipway-operator,app.kubernetes.io/instance={NAME}")
PORTS = ("SLIPWAY_HEALTH_PORT", "SLIPWAY_METRICS_PORT")
PATIENCE = 60.0


def main() -> int:
    """The exit status: the operator's own, 1 an expected failure that was explained, 130 interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must bring the chart's back too
        signal.signal(number, _interrupt)
    try:
        return _develop(selection.choose())
    except ClusterError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def environment(deployment: Mapping[str, Any], ports: Mapping[str, int]) -> dict[str, str]:
    """The operator's settings in the cluster, as a process on this machine needs them."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    settings = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    own = {
        "SLIPWAY_NAMESPACE": deployment["metadata"]["namespace"],
        "SLIPWAY_POD_NAME": socket.gethostname(),
        "SLIPWAY_LOG_FORMAT": "console",
    }
    return settings | own | {name: str(port) for name, port in ports.items()}


def _develop(cluster: Cluster) -> int:
    kubectl = cluster.kubectl
    deployment = _deployment(kubectl)
    ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
    with _chart_stands_back(kubectl):
        say(
            f"The operator of this checkout runs; Ctrl-C ends it. Metrics: http://127.0.0.1:{ports[PORTS[1]]}/"
        )
        return _run(environment(deployment, ports) | {"KUBECONFIG": str(cluster.kubeconfig)})


def _deployment(kubectl: Kubectl) -> JsonObject:
    found = kubectl.find("deployment", NAME, namespace=NAMESPACE)
    if found is None:
        raise ClusterError(f"There is no Deployment {NAMESPACE}/{NAME}: run `make cluster` first.")
    return found


@contextmanager
def _chart_stands_back(kubectl: Kubectl) -> Iterator[None]:
    """Two operators at once would write over each other: one goes before the other comes."""
    try:
        with stage("the chart's operator stands back"):
            _scale(kubectl, 0)
            kubectl.wait("delete", *PODS, namespace=NAMESPACE, timeout=PATIENCE)
        yield
    finally:
        # Also for the kubectl started here: an impatient second Ctrl-C must not leave no operator at all.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with stage("the chart's operator is back"):
            _scale(kubectl, 1)
            where = ("-n", NAMESPACE, f"--timeout={PATIENCE:g}s")
            kubectl.run("rollout", "status", f"deployment/{NAME}", *where, timeout=PATIENCE + 10)


def _scale(kubectl: Kubectl, replicas: int) -> None:
    kubectl.run("scale", f"deployment/{NAME}", "-n", NAMESPACE, f"--replicas={replicas}")


def _run(settings: Mapping[str, str]) -> int:
    """The operator's exit status."""
    # In a session of its own: Ctrl-C reaches only us, and it gets the one signal that a pod would get.
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway_operator"],
        cwd=paths.ROOT,
        env=os.environ | settings,
        start_new_session=True,
    )
    try:
        return process.wait()
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on; held together until all are found, so that they differ."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("", 0))
        return [found.getsockname()[1] for found in sockets]


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
