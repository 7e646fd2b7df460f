"""Requests that cannot be served: each gets its status, its code and a sentence, and is counted."""

import json
import socket
from dataclasses import dataclass, field

import httpx
import pytest

from tests.runtime.processes import RuntimeProcess


@dataclass(frozen=True, slots=True)
class Case:
    body: bytes
    status: int
    code: str
    says: str
    headers: dict[str, str] = field(default_factory=dict)


def _texts(*texts: object, **extra: object) -> bytes:
    return json.dumps({"texts": texts, **extra}).encode()


CASES = {
    "no body": Case(b"", 400, "MalformedRequest", "EOF while parsing"),
    "not JSON": Case(b"texts=good", 400, "MalformedRequest", "the body is not JSON"),
    "JSON that breaks off": Case(b'{"texts": ["go', 400, "MalformedRequest", "EOF while parsing a string"),
    "bytes that are no UTF-8": Case(b'{"texts": ["\xff"]}', 400, "MalformedRequest", "invalid unicode"),
    "half of a surrogate pair": Case(b'{"texts": ["\\ud800"]}', 400, "MalformedRequest", "hex escape"),
    "brackets without end": Case(b"[" * 100_000, 400, "MalformedRequest", "recursion limit exceeded"),
    "a list for a body": Case(b"[]", 422, "InvalidRequest", "should be an object"),
    "no texts": Case(b"{}", 422, "InvalidRequest", "texts: Field required"),
    "an empty list": Case(_texts(), 422, "InvalidRequest", "1 to 100 texts, this one has 0"),
    "a string for a list": Case(
        b'{"texts": "good"}', 422, "InvalidRequest", "texts: Input should be a valid array"
    ),
    "a number among texts": Case(
        _texts("good", 1), 422, "InvalidRequest", "texts.1: Input should be a valid string"
    ),
    "null among texts": Case(_texts(None), 422, "InvalidRequest", "texts.0: Input should be a valid string"),
    "101 texts": Case(_texts(*["good"] * 101), 422, "InvalidRequest", "1 to 100 texts, this one has 101"),
    "a text of 16 KiB and 1": Case(
        _texts("a" * 16_385), 422, "InvalidRequest", "texts.0: a text has at most 16384"
    ),
    "a text of 16 KiB in two-byte letters": Case(
        json.dumps({"texts": ["é" * 8193]}, ensure_ascii=False).encode(),
        422,
        "InvalidRequest",
        "texts.0: a text has at most 16384",
    ),
    "a number for a version": Case(_texts("good", model_version=2), 422, "InvalidRequest", "model_version: "),
    "an unknown version": Case(
        _texts("good", model_version="9"),
        404,
        "UnknownModelVersion",
        "version '9' is not served here; served: '1'",
    ),
    "a body of 2 MiB and 1": Case(b" " * (2 * 1024**2 + 1), 413, "BodyTooLarge", "larger than 2097152 bytes"),
    "a body of 20 MiB": Case(b" " * (20 * 1024**2), 413, "BodyTooLarge", "larger than 2097152 bytes"),
    "a compressed body": Case(
        _texts("good"), 415, "UnsupportedEncoding", "Content-Encoding gzip", {"content-encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_bad_request_is_told_what_is_wrong_with_it(runtime: RuntimeProcess, case: Case) -> None:
    sample = f'requests_total{{endpoint="/v1/predict",status="{case.status}"}}'
    before = runtime.metric(sample)

    reply = httpx.post(f"{runtime.url}/v1/predict", content=case.body, headers=case.headers)

    assert reply.status_code == case.status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["status"] == case.status
    assert reply.json()["code"] == case.code
    assert case.says in reply.json()["detail"]
    assert runtime.metric(sample) == before + 1


def test_a_text_of_exactly_16_kib_and_100_texts_are_served(runtime: RuntimeProcess) -> None:
    assert runtime.predict("a" * 16_384).status_code == 200
    assert runtime.predict(*["good"] * 100).status_code == 200


def test_a_chunked_body_that_never_ends_is_bounded(runtime: RuntimeProcess) -> None:
    def chunks() -> "list[bytes]":
        return [b" " * 65_536] * 64

    reply = httpx.post(f"{runtime.url}/v1/predict", content=iter(chunks()))

    assert reply.status_code == 413


def test_a_client_that_asks_first_is_refused_before_it_sends(runtime: RuntimeProcess) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", runtime.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/predict", 405, "MethodNotAllowed"),
        ("DELETE", "/health", 405, "MethodNotAllowed"),
        ("POST", "/drain", 404, "NoSuchRoute"),
        ("GET", "/v1/predict/", 404, "NoSuchRoute"),
        ("GET", "/../etc/passwd", 404, "NoSuchRoute"),
    ],
)
def test_routes_that_are_not_there_are_problems_too(
    runtime: RuntimeProcess, method: str, path: str, status: int, code: str
) -> None:
    reply = httpx.request(method, f"{runtime.url}{path}")

    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    ],
    ids=[
        "TLS on a plain port",
        "an unknown protocol",
        "a negative length",
        "two lengths",
        "an absurd length",
    ],
)
def test_what_is_not_http_gets_400_and_is_counted(runtime: RuntimeProcess, head: bytes) -> None:
    sample = 'requests_total{endpoint="other",status="400"}'
    before = runtime.metric(sample)

    with socket.create_connection(("127.0.0.1", runtime.port), timeout=10) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")

    assert runtime.metric(sample) == before + 1


def test_it_still_serves_after_all_of_this(runtime: RuntimeProcess) -> None:
    assert runtime.predict("good").json()["predictions"][0]["label"] == "positive"
