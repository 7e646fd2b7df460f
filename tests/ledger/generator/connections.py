"""How each class of client speaks to the target. Nothing here repeats a request: one `post`, one attempt.

http.client reconnects by itself when its socket was closed; that is switched off, so every connection is
opened in sight and gets a number.
"""

from __future__ import annotations

import http.client
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from tests.ledger.generator.asking import Request
from tests.ledger.generator.judging import Answer
from tests.ledger.generator.load import ClientClass
from tests.ledger.generator.settings import Target

HEADERS = {"Content-Type": "application/json"}
PIECES = 6


@dataclass(slots=True)
class Connection:
    """The connection of the exchange at hand: its number within the client, and when it was asked for."""

    number: int = 0
    opened: float = 0.0
    reused: bool = False

    def renew(self) -> None:
        """A new connection is being opened now."""
        self.number += 1
        self.opened = time.monotonic()
        self.reused = False


class Poster(Protocol):
    """One client's way to send."""

    connection: Connection

    def post(self, request: Request) -> Answer:
        """Send once and read the whole answer; whatever goes wrong is raised as it came."""

    def close(self) -> None:
        """Let go of the connection, if there is one."""


def poster(client_class: ClientClass, target: Target, *, timeout: float, chance: random.Random) -> Poster:
    """Return a new client of this class; `timeout` in seconds holds for each wait on the socket."""
    match client_class:
        case ClientClass.FAST | ClientClass.SLOW:
            return KeepAlive(target, timeout)
        case ClientClass.POOL:
            return Pool(target, timeout)
        case ClientClass.NEW:
            return Fresh(target, timeout)
        case ClientClass.UPLOAD:
            return Upload(target, timeout, seconds=lambda: chance.uniform(1, 3))


class Fresh:
    """A connection for each request, closed by the client once it has its answer."""

    def __init__(self, target: Target, timeout: float) -> None:
        self.connection = Connection()
        self._target = target
        self._timeout = timeout
        self._wire: http.client.HTTPConnection | None = None

    def post(self, request: Request) -> Answer:
        wire = self._open()
        try:
            self._send(wire, request)
            return _answer(wire.getresponse())
        finally:
            self.close()

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _open(self) -> http.client.HTTPConnection:
        self.connection.renew()
        wire = http.client.HTTPConnection(self._target.host, self._target.port, timeout=self._timeout)
        wire.auto_open = 0
        wire.connect()
        self._wire = wire
        return wire

    def _send(self, wire: http.client.HTTPConnection, request: Request) -> None:
        wire.request("POST", self._target.path, request.body, {**HEADERS, "X-Request-Id": request.id})


class KeepAlive(Fresh):
    """Reuses its connection without a look at it, and leaves it when an answer says `Connection: close`."""

    def post(self, request: Request) -> Answer:
        wire = self._usable()
        try:
            self._send(wire, request)
            return _answer(wire.getresponse())
        except BaseException:
            self.close()
            raise

    def _usable(self) -> http.client.HTTPConnection:
        # http.client drops its socket itself after an answer with `Connection: close`.
        if self._wire is not None and self._wire.sock is not None:
            self.connection.reused = True
            return self._wire
        return self._open()


class Upload(Fresh):
    """Sends the body in pieces over some seconds, as a client on a thin line does."""

    def __init__(self, target: Target, timeout: float, *, seconds: Callable[[], float]) -> None:
        super().__init__(target, timeout)
        self._seconds = seconds

    def _send(self, wire: http.client.HTTPConnection, request: Request) -> None:
        wire.putrequest("POST", self._target.path)
        for name, value in HEADERS.items():
            wire.putheader(name, value)
        wire.putheader("X-Request-Id", request.id)
        wire.putheader("Content-Length", str(len(request.body)))
        wire.endheaders()
        size = -(-len(request.body) // PIECES)
        pause = self._seconds() / PIECES
        for start in range(0, len(request.body), size):
            time.sleep(pause)
            wire.send(request.body[start : start + size])


class Pool:
    """httpx as people use it, but for a pool of one, so that each request's connection is known."""

    def __init__(self, target: Target, timeout: float) -> None:
        self.connection = Connection()
        self._url = target.url
        self._client = httpx.Client(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            timeout=timeout,
            trust_env=False,
            verify=_NO_TLS,
        )

    def post(self, request: Request) -> Answer:
        self.connection.reused = True
        response = self._client.post(
            self._url,
            content=request.body,
            headers={**HEADERS, "X-Request-Id": request.id},
            extensions={"trace": self._trace},
        )
        return Answer(
            response.status_code,
            response.content,
            response.headers.get("x-slipway-pod", ""),
            response.headers.get("x-slipway-version", ""),
        )

    def close(self) -> None:
        self._client.close()

    def _trace(self, event: str, _: Mapping[str, object]) -> None:
        if event == "connection.connect_tcp.started":
            self.connection.renew()


# A context of its own for every client would read the machine's certificates each time, for plain http.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _answer(response: http.client.HTTPResponse) -> Answer:
    body = response.read()
    header = response.headers.get
    return Answer(response.status, body, header("X-Slipway-Pod", ""), header("X-Slipway-Version", ""))
