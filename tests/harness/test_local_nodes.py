"""A cluster of local nodes is a real Kubernetes: pods, Services, names, logs and GPUs behave as anywhere."""

import time
from pathlib import Path

import pytest

from tests.cluster import archive
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import JsonObject, KubectlError
from tests.cluster.local import node, processes, teardown
from tests.cluster.local.provider import LocalCluster

pytestmark = pytest.mark.cluster

IMAGE = "slipway.local/busybox:1"
BUSYBOX = Path("/bin/busybox")
NAME = "web.default.svc.cluster.local"
SERVE = 'echo "started on $NODE"; hostname > /tmp/index.html; exec /bin/busybox httpd -f -p 8080 -h /tmp'


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("image") / "busybox.tar"
    programs = dict.fromkeys(("/bin/busybox", "/bin/sh", "/bin/hostname", "/bin/wget"), BUSYBOX)
    archive.write(file, reference=IMAGE, files=programs, entrypoint=["/bin/sh", "-c"])
    return file


@pytest.fixture(scope="module")
def served(second: LocalCluster, image: Path) -> LocalCluster:
    """A web server on each node, behind one Service."""
    second.load_image(image, IMAGE)
    pods = [_pod(f"web-{number}", f"node-{number}") for number in (1, 2)]
    second.kubectl.apply([_service(), *pods])
    second.kubectl.wait("condition=Ready", "pod", "-l", "app=web", timeout=60)
    return second


def test_both_nodes_are_ready_and_named_in_order(second: LocalCluster) -> None:
    assert second.nodes() == ["node-1", "node-2"]
    assert second.healthy(2)


def test_a_second_up_starts_nothing_and_takes_a_moment(second: LocalCluster) -> None:
    before = processes.load(second.layout.record)
    began = time.monotonic()
    second.up(2)
    assert time.monotonic() - began < 10
    assert processes.load(second.layout.record) == before


def test_an_image_is_loaded_into_every_node_once(second: LocalCluster, image: Path) -> None:
    second.load_image(image, IMAGE)
    for number in (1, 2):
        assert not node.load(second.layout.node(number), image, IMAGE)


def test_an_archive_that_holds_another_image_is_refused_by_name(second: LocalCluster, image: Path) -> None:
    with pytest.raises(ClusterError, match=r"there is no image slipway\.local/other:1 in it"):
        second.load_image(image, "slipway.local/other:1")


@pytest.mark.parametrize("client", ["web-1", "web-2"])
def test_a_pod_resolves_a_service_and_reaches_the_pods_of_both_nodes(
    served: LocalCluster, client: str
) -> None:
    address = served.kubectl.get("service", "web", namespace="default")["spec"]["clusterIP"]
    assert address in _sh(served, client, f"/bin/busybox nslookup {NAME}")
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | /bin/busybox nc -w 3 {address} 80"
    deadline = time.monotonic() + 30
    answers: set[str] = set()
    while answers != {"web-1", "web-2"} and time.monotonic() < deadline:
        # A refusal is no failure yet: a node learns of a new Service a moment after the API server.
        answers |= set(_sh(served, client, request).splitlines()[-1:])
    assert answers == {"web-1", "web-2"}


def test_a_program_of_the_machine_runs_in_a_nodes_network(served: LocalCluster) -> None:
    address = served.kubectl.get("service", "web", namespace="default")["spec"]["clusterIP"]
    done = served.run_in_node_network("node-2", ["busybox", "wget", "-q", "-O", "-", f"http://{address}/"])
    assert done.stdout.strip() in {"web-1", "web-2"}


def test_the_log_of_a_pod_can_be_read(served: LocalCluster) -> None:
    assert served.kubectl.run("logs", "web-2").strip() == "started on node-2"


def test_a_pod_that_wants_more_gpus_than_there_are_waits(second: LocalCluster, image: Path) -> None:
    second.load_image(image, IMAGE)
    second.set_gpus("node-1", 2)
    second.set_gpus("node-2", 0)
    fits, waits = _gpu_pod("fits", 2), _gpu_pod("waits", 1)
    second.kubectl.apply(fits)
    second.kubectl.wait("condition=Ready", "pod/fits", timeout=60)
    second.kubectl.apply(waits)
    second.kubectl.wait("jsonpath={.status.conditions[0].reason}=Unschedulable", "pod/waits")
    second.kubectl.run("delete", "pod", "fits", "waits", "--now", timeout=60)


def test_kubectl_tells_a_missing_object_from_another_failure(second: LocalCluster) -> None:
    assert second.kubectl.find("pod", "nobody", namespace="default") is None
    with pytest.raises(KubectlError) as missing:
        second.kubectl.get("pod", "nobody", namespace="default")
    assert missing.value.not_found
    with pytest.raises(KubectlError, match="nonsense") as unknown:
        second.kubectl.get("nonsense", "nobody")
    assert not unknown.value.not_found


def test_up_repairs_a_cluster_whose_kubelet_died_and_down_leaves_nothing(second: LocalCluster) -> None:
    started = processes.load(second.layout.record)
    kubelet = next(process for process in started if process.name == "node-2-kubelet")
    processes.end([kubelet], grace=0)
    assert not second.healthy(2)

    second.up(2)
    assert second.healthy(2)
    assert not any(process.alive for process in started)

    second.down()
    assert teardown.leftovers(second.layout) == []
    assert {entry.name for entry in second.layout.state.iterdir()} <= set(teardown.KEPT)
    second.down()


def _sh(cluster: LocalCluster, pod: str, script: str) -> str:
    return cluster.kubectl.attempt("exec", pod, "--", "/bin/sh", "-c", script).stdout


def _pod(name: str, where: str) -> JsonObject:
    container = {
        "name": "web",
        "image": IMAGE,
        "args": [SERVE],
        "env": [{"name": "NODE", "value": where}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {"nodeName": where, "containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _service() -> JsonObject:
    metadata = {"name": "web", "namespace": "default", "labels": {"app": "web"}}
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _gpu_pod(name: str, gpus: int) -> JsonObject:
    limits = {"nvidia.com/gpu": str(gpus)}
    container = {"name": "busy", "image": IMAGE, "args": ["exec /bin/busybox sleep 600"]}
    spec = {"containers": [container | {"resources": {"limits": limits}}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
