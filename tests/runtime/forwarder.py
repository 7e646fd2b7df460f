"""What kube-proxy does to a connection: its backend is chosen when it is opened, and never again."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator


class Forwarder:
    """A TCP listener on loopback; `target` is the port that new connections go to.

    `cuts` says how many answers still break off, each after its first `cut_bytes`; `on_cut` is called
    before they do. With `stalls` they do not break off: nothing more comes.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.cuts = 0
        self.cut_bytes = 0
        self.stalls = False
        self.on_cut: Callable[[], None] = lambda: None
        self.sent = 0

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend_reader, backend_writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the end of the test
                await asyncio.gather(_copy(reader, backend_writer), self._answer(backend_reader, writer))
        finally:
            for one in (writer, backend_writer):
                one.close()

    async def _answer(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        if self.cuts:
            beginning = await source.read(self.cut_bytes)
            while len(beginning) < self.cut_bytes and (
                more := await source.read(self.cut_bytes - len(beginning))
            ):
                beginning += more
            sink.write(beginning)
            self.sent += len(beginning)
            if len(beginning) == self.cut_bytes:
                self.cuts -= 1
                await asyncio.to_thread(self.on_cut)
                if self.stalls:
                    await asyncio.Event().wait()
                sink.close()
                return
        self.sent += await _copy(source, sink)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> int:
    copied = 0
    with contextlib.suppress(ConnectionError):
        while chunk := await source.read(65_536):
            sink.write(chunk)
            await sink.drain()
            copied += len(chunk)
    sink.close()
    return copied


@contextlib.contextmanager
def forwarding(target: int) -> Iterator[Forwarder]:
    """Forward in a thread of its own until the end of the block."""
    forwarder = Forwarder(target)
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(forwarder.forward, "127.0.0.1", 0)
        forwarder.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await server.serve_forever()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(_end_everything())
        loop.close()

    task = loop.create_task(serve())
    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        yield forwarder
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


async def _end_everything() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # the connections that they closed
