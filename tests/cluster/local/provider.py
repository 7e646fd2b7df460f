"""Local nodes as a Cluster: brings them up, keeps what is healthy, cleans what is not.

Must not know what is tested on them.
"""

import contextlib
import http.client
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.cluster import commands, disk, gpus, packages, toolchain
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import JsonObject, Kubectl
from tests.cluster.local import certificates, control_plane, network, node, owner, pause, processes, teardown
from tests.cluster.local.layout import Layout, NodeLayout
from tests.cluster.local.processes import Record
from tests.cluster.local.waiting import until
from tests.cluster.stages import stage

MOST_NODES = 3
_PROGRAMS = (*control_plane.BINARIES, *node.BINARIES, "kubectl")


@dataclass(frozen=True, slots=True)
class LocalCluster:
    """Kubernetes with a network namespace a node; one such cluster on a machine for each prefix."""

    layout: Layout = field(default_factory=Layout)

    @property
    def description(self) -> str:
        return "local nodes"

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    @property
    def kubectl(self) -> Kubectl:
        return Kubectl(toolchain.binary("kubectl"), self.layout.kubeconfig)

    @property
    def audit_log(self) -> Path:
        return self.layout.audit

    def up(self, nodes: int = 2) -> None:
        if not 1 <= nodes <= MOST_NODES:
            raise ClusterError(f"A local cluster has 1 to {MOST_NODES} nodes, not {nodes}.")
        owner.refuse_another(self.layout)
        self.layout.check()
        self._prepare()
        with owner.alone(self.layout):
            owner.refuse_another(self.layout)
            if self.healthy(nodes):
                return
            if teardown.leftovers(self.layout):
                with stage("clean up after an earlier cluster"):
                    teardown.remove(self.layout)
            with stage(f"start {nodes} local node{'s' if nodes > 1 else ''}"):
                self._start(nodes)

    def down(self) -> None:
        with owner.alone(self.layout):
            owner.refuse_another(self.layout)
            if teardown.leftovers(self.layout):
                with stage("take the local nodes down"):
                    teardown.remove(self.layout)
            teardown.remove(self.layout)

    def healthy(self, nodes: int) -> bool:
        """Whether this clone's cluster has that many nodes, all Ready, and every program of it runs."""
        started = processes.load(self.layout.record)
        if not started or not all(process.alive for process in started):
            return False
        try:
            return self._ready_nodes() == self._names(nodes) and self._resolver_ready()
        except ClusterError:
            return False

    def status(self) -> str:
        owner.refuse_another(self.layout)
        left = teardown.leftovers(self.layout)
        if not left:
            return "no local nodes are up"
        try:
            return f"local nodes up and Ready: {', '.join(self._ready_nodes()) or 'none'}"
        except ClusterError:
            return f"a local cluster that does not answer; `down` removes {len(left)} things that it left"

    def nodes(self) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.kubectl.list("nodes"))

    def load_image(self, archive: Path, reference: str) -> None:
        members = [self._node(name) for name in self.nodes()]
        with ThreadPoolExecutor(len(members)) as pool:
            list(pool.map(lambda member: node.load(member, archive, reference), members))

    def run_in_node_network(
        self, node: str, argv: Sequence[str], *, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return commands.attempt(network.enter(self._node(node).namespace, argv), timeout=timeout)

    def set_gpus(self, node: str, count: int) -> None:
        gpus.advertise(self.kubectl, self._node(node).name, count)

    def _prepare(self) -> None:
        packages.install()
        toolchain.binaries(_PROGRAMS)
        pause.image()
        disk.require(self.layout.root, 3, "A running cluster with its images")

    def _start(self, nodes: int) -> None:
        shutil.rmtree(self.layout.logs, ignore_errors=True)
        self.layout.state.mkdir(parents=True, exist_ok=True)
        record = Record(partial(owner.write, self.layout))
        owner.write(self.layout, [])
        members = [self.layout.node(number) for number in range(1, nodes + 1)]
        with ThreadPoolExecutor(nodes + 1) as pool:
            issued = pool.submit(certificates.issue, self.layout, nodes)
            network.create(self.layout, nodes)
            runtimes = [pool.submit(node.start_runtime, member, record) for member in members]
            issued.result()
            control_plane.write_kubeconfigs(self.layout, nodes)
            control_plane.start_store(self.layout, record)
            self._until(self._api_ready, 60, "the API server answers", record)
            control_plane.start_controllers(self.layout, record)
            for runtime in runtimes:
                runtime.result()
        for member in members:
            node.start_agents(member, record)
        self._until(
            lambda: self.healthy(nodes), 90, f"all of {', '.join(self._names(nodes))} are Ready", record
        )
        self._until(self._pods_may_come, 30, "pods can be created", record)

    def _until(self, condition: Callable[[], bool], seconds: float, what: str, record: Record) -> None:
        until(condition, seconds, what, list(record.processes), self.layout.logs)

    def _api_ready(self) -> bool:
        return self.kubectl.attempt("get", "--raw", "/readyz", timeout=10).returncode == 0

    def _pods_may_come(self) -> bool:
        return self.kubectl.find("serviceaccount", "default", namespace="default") is not None

    def _ready_nodes(self) -> list[str]:
        return sorted(item["metadata"]["name"] for item in self.kubectl.list("nodes") if _is_ready(item))

    def _resolver_ready(self) -> bool:
        # Not by urllib, which would ask the environment's proxy.
        connection = http.client.HTTPConnection(self.layout.node(1).address, 8181, timeout=2)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/ready")
                return connection.getresponse().status == 200
            except OSError:
                return False

    def _names(self, nodes: int) -> list[str]:
        return [self.layout.node(number).name for number in range(1, nodes + 1)]

    def _node(self, name: str) -> NodeLayout:
        for number in range(1, MOST_NODES + 1):
            if self.layout.node(number).name == name and self.layout.node(number).folder.is_dir():
                return self.layout.node(number)
        raise ClusterError(f"There is no node {name} in this cluster.")


def _is_ready(item: JsonObject) -> bool:
    conditions = item.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
