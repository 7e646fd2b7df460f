"""While a pod starts: what its probes say, what its routes say, and how it leaves when it is told to."""

import asyncio
import concurrent.futures
import contextlib
import pathlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from slipway_runtime.lifecycle import Lifecycle, Phase
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import probes
from tests.runtime import bundles, graphs, grpc_clients, processes
from tests.runtime.processes import RuntimeProcess


@pytest.fixture
def downloading(tmp_path: pathlib.Path) -> Iterator[RuntimeProcess]:
    """A process whose storage has taken its connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "MODEL_URI": "s3://models/sentiment/1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        with processes.starting(tmp_path, **environment) as process:
            silent.settimeout(20)
            with silent.accept()[0]:
                yield process


@pytest.fixture
def warming_up(tmp_path: pathlib.Path) -> Iterator[RuntimeProcess]:
    """A process inside a warm-up that keeps every processor busy for seconds."""
    bundles.write(tmp_path / "bundle", bundles.BundleOptions(work=4_000))
    with processes.starting(tmp_path / "run", MODEL_URI=(tmp_path / "bundle").as_uri()) as process:
        process.wait_for_phase("WarmingUp")
        yield process


@contextlib.contextmanager
def _loading(tmp_path: pathlib.Path, additions: int) -> Iterator[RuntimeProcess]:
    """A process with a model that takes long to be loaded: on trial first, then in the process itself."""
    (tmp_path / "bundle").mkdir()
    with (tmp_path / "bundle" / "notes.bin").open("wb") as file:
        file.truncate(64 << 20)  # so that a trial may take as much memory as it needs
    bundles.write_model(tmp_path / "bundle", graphs.long_to_load(additions))
    with processes.starting(tmp_path / "run", MODEL_URI=(tmp_path / "bundle").as_uri()) as process:
        process.wait_for_phase("Loading")
        yield process


def test_a_loading_pod_is_alive_and_not_ready(downloading: RuntimeProcess) -> None:
    ready = httpx.get(f"{downloading.probes_url}/readyz")

    assert (ready.status_code, ready.json()) == (503, {"ready": False, "phase": "Downloading"})
    assert httpx.get(f"{downloading.probes_url}/livez").status_code == 200
    assert "slipway_connections_open 0.0" in httpx.get(f"{downloading.probes_url}/metrics").text


def test_a_loading_pod_says_on_its_routes_that_it_loads(downloading: RuntimeProcess) -> None:
    health = httpx.get(f"{downloading.url}/health")
    answer = downloading.predict("good")

    assert (health.status_code, health.json()["model_loaded"], health.json()["phase"]) == (
        200,
        False,
        "Downloading",
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "NotReady")
    assert int(answer.headers["retry-after"]) > 0
    assert downloading.metric('requests_total{endpoint="/v1/predict",status="503"}') == 1


def test_a_pod_that_downloads_leaves_at_once_when_told_to(downloading: RuntimeProcess) -> None:
    downloading.terminate()

    assert downloading.wait_for_end(timeout=10).code == 0


def test_a_pod_that_warms_up_stays_alive_and_leaves_at_once_when_told_to(warming_up: RuntimeProcess) -> None:
    for _ in range(5):
        alive = httpx.get(f"{warming_up.probes_url}/livez", timeout=20)
        assert alive.json()["main_loop_silent_seconds"] < 3
        time.sleep(0.1)

    warming_up.terminate()

    assert warming_up.wait_for_end(timeout=10).code == 0


@pytest.mark.parametrize("into", [0.0, 1.0], ids=["at its beginning", "in the middle of it"])
def test_a_pod_with_a_model_on_trial_leaves_at_once_and_takes_the_trial_with_it(
    tmp_path: pathlib.Path, into: float
) -> None:
    with _loading(tmp_path, 90_000) as process:
        _wait(lambda: len(_children(process.pid)) == 1)
        [trial] = _children(process.pid)
        _wait(lambda: b"trial_program" in _command(trial))
        time.sleep(into)
        process.terminate()

        assert process.wait_for_end(timeout=10).code == 0
        _wait(lambda: b"trial_program" not in _command(trial), patience=5)  # alone it would take longer


def test_a_pod_that_makes_its_session_leaves_at_once_when_told_to(tmp_path: pathlib.Path) -> None:
    with _loading(tmp_path, 50_000) as process:
        _wait(lambda: len(_children(process.pid)) == 1)
        _wait(lambda: not _children(process.pid))
        alive = httpx.get(f"{process.probes_url}/livez", timeout=20)
        assert alive.json()["main_loop_silent_seconds"] < 3
        assert httpx.get(f"{process.probes_url}/readyz").json()["phase"] == "Loading"
        process.terminate()

        assert process.wait_for_end(timeout=10).code == 0


def test_a_pod_that_answers_its_examples_leaves_at_once_when_told_to(tmp_path: pathlib.Path) -> None:
    example = {"text": "good", "label": "positive", "score": bundles.score("good")}
    bundles.write(
        tmp_path / "bundle", bundles.BundleOptions(work=2000, max_tokens=8, goldens=[example] * 1000)
    )
    with processes.starting(tmp_path / "run", MODEL_URI=(tmp_path / "bundle").as_uri()) as process:
        process.wait_for_phase("Verifying")
        process.terminate()

        assert process.wait_for_end(timeout=10).code == 0
    assert "ready" not in [entry["message"] for entry in process.log]


def _children(pid: int) -> list[int]:
    lists = [path.read_text() for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for found in lists for child in found.split()]


def _command(pid: int) -> bytes:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _wait(condition: Callable[[], bool], *, patience: float = 30) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_pod_that_still_imports_leaves_at_once_when_told_to(tmp_path: pathlib.Path) -> None:
    with processes.starting(tmp_path, MODEL_URI="s3://models/sentiment/1") as process:
        _wait_until_handled(process.pid)
        process.terminate()
        ending = process.wait_for_end(timeout=10)

    assert ending.code == 0
    assert process.log == []


def _wait_until_handled(pid: int) -> None:
    """Until the process handles SIGTERM (signal 15): from then on it must not need to be killed."""
    with contextlib.suppress(FileNotFoundError):
        while True:
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
            if caught & 1 << 14:
                return
            time.sleep(0.002)


def test_unknown_paths_of_the_probes_port_say_what_there_is(downloading: RuntimeProcess) -> None:
    reply = httpx.get(f"{downloading.probes_url}/")

    assert (reply.status_code, reply.text) == (404, "/livez, /readyz and /metrics are served here\n")


def test_a_main_loop_that_is_silent_for_too_long_fails_liveness(
    tmp_path: pathlib.Path, bundle: pathlib.Path
) -> None:
    with processes.running(tmp_path, bundle, SLIPWAY_LIVENESS_SILENCE_SECONDS="0.01") as process:
        # The heart beats twice a second, so a tolerance of 10 ms sees every pause between two beats.
        statuses = {httpx.get(f"{process.probes_url}/livez").status_code for _ in range(20)}

    assert 503 in statuses


def test_a_run_that_does_not_come_back_fails_readiness_until_it_is_ended(tmp_path: pathlib.Path) -> None:
    bundles.write_model(tmp_path / "counter", graphs.counter())
    endless = {"inputs": [{"name": "steps", "datatype": "INT64", "shape": [], "data": [10**15]}]}
    environment = {"SLIPWAY_MAX_RUN_SECONDS": "13", "SLIPWAY_REQUEST_TIMEOUT_SECONDS": "60"}
    with (
        processes.running(tmp_path / "run", tmp_path / "counter", **environment) as process,
        concurrent.futures.ThreadPoolExecutor(1) as client,
    ):
        url = f"{process.url}/v2/models/model/infer"
        answer = client.submit(httpx.post, url, json=endless, timeout=40)
        _wait_for_readiness(process, 503)
        assert httpx.get(f"{process.probes_url}/livez").json()["run_overdue"] >= 1
        assert _says_ready(process) == {"REST": False, "gRPC": False, "grpc.health": False}
        assert answer.result().status_code == 500
        _wait_for_readiness(process, 200)
        assert _says_ready(process) == {"REST": True, "gRPC": True, "grpc.health": True}


def _says_ready(process: RuntimeProcess) -> dict[str, bool]:
    """What every protocol's word for readiness is at the moment."""
    with grpc_clients.channel(process.grpc_port) as channel:
        said = service_pb2_grpc.GRPCInferenceServiceStub(channel).ServerReady(
            service_pb2.ServerReadyRequest()
        )
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    reply = httpx.get(f"{process.url}/v2/health/ready")
    assert reply.json()["ready"] is (reply.status_code == 200)
    return {
        "REST": reply.json()["ready"],
        "gRPC": said.ready,
        "grpc.health": health.status == health_pb2.HealthCheckResponse.SERVING,
    }


