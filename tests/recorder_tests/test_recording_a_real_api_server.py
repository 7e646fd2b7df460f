"""The recorder against a real kube-apiserver and etcd: nothing lost, nothing twice, and losses admitted."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recorder import connection, invariants, journal, kinds, report, switches
from tests.recorder.columns import Sampler
from tests.recorder.history import History
from tests.recorder.journal import Line
from tests.recorder.metadata import Key
from tests.recorder.objects import Deployment
from tests.recorder.watch import Recorder, RecorderError
from tests.recorder_tests.control_plane import ControlPlane, control_plane_or_skip, write_kubeconfig
from tests.recorder_tests.cut_line import CutLine
from tests.recorder_tests.rollout_by_hand import install_crd, until

pytestmark = pytest.mark.cluster

_MODEL = json.loads(
    """{"apiVersion": "slipway.dev/v1alpha1", "kind": "InferenceModel", "metadata": {"name": "sentiment"},
        "spec": {"version": "1", "source": {"uri": "s3://models/sentiment/1"}}}"""
)
_LABELS = {"slipway.dev/model": "sentiment"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    plane = control_plane_or_skip(tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        install_crd(plane.kubectl)
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    name = f"n-{abs(hash(request.node.name)) % 10**8}"
    plane.kubectl.run("create", "namespace", name)
    return name


def _service(name: str, selector: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": _LABELS}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": selector, "ports": [{"port": 80}]},
    }


def _deployment(name: str, revision: str) -> dict[str, Any]:
    labels = {**_LABELS, "slipway.dev/revision": revision, "slipway.dev/version": "1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "runtime", "image": "slipway.local/runtime:1"}]},
            },
        },
    }


def _names(history: History, line: Line, kind: str) -> list[str]:
    return [c.key.name for c in history.changes if c.type is line and c.key.kind == kind]


def test_everything_that_happened_is_in_the_recording(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    file, kubectl = tmp_path / "history.jsonl", plane.kubectl
    kubectl.apply(_service("before", {"app": "before"}), namespace=namespace)
    with Recorder(plane.kubeconfig, file, namespaces=[namespace]):
        kubectl.apply(_MODEL, namespace=namespace)
        kubectl.apply(_deployment("sentiment-aaaaaaaaaa", "aaaaaaaaaa"), namespace=namespace)
        kubectl.patch("deployment", "sentiment-aaaaaaaaaa", {"spec": {"replicas": 3}}, namespace=namespace)
        kubectl.apply(
            _service("sentiment", {**_LABELS, "slipway.dev/revision": "aaaaaaaaaa"}),
            namespace=namespace,
            field_manager="slipway-traffic",
        )
        kubectl.apply(
            _service("sentiment", {**_LABELS, "slipway.dev/revision": "bbbbbbbbbb"}),
            namespace=namespace,
            field_manager="slipway-traffic",
        )
        kubectl.delete("service", "before", namespace=namespace)
        kubectl.apply(_service("elsewhere", {"app": "x"}), namespace="default")
    history = History.load(file)

    assert not history.gaps
    assert _names(history, Line.LISTED, "Service") == ["before"]
    assert _names(history, Line.ADDED, "Service") == ["sentiment"]
    assert _names(history, Line.DELETED, "Service") == ["before"]
    assert _names(history, Line.ADDED, "InferenceModel") == ["sentiment"]
    deployments = [m.object for m in history.moments() if isinstance(m.object, Deployment)]
    assert [d.replicas for d in deployments] == [2, 3]
    assert deployments[0].template == deployments[1].template
    (switch,) = switches.of(history)
    assert (switch.origin, switch.to) == ("aaaaaaaaaa", "bbbbbbbbbb")
    assert switch.by == {"slipway-traffic"}
    assert "aaaaaaaaaa -> bbbbbbbbbb" in report.render(history, invariants.check(history))
    selector_marks = [
        m.owns_selector for m in history.at_end().objects[Key("Service", namespace, "sentiment")].meta.marks
    ]
    assert selector_marks == [True]


def test_the_writer_of_each_change_is_told_apart(plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    file, kubectl = tmp_path / "history.jsonl", plane.kubectl
    name = "sentiment-aaaaaaaaaa"
    with Recorder(plane.kubeconfig, file, namespaces=[namespace], observed=[kinds.DEPLOYMENT]):
        kubectl.apply(_deployment(name, "aaaaaaaaaa"), namespace=namespace, field_manager="slipway")
        for replicas in (3, 4):
            kubectl.patch("deployment", name, {"spec": {"replicas": replicas}}, namespace=namespace)
        kubectl.run("-n", namespace, "scale", f"deployment/{name}", "--replicas=5")
        kubectl.run("-n", namespace, "label", "deployment", name, "a=b", "--field-manager=slipway-traffic")

    written = [set(moment.writers) for moment in History.load(file).moments()]
    assert [written[0], written[1], written[3]] == [{"slipway"}, {"kubectl-patch"}, {"kubectl"}]
    assert written[4] == {"slipway-traffic"}
    # The second write of one manager, perhaps within the second of the first: others of that second too.
    assert "kubectl-patch" in written[2]


def test_a_kubeconfig_with_a_command_for_the_credentials_will_do(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    kubeconfig, file = tmp_path / "kubeconfig", tmp_path / "history.jsonl"
    body = json.loads(plane.kubeconfig.read_text())
    version = "client.authentication.k8s.io/v1"
    answer = {
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": {"token": body["users"][0]["user"]["token"]},
    }
    command = {
        "apiVersion": version,
        "command": "echo",
        "args": [json.dumps(answer)],
        "interactiveMode": "Never",
    }
    body["users"][0]["user"] = {"exec": command}
    kubeconfig.write_text(json.dumps(body))

    with Recorder(kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE]):
        pass
    assert not History.load(file).gaps


def test_what_is_written_right_before_the_end_is_recorded(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    for number in range(5):
        file = tmp_path / f"{number}.jsonl"
        with Recorder(plane.kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE]):
            plane.kubectl.apply(_service(f"last-{number}", {"app": "x"}), namespace=namespace)
        assert _names(History.load(file), Line.ADDED, "Service") == [f"last-{number}"]


@pytest.mark.parametrize("fault", ["renewed", "cut"])
def test_a_watch_that_ends_goes_on_without_a_loss_or_a_double(
    plane: ControlPlane, namespace: str, tmp_path: Path, fault: str
) -> None:
    file, line = tmp_path / "history.jsonl", CutLine(plane.port)
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, line.port, plane.folder / "pki" / "apiserver.crt")
    recorder = Recorder(
        kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE, kinds.DEPLOYMENT], renewal=1
    )
    with recorder:
        writing = threading.Thread(target=_write_services, args=(plane, namespace, 25))
        writing.start()
        cuts = 0
        while writing.is_alive():
            cuts += line.cut() if fault == "cut" else 0
            time.sleep(0.25)
        writing.join()
    line.close()
    history = History.load(file)

    assert not history.gaps
    assert Counter(_names(history, Line.ADDED, "Service")) == {f"s-{n}": 1 for n in range(25)}
    assert fault == "renewed" or cuts > 3


def _write_services(plane: ControlPlane, namespace: str, count: int) -> None:
    for number in range(count):
        plane.kubectl.apply(_service(f"s-{number}", {"app": "x"}), namespace=namespace)


def test_what_etcd_has_forgotten_becomes_a_gap_that_fails_the_run(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    file, kubectl = tmp_path / "history.jsonl", plane.kubectl
    kubectl.apply(_service("stays", {"app": "x"}), namespace=namespace)
    line = CutLine(plane.port)
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, line.port, plane.folder / "pki" / "apiserver.crt")
    recorder = Recorder(kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE])
    recorder.start()
    kubectl.apply(_service("goes", {"app": "x"}), namespace=namespace)
    until(lambda: '"goes"' in file.read_text())
    line.close()  # the recorder is deaf from here
    kubectl.delete("service", "goes", namespace=namespace)
    kubectl.apply(_service("comes", {"app": "x"}), namespace=namespace)
    plane.stop_apiserver()
    _restart_without_memory(plane)
    line = CutLine(plane.port, listen=line.port)
    until(lambda: '"GAP"' in file.read_text())
    recorder.stop()
    line.close()
    history = History.load(file)

    assert [gap.kind for gap in history.gaps] == ["Service"]
    assert "410" in history.gaps[0].reason
    assert {key.name for key in history.at_end().objects} == {"stays", "comes"}
    assert "incomplete" in str(invariants.check(history)[0])
    assert "INCOMPLETE" in report.render(history, [])


def _restart_without_memory(plane: ControlPlane) -> None:
    plane.compact()
    plane.start_apiserver()


def test_an_api_server_that_is_gone_at_the_end_is_a_gap(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    line = CutLine(plane.port)
    kubeconfig, file = tmp_path / "kubeconfig", tmp_path / "history.jsonl"
    write_kubeconfig(kubeconfig, line.port, plane.folder / "pki" / "apiserver.crt")
    recorder = Recorder(kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE])
    recorder.start()
    line.close()
    recorder.stop(timeout=5)

    assert "could not be completed" in History.load(file).gaps[0].reason


def test_an_unknown_kind_stops_the_start_with_a_sentence(plane: ControlPlane, tmp_path: Path) -> None:
    unknown = kinds.Kind("Ship", "/apis/slipway.dev/v1alpha1/ships")
    recorder = Recorder(plane.kubeconfig, tmp_path / "history.jsonl", observed=[kinds.SERVICE, unknown])

    with pytest.raises(RecorderError, match=r"Ship could not be listed and watched: .*404"):
        recorder.start()


def test_a_connection_that_cannot_be_made_is_named(tmp_path: Path, plane: ControlPlane) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, 1, plane.folder / "pki" / "apiserver.crt")
    api = connection.ApiServer(kubeconfig)

    with pytest.raises(connection.ApiError, match="/api/v1/services"):
        api.list(kinds.SERVICE)
    api.close()


def test_a_recorder_that_was_killed_leaves_a_history_that_says_so(
    plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    file = tmp_path / "history.jsonl"
    with Recorder(plane.kubeconfig, file, namespaces=[namespace], observed=[kinds.SERVICE, kinds.POD]):
        pass
    whole = [e for e in journal.read(file) if e.type is not Line.ENDED]
    file.write_text("".join(e.text() + "\n" for e in whole) + '{"at": "2026-0')

    assert {gap.kind for gap in History.load(file).gaps} == {"Service", "Pod"}


def test_the_columns_of_a_real_kubectl_are_read_as_they_are_printed(
    plane: ControlPlane, namespace: str
) -> None:
    plane.kubectl.apply(_MODEL, namespace=namespace)
    with Sampler(plane.kubectl.run, namespace=namespace, name="sentiment", interval=0.1) as sampler:
        until(lambda: len(sampler.samples) > 1)
    plane.kubectl.patch(
        "inferencemodel",
        "sentiment",
        {"status": {"activeVersion": "1", "rollout": {"step": "Complete"}, "readyReplicas": 2}},
        namespace=namespace,
        subresource="status",
    )
    with Sampler(plane.kubectl.run, namespace=namespace, name="sentiment") as later:
        pass

    first, last = sampler.samples[0].row, later.samples[-1].row
    assert first is not None
    assert last is not None
    assert (first["VERSION"], first["ACTIVE"], first["STEP"]) == ("1", "", "")
    assert (last["ACTIVE"], last["TARGET"], last["REPLICAS"], last["STEP"]) == ("1", "", "2", "Complete")
