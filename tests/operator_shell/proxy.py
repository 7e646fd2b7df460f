"""Between an operator and a real API server: passes everything on, until it is told to do harm.

Must not know what the operator should make of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.operator_shell.rest import Rest

_HOP = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
_ERROR = {"kind": "Status", "code": 500, "message": "broken by the test"}
_BROKEN = json.dumps({"type": "ERROR", "object": _ERROR}).encode() + b"\n"


class Proxy:
    """Plain HTTP at `port` of loopback. Its switches may be thrown from any thread."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self.port = 0
        self.swallow = False  # watches stay open and bring nothing
        self.break_watches_of = ""  # a kind: its watches get an error in their stream
        self.overloaded = 0  # so many writes are refused with 429
        self.stale = False  # a list is answered as it was the last time before
        self.ahead_of: dict[str, Callable[[], object]] = {}  # a write: what is done right before it, once
        self.writes: list[str] = []  # as "PATCH /apis/…", in their order
        self._listed: dict[str, tuple[bytes, str]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._end: Callable[[], object] = lambda: None

    @contextlib.contextmanager
    def listening(self) -> Iterator[Proxy]:
        ready = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        thread.start()
        try:
            assert ready.wait(60)
            yield self
        finally:
            self._end()
            thread.join()

    def kubeconfig(self, folder: Path, *, token: str = "") -> Path:
        """Leads to this proxy."""
        file = folder / f"proxy-{self.port}"
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "u", "user": {"token": token or self._rest.token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        file.write_text(json.dumps(body))
        return file

    async def _serve(self, ready: threading.Event) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._end = lambda: loop.call_soon_threadsafe(ended.set)
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        context = ssl.create_default_context(cafile=str(self._rest.certificate))
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        async with aiohttp.ClientSession(connector=connector, read_bufsize=2**22) as self._session:
            ready.set()
            await ended.wait()
            await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            write = f"{request.method} {request.path}"
            self.writes.append(write)
            if deed := self.ahead_of.pop(write, None):
                await asyncio.to_thread(deed)
            if self.overloaded > 0:
                self.overloaded -= 1
                return web.json_response({"message": "busy"}, status=429, headers={"Retry-After": "1"})
        if self.stale and request.path_qs in self._listed:
            body, kind = self._listed[request.path_qs]
            return web.Response(body=body, content_type=kind)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        assert self._session is not None
        async with self._session.request(
            request.method,
            self._rest.url + request.path_qs,
            headers=headers,
            data=await request.read() or None,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer:
            return await self._answer(request, answer)

    async def _answer(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        if request.query.get("watch") != "true":
            kind, body = answer.content_type, await answer.read()
            if "labelSelector" in request.query and not self.stale:
                self._listed[request.path_qs] = body, kind
            return web.Response(body=body, status=answer.status, content_type=kind)
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        await response.prepare(request)
        await self._stream(request.path, answer, response)
        return response

    async def _stream(self, path: str, answer: aiohttp.ClientResponse, to: web.StreamResponse) -> None:
        coming = asyncio.create_task(answer.content.readline())
        try:
            while True:
                await asyncio.wait((coming,), timeout=0.2)
                if self.break_watches_of and path.endswith(f"/{self.break_watches_of}"):
                    await to.write(_BROKEN)
                    return
                if not coming.done():
                    continue
                if not (line := coming.result()):
                    return
                if not self.swallow:
                    await to.write(line)
                coming = asyncio.create_task(answer.content.readline())
        finally:
            coming.cancel()
