"""What the API server and the operator's own metrics say is read as it is, and what is not said is told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import prometheus_client
import pytest

from slipway_operator.telemetry import metrics
from tests.cluster.kubectl import JsonObject, Kubectl
from tests.cluster.release import NAMESPACE
from tests.proof import sampling
from tests.proof.at_rest import due, samples
from tests.proof.rest_verdict import Plan
from tests.recorder_tests.control_plane import ControlPlane, control_plane_or_skip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = {"app.kubernetes.io/name": "slipway-operator"}


def test_the_operators_own_metrics_tell_its_memory_its_time_and_its_reads() -> None:
    """As the operator writes them, with the names that it has for them."""
    before = reads()
    for verb, count in (("get", 3), ("list", 2), ("patch", 7)):
        metrics.API_REQUESTS.labels(verb, "Lease", "200").inc(count)
    found = sampling.of_metrics(prometheus_client.generate_latest().decode())
    assert reads() - before == 5
    assert isinstance(found["rss"], float)
    assert found["rss"] > 2**20
    assert isinstance(found["cpu"], float)
    assert found["cpu"] > 0


def reads() -> float:
    found = sampling.of_metrics(prometheus_client.generate_latest().decode())["reads"]
    assert isinstance(found, int | float)
    return found


def test_an_api_server_that_cannot_be_asked_is_told_and_not_fatal(tmp_path: Path) -> None:
    sample = sampling.look(Kubectl(Path("/bin/false"), tmp_path / "none"), now=NOW, seconds=30)
    assert sample.life is None
    assert sample.rss is None
    assert "failed" in sample.problem
    assert "\n" not in sample.problem


def test_each_look_is_written_down_at_once_and_the_last_comes_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, told, renewed = tmp_path / "samples.jsonl", list[int](), list[int]()
    kubectl = Kubectl(Path("/bin/false"), tmp_path / "none")

    def tell(_: str) -> None:
        told.append(len(file.read_text().splitlines()))

    taken = samples(kubectl, file, Plan(seconds=0.9, every=0.3), tell=tell, renewed=lambda: renewed.append(1))
    assert told == list(range(1, len(taken) + 1))
    assert taken[-1].seconds >= 0.9
    assert all(sample.seconds < 0.9 for sample in taken[:-1])
    assert "was not answered" in capsys.readouterr().err
    assert renewed == []


@pytest.mark.parametrize(
    ("last", "next_at"),
    [(0.0, 30.0), (30.0, 60.0), (59.9, 60.0), (75.0, 90.0), (3590.0, 3600.0)],
    ids=["in time", "again", "early", "a look that took longer", "the last"],
)
def test_looks_keep_their_time_whatever_each_takes(last: float, next_at: float) -> None:
    assert due([sampling.Sample(at="", seconds=last)], Plan()) == next_at


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real API server."""
    plane = control_plane_or_skip(tmp_path_factory.mktemp("plane"))
    try:
        plane.start()
        plane.kubectl.run("create", "namespace", NAMESPACE)
        yield plane
    finally:
        plane.stop()


@pytest.mark.cluster
def test_a_real_api_server_tells_of_restarts_and_of_failed_probes(plane: ControlPlane) -> None:
    kubectl = plane.kubectl
    kubectl.apply(pod("operator"))
    say_runs(kubectl, "containerd://abc", restarts=4)
    uid = kubectl.get("pod", "operator", namespace=NAMESPACE)["metadata"]["uid"]
    said = "Liveness probe failed: HTTP probe failed with statuscode: 503"
    for number, (reason, words, of) in enumerate(
        [
            ("Unhealthy", said, uid),
            ("Unhealthy", "Readiness probe failed: no", uid),
            ("Killing", said, uid),
            ("Unhealthy", said, "another pod's"),
        ]
    ):
        kubectl.apply(event(number, reason, words, of))
    found = sampling.look(kubectl, now=NOW, seconds=60)
    assert found.life == (uid, "containerd://abc")
    assert found.restarts == 4
    assert found.liveness is not None
    assert list(found.liveness.values()) == [6]
    assert found.rss is None  # nothing runs here that could be asked
    assert f"pods/operator:{sampling.METRICS_PORT}/proxy/metrics" in found.problem


@pytest.mark.cluster
def test_another_process_is_noticed_once(plane: ControlPlane, tmp_path: Path) -> None:
    kubectl, renewed = plane.kubectl, list[int]()
    kubectl.apply(pod("operator"))
    say_runs(kubectl, "containerd://one", restarts=4)
    taken = samples(
        kubectl,
        tmp_path / "samples.jsonl",
        Plan(seconds=2.5, every=0.5),
        tell=lambda _: say_runs(kubectl, "containerd://two", restarts=5),
        renewed=lambda: renewed.append(1),
    )
    assert len(renewed) == 1
    assert [sample.restarts for sample in (taken[0], taken[-1])] == [4, 5]


@pytest.mark.cluster
def test_two_operators_cannot_be_told_apart_and_that_is_told(plane: ControlPlane) -> None:
    plane.kubectl.apply([pod("operator"), pod("second")])
    try:
        found = sampling.look(plane.kubectl, now=NOW, seconds=60)
    finally:
        plane.kubectl.run("delete", "pod", "second", "-n", NAMESPACE, "--grace-period=0", "--force")
    assert found.life is None
    assert found.problem.startswith(f"2 pods of the operator stand in {NAMESPACE}")


def say_runs(kubectl: Kubectl, container: str, *, restarts: int) -> None:
    """What a kubelet would say of the operator's pod."""
    status = {"name": "operator", "image": "x", "imageID": "", "ready": True, "restartCount": restarts}
    ran = {"containerStatuses": [{**status, "containerID": container}]}
    kubectl.patch("pod", "operator", {"status": ran}, namespace=NAMESPACE, subresource="status")


def pod(name: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"containers": [{"name": "operator", "image": "x"}]},
    }


def event(number: int, reason: str, message: str, uid: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"event-{number}", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": "operator", "uid": uid},
        "reason": reason,
        "message": message,
        "type": "Warning",
        "count": 6,
    }
