"""Clients as they are found in front of a model, each writing down every request and how it ended.

None of them retries: a request that fails is a failure.
"""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

PATH = "/v1/predict"
BODY = json.dumps({"texts": ["good", "bad"]}).encode()
_TIMEOUT = 20.0


@dataclass(slots=True)
class Ledger:
    """Every outcome: (kind of client, pod that answered) -> count, and the failures in words."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def by_pod(self, pod: str) -> int:
        return sum(count for (_, answered), count in self.answers.items() if answered == pod)

    def record(self, kind: str, status: int, pod: str) -> None:
        if status == 200:
            self.answers[kind, pod] += 1
        else:
            self.failures.append(f"{kind}: status {status} from {pod}")


Client = Callable[[int, Ledger, threading.Event], None]


def keep_alive(think: float) -> Client:
    """http.client on one connection, which it does not check before it uses it again."""

    def run(port: int, ledger: Ledger, stop: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        while not stop.is_set():
            connection.request("POST", PATH, BODY)
            reply = connection.getresponse()
            reply.read()
            ledger.record(f"keep-alive, {think} s apart", reply.status, reply.headers["x-slipway-pod"])
            stop.wait(think)
        connection.close()

    return run


def pool(port: int, ledger: Ledger, stop: threading.Event) -> None:
    """httpx with its pool of connections."""
    with httpx.Client(timeout=_TIMEOUT) as client:
        while not stop.is_set():
            reply = client.post(f"http://127.0.0.1:{port}{PATH}", content=BODY)
            ledger.record("pool", reply.status_code, reply.headers["x-slipway-pod"])
            stop.wait(0.01)


def new_connections(port: int, ledger: Ledger, stop: threading.Event) -> None:
    """One connection a request."""
    while not stop.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        connection.request("POST", PATH, BODY)
        reply = connection.getresponse()
        reply.read()
        ledger.record("new connections", reply.status, reply.headers["x-slipway-pod"])
        connection.close()
        stop.wait(0.02)


def slow_upload(port: int, ledger: Ledger, stop: threading.Event) -> None:
    """A body that takes most of a second to send, in pieces."""
    while not stop.is_set():
        with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as client:
            head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
            for piece in (head[:20], head[20:], BODY[:5], BODY[5:10], BODY[10:]):
                client.sendall(piece)
                time.sleep(0.2)
            reply = http.client.HTTPResponse(client)
            reply.begin()
            reply.read()
            ledger.record("slow upload", reply.status, reply.headers["x-slipway-pod"] or "")
            reply.close()


@contextmanager
def load(port: int, *clients: Client) -> Iterator[Ledger]:
    """Run every client in a thread until the end of the block. The ledger is complete after it."""
    ledger, stop = Ledger(), threading.Event()

    def run(client: Client) -> None:
        try:
            client(port, ledger, stop)
        except Exception as error:
            ledger.failures.append(f"{getattr(client, '__qualname__', client)}: {error!r}")

    threads = [threading.Thread(target=run, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield ledger
    finally:
        stop.set()
        for thread in threads:
            thread.join()
