"""How long a connection lives, and the corners of HTTP/1 that a close must not break."""

import asyncio
import contextlib
import json
import pathlib
import socket
import time
from collections.abc import Iterator

import pytest
import uvloop

from slipway_runtime.transport import listening
from tests.runtime import processes
from tests.runtime.bounds import bounded
from tests.runtime.processes import RuntimeProcess

BODY = json.dumps({"texts": ["good"]}).encode()
REQUEST = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def hurried(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A process with short times: connections of 1 s, 1 s to send a request or read an answer, 6 s idle."""
    environment = {
        "SLIPWAY_CONNECTION_MAX_AGE_SECONDS": "1",
        "SLIPWAY_CLIENT_TIMEOUT_SECONDS": "1",
        "SLIPWAY_CONNECTION_IDLE_SECONDS": "6",
    }
    with processes.running(tmp_path_factory.mktemp("hurried"), bundle, **environment) as process:
        yield process


def _dial(process: RuntimeProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=20)


def _read_to_end(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65_536):
        received += chunk
    return received


def _wait_for_open(process: RuntimeProcess, connections: int) -> None:
    deadline = time.monotonic() + 10
    while (there := process.metric("slipway_connections_open")) != connections:
        assert time.monotonic() < deadline, f"{there} connections are open, not {connections}"
        time.sleep(0.05)


def test_a_busy_connection_is_told_to_close_when_it_is_old(hurried: RuntimeProcess) -> None:
    connection = hurried.connect()
    began, answers = time.monotonic(), 0
    while True:
        connection.request("POST", "/v1/predict", BODY)
        reply = connection.getresponse()
        reply.read()
        answers += 1
        if reply.headers["connection"] == "close":
            break
        assert reply.status == 200
        time.sleep(0.01)
    connection.close()

    assert 0.7 <= time.monotonic() - began <= 5
    assert answers > 1


def test_old_age_is_told_on_errors_too(hurried: RuntimeProcess) -> None:
    with _dial(hurried) as client:
        time.sleep(1.2)
        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = _read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize(
    ("sent", "least", "most"),
    [(b"", 5.8, 15), (REQUEST, 5.8, 15), (REQUEST[:30], 0.8, 5.5), (REQUEST[:-5], 0.8, 5.5)],
    ids=["nothing sent", "idle after an answer", "half a head", "half a body"],
)
def test_a_client_that_falls_silent_does_not_stay(
    hurried: RuntimeProcess, sent: bytes, least: float, most: float
) -> None:
    with _dial(hurried) as client:
        client.sendall(sent)
        began = time.monotonic()
        _read_to_end(client)

    assert least <= time.monotonic() - began <= most


def test_a_body_that_is_longer_than_allowed_does_not_leave_an_immortal_connection(
    hurried: RuntimeProcess,
) -> None:
    with _dial(hurried) as client:
        client.sendall(b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 404 ")
        client.sendall(b"0123456789")  # the answer has overtaken it
        began = time.monotonic()
        _read_to_end(client)

    assert time.monotonic() - began < 15


def test_http_1_0_is_answered_and_closed(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        client.sendall(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = _read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.endswith(b"}")


def test_pipelined_requests_are_all_answered_in_order(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        last = REQUEST.replace(b"Host: a", b"Host: a\r\nConnection: close")
        client.sendall(REQUEST * 20 + last)
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 21
    assert answer.count(b'"label":"positive"') == 21


def test_pipelined_requests_are_all_answered_although_the_connection_is_old(hurried: RuntimeProcess) -> None:
    with _dial(hurried) as client:
        time.sleep(1.2)
        client.sendall(REQUEST * 20)
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 20
    assert answer.count(b"connection: close") == 1
    assert b"connection: close" in answer[answer.rindex(b"HTTP/1.1 200 OK") :]


def test_a_client_that_pipelines_without_end_is_cut_off(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        try:
            client.sendall(REQUEST * 5000)
            answer = _read_to_end(client)
        except ConnectionError:
            answer = b""

    assert answer.count(b"HTTP/1.1 200 OK") < 5000
    assert runtime.predict("good").status_code == 200


def test_a_client_that_does_not_read_its_answer_does_not_stay(hurried: RuntimeProcess) -> None:
    body = json.dumps({"texts": ["a" * 16_000] * 100}).encode()
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", hurried.port))
        with contextlib.suppress(ConnectionError):  # it may be cut off before all is sent
            for _ in range(8):  # more than the kernel keeps for a client that does not read
                client.sendall(head + body)
        deadline = time.monotonic() + 20
        while hurried.metric("slipway_connections_open") > 0:
            assert time.monotonic() < deadline, "a client that does not read is still waited for"
            time.sleep(0.05)


def test_an_offer_of_another_protocol_is_ignored_and_its_body_is_read(runtime: RuntimeProcess) -> None:
    """Java's HTTP client sends this head with every first request."""
    offer = b"Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    request = REQUEST.replace(b"Host: a", offer)
    with _dial(runtime) as client:
        client.sendall(request + request[:-5])
        time.sleep(0.1)
        client.sendall(request[-5:] + REQUEST.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(b'"label":"positive"') == 3


@pytest.mark.parametrize(
    "offer", [b"GET /health", b"POST /v1/predict"], ids=["without a body", "with an empty body"]
)
def test_a_websocket_offer_is_answered_as_if_it_were_none(runtime: RuntimeProcess, offer: bytes) -> None:
    head = b"%b HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n" % offer
    with _dial(runtime) as client:
        client.sendall(head)
        answer = _read_to_end(client)

    assert answer.split(b" ", 2)[1] == (b"200" if offer.startswith(b"GET") else b"400")


def test_a_proxy_request_is_refused(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        client.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
        assert client.recv(4096).split(b" ", 2)[1] in (b"400", b"404", b"405")


HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
KIB = 1024


def _send_in(client: socket.socket, size: int, content: bytes) -> None:
    """In pieces that come one by one, as far as the server takes them."""
    with contextlib.suppress(ConnectionError):
        for begin in range(0, len(content), size):
            client.sendall(content[begin : begin + size])
            time.sleep(0.002)


LARGE_HEADS = {
    "many headers": HEAD + b"X: a\r\n" * 640_000 + b"\r\n",
    "many headers without end": HEAD + b"X: a\r\n" * 640_000,
    "more headers than are taken": HEAD + b"X: a\r\n" * 300 + b"\r\n",
    "a long header": HEAD + b"X: " + b"a" * 66 * KIB + b"\r\n\r\n",
    "a header without end": HEAD + b"X: " + b"a" * 300 * KIB,
    "a name without end": HEAD + b"X" * 300 * KIB,
    "a long path": b"GET /" + b"a" * 66 * KIB + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path without end": b"GET /" + b"a" * 300 * KIB,
    "a long header of an offer": HEAD
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\nX: "
    + b"a" * 66 * KIB
    + b"\r\n\r\n",
}


@pytest.mark.parametrize("pieces", [1 << 30, 8 * KIB], ids=["at once", "in pieces"])
@pytest.mark.parametrize("sent", LARGE_HEADS.values(), ids=LARGE_HEADS)
def test_a_head_of_more_than_64_kib_is_refused(runtime: RuntimeProcess, sent: bytes, pieces: int) -> None:
    before = runtime.metric('requests_total{endpoint="other",status="431"}')
    with bounded(runtime), _dial(runtime) as client:
        _send_in(client, pieces, sent)
        answer = _read_to_end(client)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "HeadTooLarge"
    assert runtime.metric('requests_total{endpoint="other",status="431"}') == before + 1


@pytest.mark.parametrize("pieces", [1 << 30, 3000], ids=["at once", "in pieces"])
def test_a_head_of_less_than_64_kib_is_taken_also_behind_a_body(runtime: RuntimeProcess, pieces: int) -> None:
    large = REQUEST.replace(b"Host: a", b"Host: a\r\nX: " + b"a" * 60 * KIB)
    many = REQUEST.replace(b"Host: a", b"Host: a" + b"\r\nX: a" * 200)
    last = REQUEST.replace(b"Host: a", b"Host: a\r\nConnection: close")
    with _dial(runtime) as client:
        _send_in(client, pieces, large + many + large + last)
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize("sent", [REQUEST, CHUNKED + b"\r\n"], ids=["short", "in chunks"])
def test_what_came_before_a_head_that_is_too_large_is_answered_and_nothing_behind(
    runtime: RuntimeProcess, sent: bytes
) -> None:
    with bounded(runtime), _dial(runtime) as client:
        _send_in(client, 1 << 30, sent * 3 + LARGE_HEADS["many headers"] + REQUEST)
        answer = _read_to_end(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize("trailer", [b"X: a\r\n", b"X: " + b"a" * KIB], ids=["many", "long"])
def test_trailers_are_not_kept_and_have_an_end(runtime: RuntimeProcess, trailer: bytes) -> None:
    with bounded(runtime), _dial(runtime) as client:
        _send_in(client, 1 << 30, CHUNKED + trailer * (4 * KIB * KIB // len(trailer)))
        with contextlib.suppress(ConnectionError):
            answer = _read_to_end(client)
            assert b" 200 OK" not in answer


def test_trailers_change_no_header(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        client.sendall(CHUNKED + b"X-Request-Id: trailer\r\n\r\n")
        answer = client.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"x-request-id: trailer" not in answer


def test_open_connections_are_counted(runtime: RuntimeProcess) -> None:
    with _dial(runtime), _dial(runtime):
        _wait_for_open(runtime, 2)
    _wait_for_open(runtime, 0)


def test_clients_that_come_together_are_let_in_together() -> None:
    """However long a turn of the loop is, they do not wait a turn for each other."""
    made = 0
    turns: list[int] = []

    class Counted(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002
            nonlocal made
            made += 1

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            listener = listening.bind("127.0.0.1", 0, variable="PORT")
            for each in listening.for_many(listener):
                stack.callback((await loop.create_server(Counted, sock=each)).close)
            for _ in range(24):
                client = stack.enter_context(socket.socket())
                client.connect(listener.getsockname())
            while made < 24:
                turns.append(made)
                await asyncio.sleep(0)

    uvloop.run(asyncio.wait_for(serve(), 10))

    assert len(turns) < 12
