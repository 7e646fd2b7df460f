"""A forward proxy on loopback: the only one who knows where certain hosts are."""

import contextlib
import socket
import socketserver
import threading
import urllib.parse
from collections.abc import Iterator, Mapping


class Proxy:
    """Forwards to 127.0.0.1, at the port of each host. `asked` lists what it was asked for."""

    def __init__(self, port: int, ports: Mapping[str, int]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ports = ports
        self.asked: list[str] = []

    def forward(self, client: socket.socket) -> None:
        """One connection: CONNECT, or a request that names its whole URL."""
        head = b""
        while b"\r\n\r\n" not in head:
            received = client.recv(65_536)
            if not received:
                return
            head += received
        method, target, rest = head.split(b" ", 2)
        url = urllib.parse.urlsplit(target.decode() if b"://" in target else f"//{target.decode()}")
        self.asked.append(f"{method.decode()} {url.netloc}")
        port = self.ports.get(url.hostname or "")
        if port is None:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = url._replace(scheme="", netloc="").geturl()
                server.sendall(b" ".join((method, path.encode(), rest)))
            back = threading.Thread(target=_copy, args=(server, client))
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def proxying(ports: Mapping[str, int]) -> Iterator[Proxy]:
    """A proxy for the hosts in `ports`, in threads of its own."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            proxy.forward(self.request)

    with _Server(("127.0.0.1", 0), Handler) as server:
        proxy = Proxy(server.server_address[1], ports)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
