"""Short requests for hot routes do not go through ASGI: nobody may be able to tell by the answer."""

import asyncio
import contextlib
import json
import pathlib
import socket
import time
from dataclasses import dataclass

import pytest

from slipway_runtime.transport import heads
from slipway_runtime.transport.idleness import Idleness
from tests.runtime import processes
from tests.runtime.processes import RuntimeProcess

BODY = json.dumps({"texts": ["good"]}).encode()


@dataclass(frozen=True, slots=True)
class Case:
    body: bytes = BODY
    path: str = "/v1/predict"
    headers: str = ""


CASES = {
    "an answer": Case(),
    "an answer under the short path": Case(path="/predict"),
    "an answer of version 2": Case(path="/v2/predict"),
    "several texts": Case(json.dumps({"texts": ["good", "bad", "so \u00e9"]}).encode()),
    "not JSON": Case(b"texts=good"),
    "JSON of another shape": Case(b'{"texts": 1}'),
    "no texts": Case(b'{"texts": []}'),
    "an unknown version": Case(b'{"texts": ["good"], "model_version": "9"}'),
    "an unknown model": Case(b'{"texts": ["good"], "model": "m"}', path="/v2/predict"),
    "a priority that is none": Case(headers="X-Request-Priority: now\r\n"),
    "a time that is too short": Case(headers="X-Request-Timeout: 0.0000001\r\n"),
    "an id of its own": Case(headers="X-Request-ID: abc-123\r\n"),
    "an id that is not fit to be repeated": Case(headers="X-Request-ID: a b\r\n"),
    "a compressed body": Case(headers="Content-Encoding: gzip\r\n"),
    "a client that leaves": Case(headers="Connection: close\r\n"),
    "a query": Case(path="/v1/predict?a=b"),
}


