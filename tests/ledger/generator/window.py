"""The generator's window: records, counts and the stop, over HTTP, for the driver behind the pod proxy."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.ledger.generator.run import Run, State

CHUNK = 4 << 20


class Window(ThreadingHTTPServer):
    """GET /counts, /done, /records?offset=N (whole lines); POST /stop."""

    daemon_threads = True

    def __init__(self, port: int, run: Run) -> None:
        super().__init__(("", port), _Handler)
        self.run = run


class _Handler(BaseHTTPRequestHandler):
    server: Window

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        match address.path:
            case "/counts":
                self._json(self.server.run.counts())
            case "/done":
                self._json({"done": self.server.run.state in (State.DONE, State.BROKEN)})
            case "/records":
                self._records(parse_qs(address.query))
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        # The body says nothing, but left unread it would reset the connection under the answer.
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if urlsplit(self.path).path != "/stop":
            self.send_error(404)
            return
        self.server.run.stop()
        self._json({"state": self.server.run.state})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the driver asks every second."""

    def _records(self, query: dict[str, list[str]]) -> None:
        offset = int(query.get("offset", ["0"])[0])
        self._answer(self.server.run.journal.read(offset, CHUNK), "application/x-ndjson")

    def _json(self, document: dict[str, object]) -> None:
        self._answer(json.dumps(document).encode(), "application/json")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
