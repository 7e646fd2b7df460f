"""SIGTERM under every kind of traffic: nobody's request fails, and the process ends by itself with 0."""

import contextlib
import json
import pathlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.runtime import clients, forwarder, processes
from tests.runtime.processes import RuntimeProcess

BODY = json.dumps({"texts": ["good"]}).encode()
REQUEST = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.fixture
def draining_soon(bundle: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[RuntimeProcess]:
    """A ready process whose drain is over after 1 s of quiet, and after 6 s at most."""
    environment = {"SLIPWAY_DRAIN_QUIET_SECONDS": "1", "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "6"}
    with processes.running(tmp_path, bundle, **environment) as process:
        yield process


def _dial(process: RuntimeProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=10)


def _ask(client: socket.socket) -> bytes:
    """Send a request on a connection that stays open, and read its whole answer."""
    client.sendall(REQUEST)
    received = b""
    while not received.endswith(b"}"):
        received += client.recv(65_536)
    return received


def _read_to_end(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65_536):
        received += chunk
    return received


def _wait_until_draining(process: RuntimeProcess) -> None:
    deadline = time.monotonic() + 20
    while process.metric("slipway_draining") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_idle_process_stays_for_the_quiet_time_and_leaves_with_0(draining_soon: RuntimeProcess) -> None:
    began = time.monotonic()
    draining_soon.terminate()
    ending = draining_soon.wait_for_end()

    assert (ending.code, ending.message) == (0, {})
    assert 0.9 <= time.monotonic() - began <= 5.5


def test_a_draining_process_is_ready_serves_new_connections_and_tells_all_to_leave(
    draining_soon: RuntimeProcess,
) -> None:
    draining_soon.terminate()
    _wait_until_draining(draining_soon)

    assert httpx.get(f"{draining_soon.probes_url}/readyz").status_code == 200
    for reply in (
        draining_soon.predict("good"),
        draining_soon.predict(),
        httpx.get(f"{draining_soon.url}/health"),
        httpx.get(f"{draining_soon.url}/nothing"),
    ):
        assert reply.headers["connection"] == "close"
    assert draining_soon.predict("good").status_code == 200
    assert draining_soon.wait_for_end().code == 0


def test_probes_do_not_keep_a_draining_process_up(draining_soon: RuntimeProcess) -> None:
    began = time.monotonic()
    draining_soon.terminate()
    with contextlib.suppress(httpx.TransportError):
        while draining_soon.running:
            httpx.get(f"{draining_soon.probes_url}/livez")
            time.sleep(0.05)

    assert time.monotonic() - began < 5.5


def test_an_idle_connection_is_answered_once_more_and_told_to_close(draining_soon: RuntimeProcess) -> None:
    with _dial(draining_soon) as client:
        assert b"connection: close" not in _ask(client)
        draining_soon.terminate()
        time.sleep(3)  # well beyond the quiet time
        client.sendall(REQUEST)
        answer = _read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert draining_soon.wait_for_end().code == 0


def test_the_usual_idle_limit_does_not_close_connections_in_a_drain(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = {"SLIPWAY_CONNECTION_IDLE_SECONDS": "1", "SLIPWAY_DRAIN_QUIET_SECONDS": "1"}
    with processes.running(tmp_path, bundle, **environment) as process, _dial(process) as client:
        _ask(client)
        process.terminate()
        time.sleep(2.5)
        client.sendall(REQUEST)
        assert _read_to_end(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("received", [10, len(REQUEST) - 10], ids=["half a head", "half a body"])
def test_a_half_received_request_is_finished(draining_soon: RuntimeProcess, received: int) -> None:
    with _dial(draining_soon) as client:
        client.sendall(REQUEST[:received])
        time.sleep(0.2)
        draining_soon.terminate()
        time.sleep(2)
        client.sendall(REQUEST[received:])
        answer = _read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert draining_soon.wait_for_end().code == 0


def test_a_request_that_is_being_answered_is_answered(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    body = json.dumps({"texts": ["good"] * 100}).encode()
    environment = {"SLIPWAY_DRAIN_QUIET_SECONDS": "0.5"}
    with processes.running(tmp_path, slow_bundle, **environment) as process, _dial(process) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        time.sleep(0.1)
        process.terminate()
        answer = _read_to_end(client)

        assert answer.count(b'"label":"positive"') == 100
        assert b"connection: close" in answer
        assert process.wait_for_end().code == 0


def test_what_a_full_queue_took_is_answered_and_what_it_did_not_is_refused(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    body = json.dumps({"texts": ["good"] * 20}).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    environment = {"SLIPWAY_DRAIN_QUIET_SECONDS": "0.5", "SLIPWAY_MAX_QUEUE_ROWS": "60"}
    with (
        processes.running(tmp_path, slow_bundle, **environment) as process,
        contextlib.ExitStack() as sockets,
    ):
        clients = [sockets.enter_context(_dial(process)) for _ in range(12)]
        with process.standing_still():  # all of it comes at once, however slowly this machine sends
            for client in clients:
                client.settimeout(40)
                client.sendall(head + body)
        time.sleep(0.05)
        process.terminate()
        statuses = [_read_to_end(client)[9:12] for client in clients]

        assert process.wait_for_end().code == 0
    assert set(statuses) == {b"200", b"429"}


def test_pipelined_requests_are_all_answered_in_a_drain(draining_soon: RuntimeProcess) -> None:
    draining_soon.terminate()
    _wait_until_draining(draining_soon)
    with _dial(draining_soon) as client:
        client.sendall(REQUEST * 20)
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 20
    assert answer.count(b"connection: close") == 1


def test_a_client_that_stays_is_waited_for_until_the_time_is_up(draining_soon: RuntimeProcess) -> None:
    with _dial(draining_soon) as client:
        _ask(client)
        began = time.monotonic()
        draining_soon.terminate()
        ending = draining_soon.wait_for_end()

    assert ending.code == 0
    assert 5.5 <= time.monotonic() - began <= 15


def test_a_second_sigterm_ends_a_drain(draining_soon: RuntimeProcess) -> None:
    with _dial(draining_soon) as client:
        _ask(client)
        draining_soon.terminate()
        _wait_until_draining(draining_soon)
        draining_soon.terminate()
        assert draining_soon.wait_for_end(timeout=5.5).code == 0


def test_no_request_fails_when_a_second_process_takes_over(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """What a rollout does: new connections go to the new pod, and the old one gets SIGTERM at that moment."""
    everybody: list[clients.Client] = [
        *[clients.keep_alive(0.0)] * 3,
        *[clients.keep_alive(0.7)] * 4,
        *[clients.pool] * 2,
        *[clients.new_connections] * 2,
        *[clients.slow_upload] * 3,
    ]
    environment = {"SLIPWAY_DRAIN_QUIET_SECONDS": "1", "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "20"}
    with (
        processes.running(tmp_path / "old", bundle, SLIPWAY_POD_NAME="old", **environment) as old,
        processes.running(tmp_path / "new", bundle, SLIPWAY_POD_NAME="new") as new,
        forwarder.forwarding(old.port) as service,
        clients.load(service.port, *everybody) as ledger,
    ):
        time.sleep(3)
        service.target = new.port
        old.terminate()
        ending = old.wait_for_end()
        time.sleep(1)
        refused = [entry for entry in old.log if entry.get("level") == "error"]

    print(f"answers: {dict(ledger.answers)}")
    assert ledger.failures == []
    assert ending.code == 0
    assert refused == []
    assert ledger.by_pod("old") > 200
    assert ledger.by_pod("new") > 200
