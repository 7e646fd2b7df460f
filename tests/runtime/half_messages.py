"""A client of the gRPC port that begins messages and does not end them, on any number of streams at once.

It speaks HTTP/2 by hand, since no library sends half a message. It sends as much as the server's flow
control lets it, and notes which of its streams were ended.
"""

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator

from tests.runtime import grpc_clients

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _LEAVE, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_INITIAL_WINDOW = 4
_FRAME = 16_384
_PORTION = 1 << 18  # sent before it is looked at what the server says


class HalfMessages:
    """One connection. `begin` streams, then let it `run` in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._received = b""
        self._room, self._first_room = 65_535, 65_535
        self._rooms: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._whole: set[int] = set()
        self._next = 1
        self.begun = 0
        self.sent = 0
        self.ended: set[int] = set()
        self.alive = True
        self._socket.sendall(_PREFACE + _frame(_SETTINGS, 0, 0))

    def begin(self, size: int, *, send: int, method: str = grpc_clients.METHOD, prefix: bytes = b"") -> int:
        """A stream with a message of `size` bytes, of which `send` are sent; all of them end the request."""
        stream, self._next = self._next, self._next + 2
        self.begun += 1
        self._socket.sendall(_frame(_HEADERS, _END_HEADERS, stream, _head(method)))
        self._rooms[stream] = self._first_room
        first = struct.pack(">BI", 0, size) + prefix
        self._put(stream, first)
        self._left[stream] = send - len(prefix)
        if send == size:
            self._whole.add(stream)
        return stream

    def step(self, wait: float = 0.05) -> None:
        """Send what may be sent, and read what there is."""
        for stream, left in list(self._left.items()):
            portion = min(left, self._room, self._rooms[stream], _PORTION)
            for start in range(0, portion, _FRAME):
                self._put(stream, bytes(min(_FRAME, portion - start)))
            if left == portion:
                del self._left[stream]
                if stream in self._whole:
                    self._socket.sendall(_frame(_DATA, _END_STREAM, stream))
            else:
                self._left[stream] = left - portion
            if portion:
                wait = 0
        while self.alive and select.select([self._socket], [], [], wait)[0]:
            wait = 0
            more = self._socket.recv(1 << 16)
            self.alive = bool(more)
            self._received += more
            self._read()

    def close(self) -> None:
        self._socket.close()

    def _put(self, stream: int, data: bytes) -> None:
        self._socket.sendall(_frame(_DATA, 0, stream, data))
        self._room -= len(data)
        self._rooms[stream] -= len(data)
        self.sent += len(data)

    def _read(self) -> None:
        while len(self._received) >= 9:
            size = int.from_bytes(self._received[:3])
            if len(self._received) < 9 + size:
                return
            kind, flags = self._received[3:5]
            stream = int.from_bytes(self._received[5:9])
            content, self._received = self._received[9 : 9 + size], self._received[9 + size :]
            self._take(kind, flags, stream, content)

    def _take(self, kind: int, flags: int, stream: int, content: bytes) -> None:
        if kind == _WINDOW and stream:
            self._rooms[stream] += int.from_bytes(content)
        elif kind == _WINDOW:
            self._room += int.from_bytes(content)
        elif kind == _SETTINGS and not flags & _ACK:
            for name, value in struct.iter_unpack(">HI", content):
                if name == _INITIAL_WINDOW:
                    self._rooms = {one: room + value - self._first_room for one, room in self._rooms.items()}
                    self._first_room = value
            self._socket.sendall(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            self._socket.sendall(_frame(_PING, _ACK, 0, content))
        elif kind == _RESET or (kind == _HEADERS and flags & _END_STREAM):
            self.ended.add(stream)
            self._left.pop(stream, None)


@contextlib.contextmanager
def sending(connections: list[HalfMessages]) -> Iterator[None]:
    """While the block lasts each connection sends what it may."""
    over = threading.Event()

    def send(connection: HalfMessages) -> None:
        with contextlib.suppress(OSError):  # the server may have closed it
            while connection.alive and not over.is_set():
                connection.step()

    threads = [threading.Thread(target=send, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for connection in connections:
            connection.close()


def settled(connections: list[HalfMessages], *, seconds: float, within: float) -> None:
    """Wait until nothing more was sent for so many `seconds`."""
    deadline = time.monotonic() + within
    sent, since = -1, time.monotonic()
    while time.monotonic() - since < seconds:
        assert time.monotonic() < deadline, "it goes on and on"
        now = sum(connection.sent for connection in connections)
        if now != sent:
            sent, since = now, time.monotonic()
        time.sleep(0.05)


def _head(method: str) -> bytes:
    """POST, http, and what a call of gRPC needs, without any compression."""
    return b"".join(
        (
            b"\x83\x86\x04",
            _text(method.encode()),
            b"\x01",
            _text(b"127.0.0.1"),
            b"\x0f\x10",
            _text(b"application/grpc"),
            b"\x00",
            _text(b"te"),
            _text(b"trailers"),
        )
    )


def _text(content: bytes) -> bytes:
    return bytes((len(content),)) + content


def _frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + content
