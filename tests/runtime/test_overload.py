"""More than a model can do, texts that break it, and clients that leave: who is hurt, and who is not."""

import concurrent.futures
import contextlib
import json
import pathlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.runtime import bundles, processes
from tests.runtime.processes import RuntimeProcess

LONG = " ".join(["good"] * 24)  # some 60 ms on the slow model, also in a batch: a queue of them is seen
QUEUE_ROWS = 'slipway_queue_rows{model="model",version="1"}'


@pytest.fixture(scope="module")
def slow(slow_bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A slow model with room for 100 waiting rows."""
    environment = {"SLIPWAY_MAX_QUEUE_ROWS": "100", "SLIPWAY_REQUEST_TIMEOUT_SECONDS": "20"}
    with processes.running(tmp_path_factory.mktemp("slow"), slow_bundle, **environment) as process:
        yield process


def _send(process: RuntimeProcess, *texts: str) -> socket.socket:
    """Send a request and do not wait for its answer."""
    body = json.dumps({"texts": texts}).encode()
    client = socket.create_connection(("127.0.0.1", process.port), timeout=30)
    client.sendall(
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    return client


def _wait_for_queue(process: RuntimeProcess, rows: int) -> None:
    deadline = time.monotonic() + 10
    while process.metric(QUEUE_ROWS) < rows:
        assert time.monotonic() < deadline, "the queue did not fill"
        time.sleep(0.01)


def test_a_full_queue_refuses_with_the_time_to_come_back(slow: RuntimeProcess) -> None:
    with _send(slow, *[LONG] * 100):
        _wait_for_queue(slow, 40)
        reply = slow.predict(*["good"] * 99)

    assert (reply.status_code, reply.json()["code"]) == (429, "QueueFull")
    assert 1 <= int(reply.headers["retry-after"]) <= 30
    assert slow.metric('slipway_rejected_total{reason="queue_full"}') == 1


def test_probes_answer_quickly_under_load(slow: RuntimeProcess) -> None:
    with _send(slow, *[LONG] * 100):
        _wait_for_queue(slow, 40)
        for path in ("/livez", "/readyz"):
            assert httpx.get(f"{slow.probes_url}{path}", timeout=2).status_code == 200
        assert httpx.get(f"{slow.url}/health", timeout=2).status_code == 200


def test_the_rows_of_a_client_that_leaves_leave_the_queue(slow: RuntimeProcess) -> None:
    sample = 'requests_total{endpoint="/v1/predict",status="499"}'
    gone_before = slow.metric(sample)
    with _send(slow, *[LONG] * 100):
        _wait_for_queue(slow, 40)

    deadline = time.monotonic() + 20
    while slow.metric(QUEUE_ROWS) > 0 or slow.metric(sample) == gone_before:
        assert time.monotonic() < deadline, "the rows of a client that has gone are still waiting"
        time.sleep(0.01)
    assert slow.metric(sample) == gone_before + 1


def test_a_request_past_its_deadline_is_told_so(slow_bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    environment = {"SLIPWAY_REQUEST_TIMEOUT_SECONDS": "0.05"}
    with processes.running(tmp_path, slow_bundle, **environment) as process:
        reply = process.predict(*["good"] * 100)
        waiting = process.metric(QUEUE_ROWS)

    assert (reply.status_code, reply.json()["code"]) == (504, "DeadlineExceeded")
    assert "0.05 s" in reply.json()["detail"]
    assert waiting == 0


@pytest.mark.parametrize("poison", ["poison", "undefined"], ids=["fails the run", "is answered with NaN"])
def test_a_text_that_breaks_the_model_hurts_only_its_own_request(
    runtime: RuntimeProcess, poison: str
) -> None:
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        good = [pool.submit(runtime.predict, "good") for _ in range(60)]
        bad = [pool.submit(runtime.predict, "good", poison) for _ in range(20)]

    assert {future.result().status_code for future in good} == {200}
    assert {future.result().status_code for future in bad} == {500}
    assert {future.result().json()["code"] for future in bad} == {"InferenceFailed"}


def test_requests_that_come_together_share_batches(tmp_path: pathlib.Path) -> None:
    """A run costs the same however many rows it has, so that sharing pays also where the machine is busy."""
    bundle = tmp_path / "sentiment-1"
    bundles.write(bundle, bundles.BundleOptions(work_of_run=10, max_tokens=8))
    with processes.running(tmp_path, bundle) as process:
        before = process.metric("slipway_batch_rows_count"), process.metric("slipway_batch_rows_sum")
        with contextlib.ExitStack() as connections:
            with process.standing_still():  # however slow this machine sends: they are found waiting together
                clients = [connections.enter_context(_send(process, "good")) for _ in range(64)]
            answers = [client.recv(12) for client in clients]
        batches = process.metric("slipway_batch_rows_count") - before[0]
        rows = process.metric("slipway_batch_rows_sum") - before[1]

    assert set(answers) == {b"HTTP/1.1 200"}
    assert rows == 64
    assert batches <= 32


def test_everybody_gets_the_answer_to_their_own_text(runtime: RuntimeProcess) -> None:
    words = ["good", "great", "bad", "awful", "fine"]

    def ask(number: int) -> bool:
        texts = [
            " ".join([words[(number + row) % 5]] * (1 + (number * row) % 30)) for row in range(1 + number % 7)
        ]
        return [one["text"] for one in runtime.predict(*texts).json()["predictions"]] == texts

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(300)))
