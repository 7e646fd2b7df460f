"""Requests that are made to fill the memory: each is refused, costs little, and the process serves on."""

import concurrent.futures
import contextlib
import gzip
import http.client
import json
import pathlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.runtime import processes
from tests.runtime.bounds import bounded
from tests.runtime.processes import RuntimeProcess

_MIB = 1024 * 1024
LENGTH = "Inference-Header-Content-Length"
ROUTES = ("/v1/predict", "/v2/predict", "/v2/models/model/infer")
INFER = ROUTES[2]
NO_ROOM = 'slipway_rejected_total{reason="held_bytes"}'


@pytest.fixture(scope="module")
def served(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A process whose clients have two seconds to send a request or to read an answer."""
    environment = {"SLIPWAY_CLIENT_TIMEOUT_SECONDS": "2"}
    with processes.running(tmp_path_factory.mktemp("served"), bundle, **environment) as process:
        assert process.predict(*["good"] * 100).status_code == 200
        yield process


def _post(
    process: RuntimeProcess, path: str, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    connection = process.connect(60)
    try:
        connection.request("POST", path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "in chunks"])
def test_300_megabytes_are_413_and_are_not_kept(served: RuntimeProcess, path: str, *, declared: bool) -> None:
    chunk = b" " * (256 * 1024)
    with bounded(served):
        connection = served.connect(60)
        headers = {"Content-Length": str(300 * _MIB)} if declared else {"Transfer-Encoding": "chunked"}
        # The server may answer and close before all has been sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", path, iter([chunk] * 1200), headers, encode_chunked=not declared)
        reply = connection.getresponse()
        assert reply.status == 413
        reply.read()
        connection.close()


@dataclass(frozen=True, slots=True)
class Case:
    path: str
    body: bytes
    status: int
    says: str
    headers: dict[str, str] = field(default_factory=dict)


def _full(begin: bytes, element: bytes, end: bytes) -> bytes:
    """Two megabytes of the same element: the most that is read at all."""
    room = 2 * _MIB - len(begin) - len(end)
    return begin + (element + b",") * (room // (len(element) + 1) - 1) + element + end


def _million_texts() -> Case:
    data = (struct.pack("<I", 1) + b"a") * 1_000_000
    tensor = {
        "name": "text",
        "datatype": "BYTES",
        "shape": [1_000_000],
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    return Case(INFER, head + data, 400, "1 to 100 rows", {LENGTH: str(len(head))})


def _bomb(size: int) -> bytes:
    return gzip.compress(b" " * size, 9)


_TENSOR = b'{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":['

CASES = {
    "a million texts in JSON": Case(
        "/v1/predict", b'{"texts":[' + b'"a",' * 1_000_000 + b'"a"]}', 413, "larger than 2097152 bytes"
    ),
    "as many texts as two megabytes hold": Case(
        "/v1/predict", _full(b'{"texts":[', b'""', b"]}"), 422, "at most 10000 items"
    ),
    "a million texts as binary data": _million_texts(),
    "a million faults": Case("/v1/predict", _full(b'{"texts":[', b"1", b"]}"), 422, "texts.0"),
    "lists in a list": Case("/v2/predict", _full(b'{"texts":[', b"[]", b"]}"), 422, "texts.0"),
    "lists where nothing is looked for": Case("/v1/predict", _full(b'{"x":[', b"[]", b"]}"), 422, "texts"),
    "objects where nothing is looked for": Case(
        "/v1/predict", _full(b'{"x":[', b'{"":0}', b"]}"), 422, "texts"
    ),
    "a tensor of lists": Case(INFER, _full(_TENSOR, b"[]", b"]}]}"), 400, "data has 0 elements"),
    "a tensor of strings": Case(INFER, _full(_TENSOR, b'""', b"]}]}"), 400, "data has 2 elements"),
    "a million inputs": Case(INFER, _full(b'{"inputs":[', b"{}", b"]}"), 400, "inputs.0"),
    "a million axes": Case(
        INFER,
        _full(b'{"inputs":[{"name":"text","datatype":"BYTES","data":[],"shape":[', b"1", b"]}]}"),
        400,
        "at most 32 items",
    ),
    "a million parameters": Case(
        INFER, _full(b'{"inputs":[],"parameters":{"a":[', b"0", b"]}}"), 400, "parameters.a"
    ),
    "three megabytes of JSON": Case(INFER, b" " * (3 * _MIB), 413, "send tensors as binary data"),
    "a gigabyte of nothing in a megabyte": Case(
        INFER, _bomb(1024 * _MIB), 413, "larger than 16777216 bytes", {"Content-Encoding": "gzip"}
    ),
    "brackets without end": Case(INFER, b"[" * (2 * _MIB), 400, "recursion limit exceeded"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_body_that_is_made_to_grow_is_refused_in_bounded_memory(served: RuntimeProcess, case: Case) -> None:
    with bounded(served):
        status, answer = _post(served, case.path, case.body, case.headers)

    assert (status, case.says in answer) == (case.status, True), answer[:300]


def test_many_bodies_of_which_only_half_comes_are_bounded_and_let_go(served: RuntimeProcess) -> None:
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {4 * _MIB}\r\n\r\n".encode()
    before = served.metric(NO_ROOM)
    with bounded(served), contextlib.ExitStack() as stack:
        clients = []
        for _ in range(60):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=20))
            client.sendall(head + b" " * (2 * _MIB))
            clients.append(client)
        answers = [client.recv(65_536) for client in clients]  # all end within the two seconds
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 429 ")]
        assert refused
        assert all(b"retry-after: 1" in answer for answer in refused)
        assert all(answer == b"" or answer in refused for answer in answers)
    assert served.metric(NO_ROOM) == before + len(refused)


def test_heads_that_never_end_are_let_go(served: RuntimeProcess) -> None:
    with bounded(served), contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=20))
            for _ in range(200)
        ]
        for client in clients:
            client.sendall(b"POST /v2/predict HTTP/1.1\r\nHost: a\r\nX: ")
        assert served.predict("good").status_code == 200
        assert all(client.recv(1024) == b"" for client in clients)


def test_clients_that_do_not_read_their_answers_are_let_go(served: RuntimeProcess) -> None:
    body = json.dumps({"texts": ["a" * 10_000] * 100}).encode()
    request = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    connections = "slipway_connections_open"
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(("127.0.0.1", served.port))
            with contextlib.suppress(OSError):
                client.sendall(request * 8)
        deadline = time.monotonic() + 20
        while served.metric(connections) > 1:
            assert time.monotonic() < deadline, "clients that do not read hold their connections"
            time.sleep(0.1)
    assert served.predict("good").status_code == 200


def test_honest_requests_are_served_beside_hostile_ones(served: RuntimeProcess) -> None:
    hostile = CASES["lists where nothing is looked for"]

    def attack(_: int) -> int:
        return _post(served, hostile.path, hostile.body)[0]

    with bounded(served), concurrent.futures.ThreadPoolExecutor(4) as pool:
        attacks = pool.map(attack, range(8))
        answers = [served.predict("good").status_code for _ in range(20)]
        assert set(attacks) == {422}
        assert set(answers) == {200}


def test_large_bodies_that_are_answered_make_room_for_others(served: RuntimeProcess) -> None:
    data = b"".join(struct.pack("<I", 16_000) + b" " * 16_000 for _ in range(100))
    tensor = {
        "name": "text",
        "datatype": "BYTES",
        "shape": [100],
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)

    statuses = []
    for _ in range(34):  # 54 MB one after another: more than may be held at a time
        connection.request("POST", INFER, head + data, {LENGTH: str(len(head))})
        reply = connection.getresponse()
        reply.read()
        statuses.append(reply.status)
    connection.close()

    assert set(statuses) == {200}