@pytest.mark.parametrize(
    ("overdue", "ready", "alive"),
    [(0.0, True, True), (0.9, True, True), (1.0, False, True), (2.9, False, True), (3.0, False, False)],
    ids=["no run", "a long run", "stuck", "stuck for long", "lost"],
)
def test_how_late_a_run_is_decides_readiness_first_and_liveness_later(
    overdue: float, *, ready: bool, alive: bool
) -> None:
    lifecycle = Lifecycle(lambda _now: overdue)
    lifecycle.phase = Phase.READY
    said = probes.Probes(lifecycle, Metrics(), max_silence=20)

    assert (_status(said, "/readyz") == 200, _status(said, "/livez") == 200) == (ready, alive)


def _status(said: probes.Probes, path: str) -> int:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(said({"path": path}, None, send))
    return int(sent[0]["status"])


def _wait_for_readiness(process: RuntimeProcess, status: int) -> None:
    deadline = time.monotonic() + 40
    while httpx.get(f"{process.probes_url}/readyz").status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_process_that_nobody_asks_wakes_up_seldom(runtime: RuntimeProcess) -> None:
    """Each look at what may have come costs a node of many models: its heart, its clock, its connections."""

    def woken() -> int:
        lines = pathlib.Path(f"/proc/{runtime.pid}/task/{runtime.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches:"))

    before, began = woken(), time.monotonic()
    time.sleep(4)

    assert (woken() - before) / (time.monotonic() - began) < 12
