"""A real server that answers, lies, hangs up or dawdles, as a test tells it; on loopback, or as a pod.

As a pod it runs in the generator's image: beside the standard library it may import that one package only.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.ledger.generator.settings import Target

Behaviour = Callable[["Exchange"], None]


class Server(ThreadingHTTPServer):
    """Counts what arrives: connections, and how often each request's id was seen."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Behaviour, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        super().__init__(address, Exchange)
        self.behaviour = behaviour
        self.seen = Seen()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", self.server_address[1], "/v1/predict")

    def close(self) -> None:
        self.shutdown()
        self.server_close()


@dataclass
class Seen:
    connections: int = 0
    requests: Counter[str] = field(default_factory=Counter)


class Exchange(BaseHTTPRequestHandler):
    """One request, for a behaviour to answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    texts: list[str]
    served = 0  # on this connection

    def setup(self) -> None:
        super().setup()
        self.server.seen.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.texts = json.loads(body)["texts"]
        self.server.seen.requests[self.headers["X-Request-Id"]] += 1
        self.server.behaviour(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def reply(self, document: object, *, status: int = 200, **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Slipway-Pod", "pod-1")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def predictions(self, version: str = "1") -> dict[str, Any]:
        return {
            "predictions": [
                {"text": text, "label": "positive", "score": 0.9, "model_version": version}
                for text in self.texts
            ],
            "processing_time_ms": 1.0,
        }


def right(exchange: Exchange) -> None:
    exchange.reply(exchange.predictions())


def right_then_closes_silently(exchange: Exchange) -> None:
    exchange.reply(exchange.predictions())
    exchange.close_connection = True


def right_and_says_close(exchange: Exchange) -> None:
    exchange.reply(exchange.predictions(), Connection="close")
    exchange.close_connection = True


def of_somebody_else(exchange: Exchange) -> None:
    exchange.texts[-1] = "a text that nobody sent"
    exchange.reply(exchange.predictions())


def drops(exchange: Exchange) -> None:
    exchange.connection.shutdown(socket.SHUT_RDWR)
    exchange.close_connection = True


def shutting_down(exchange: Exchange) -> None:
    exchange.reply({"detail": "on my way out", "code": "shutting_down"}, status=503)


def too_late(exchange: Exchange) -> None:
    time.sleep(0.6)
    exchange.close_connection = True


def drips(exchange: Exchange) -> None:
    """Never silent for long, and yet too slow."""
    exchange.send_response(200)
    exchange.send_header("Content-Length", "20")
    exchange.end_headers()
    for _ in range(20):
        time.sleep(0.05)
        exchange.wfile.write(b" ")


def right_for_ten_requests(exchange: Exchange) -> None:
    """As the version of VERSION; a connection lives for ten requests at most, and is told so."""
    exchange.served += 1
    last = exchange.served >= 10
    exchange.reply(exchange.predictions(os.environ["VERSION"]), Connection="close" if last else "keep-alive")
    exchange.close_connection = last


if __name__ == "__main__":
    Server(right_for_ten_requests, ("", 8080))
    threading.Event().wait()