def _dial(process: RuntimeProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", process.port), timeout=20)


def _more(client: socket.socket) -> bytes:
    chunk = client.recv(65_536)
    assert chunk, "the connection was closed"
    return chunk


def _read(client: socket.socket) -> bytes:
    """One answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(client)
    head, _, rest = received.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b": ")[1]) for line in lines if line.startswith(b"content-length"))
    while len(rest) < length:
        rest += _more(client)
    return head + b"\r\n\r\n" + rest


def _ask(process: RuntimeProcess, case: Case, *, short: bool) -> bytes:
    length = f"Content-Length: {len(case.body)}" if short else "Transfer-Encoding: chunked"
    body = case.body if short else b"%x\r\n%b\r\n0\r\n\r\n" % (len(case.body), case.body)
    head = f"POST {case.path} HTTP/1.1\r\nHost: a\r\n{case.headers}{length}\r\n\r\n"
    with _dial(process) as client:
        client.sendall(head.encode() + body)
        return _read(client)


def _without_chance(answer: bytes) -> tuple[bytes, frozenset[bytes], object]:
    """Status line, headers and body without what no two answers have in common."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    by_chance = [b"date: ", b"content-length: "]
    if b"abc-123" not in head:
        by_chance.append(b"x-request-id: ")
    document = json.loads(body)
    for name in ("processing_time_ms", "timing"):
        document.pop(name, None)
    return status, frozenset(line for line in lines if not line.startswith(tuple(by_chance))), document


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_both_ways_give_the_same_answer(runtime: RuntimeProcess, case: Case) -> None:
    short, long = (_ask(runtime, case, short=short) for short in (True, False))

    assert _without_chance(short) == _without_chance(long)
    for answer in (short, long):
        assert answer.lower().count(b"\r\nx-request-id: ") == 1
        assert answer.lower().count(b"\r\ndate: ") == 1


def test_both_ways_are_counted_under_one_name(runtime: RuntimeProcess) -> None:
    sample = 'requests_total{endpoint="/v2/predict",status="200"}'
    before = runtime.metric(sample), runtime.metric("inference_duration_seconds_count")
    for short in (True, False):
        _ask(runtime, Case(path="/v2/predict"), short=short)

    assert runtime.metric(sample) == before[0] + 2
    assert runtime.metric("inference_duration_seconds_count") == before[1] + 2


def test_the_ways_take_turns_on_one_connection(runtime: RuntimeProcess) -> None:
    short = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    long = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    with _dial(runtime) as client:
        for request in (short, long, long, short, short):
            client.sendall(request)
            assert _read(client).startswith(b"HTTP/1.1 200 ")
        client.sendall(short + long + short)
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < 3 or not answers.endswith(b"}"):
            answers += _more(client)

    assert answers.index(b'"label"') < answers.index(b'"model_loaded"') < answers.rindex(b'"label"')


def test_a_body_that_comes_in_pieces_is_put_together(runtime: RuntimeProcess) -> None:
    with _dial(runtime) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        for index in range(len(BODY)):
            client.sendall(BODY[index : index + 1])
            time.sleep(0.005)
        answer = _read(client)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"label":"positive"' in answer


def test_a_request_of_which_the_half_came_with_the_one_before_may_take_longer_than_idle_ones(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    body = json.dumps({"texts": ["good"] * 100}).encode()
    first = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    second = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with (
        processes.running(tmp_path, slow_bundle, SLIPWAY_CONNECTION_IDLE_SECONDS="1") as process,
        _dial(process) as client,
    ):
        client.sendall(first + second[:20])
        assert _read(client).startswith(b"HTTP/1.1 200 ")
        time.sleep(0.6)
        client.sendall(second[20:])
        answer = _read(client)

    assert answer.count(b'"label":"positive"') == 100


@pytest.mark.parametrize("sent", [5, None], ids=["half a body", "a whole request"])
def test_a_client_that_leaves_is_counted_and_its_rows_leave_the_queue(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path, sent: int | None
) -> None:
    body = json.dumps({"texts": ["good"] * 100}).encode()
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    gone = 'requests_total{endpoint="/v1/predict",status="499"}'
    with processes.running(tmp_path, slow_bundle) as process:
        with _dial(process) as client:
            client.sendall(head + body[:sent])
            time.sleep(0.1)
        deadline = time.monotonic() + 20
        while process.metric(gone) < 1:
            assert time.monotonic() < deadline, "its leaving was not noticed"
            time.sleep(0.02)
        waiting = 'slipway_requests_in_flight{model="sentiment",version="1"}'

        assert process.metric(gone) == 1
        assert process.metric(waiting) == 0
        assert process.predict("good").status_code == 200


def test_a_client_that_asks_on_and_reads_no_answer_does_not_stay(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    body = json.dumps({"texts": ["a" * 16_000] * 3}).encode()
    request = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with processes.running(tmp_path, bundle, SLIPWAY_CLIENT_TIMEOUT_SECONDS="1") as process:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", process.port))
            client.settimeout(5)
            with contextlib.suppress(OSError):  # it is cut off
                for _ in range(400):  # more than the kernel keeps for a client that does not read
                    client.sendall(request)
                    time.sleep(0.02)
                client.settimeout(0.1)
            deadline = time.monotonic() + 20
            while process.metric("slipway_connections_open") > 0:
                assert time.monotonic() < deadline, "a client that does not read is still waited for"
                time.sleep(0.05)

        assert process.predict("good").status_code == 200


def test_a_line_of_the_log_names_its_request(runtime: RuntimeProcess) -> None:
    case = Case(json.dumps({"texts": ["poison"]}).encode(), headers="X-Request-ID: abc-123\r\n")
    assert _ask(runtime, case, short=True).startswith(b"HTTP/1.1 500 ")

    deadline = time.monotonic() + 20
    while not (lines := [entry for entry in runtime.log if entry["message"] == "row_failed"]):
        assert time.monotonic() < deadline, "nothing was logged"
        time.sleep(0.02)
    assert lines[0]["request_id"] == "abc-123"


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\0"], ids=["two lines", "a line feed", "NUL"])
def test_a_header_is_never_more_than_one(value: bytes) -> None:
    with pytest.raises(ValueError, match="end of a line"):
        heads.write(200, [(b"x-slipway-version", value)])


def test_a_connection_is_idle_from_its_last_answer_on_whatever_came_before() -> None:
    async def scene() -> list[str]:
        happened: list[str] = []
        loop = asyncio.get_running_loop()
        idleness = Idleness(loop, 0.2, lambda: happened.append("expired"))
        for _ in range(4):  # together longer than the limit
            idleness.begin()
            await asyncio.sleep(0.1)
            idleness.end()
        happened.append("busy")
        await asyncio.sleep(0.3)
        happened.append("still busy")
        idleness.begin()
        await asyncio.sleep(0.5)
        return happened

    assert asyncio.run(scene()) == ["busy", "still busy", "expired"]


def test_a_connection_that_has_ended_is_not_called_idle() -> None:
    async def scene() -> list[str]:
        happened: list[str] = []
        idleness = Idleness(asyncio.get_running_loop(), 0.05, lambda: happened.append("expired"))
        idleness.begin()
        idleness.stop()
        await asyncio.sleep(0.15)
        return happened

    assert asyncio.run(scene()) == []
