"""How many connections a port has, and how much they have received, by the kernel's own count.

gRPC's library does not tell of the connections that it holds, nor of those that it has not accepted
yet. Knows nothing of gRPC but the names that it gives to peers.
"""

import contextlib
import ipaddress
import os
import pathlib
import socket
import struct
from collections.abc import Iterable

_TABLES = (pathlib.Path("/proc/self/net/tcp"), pathlib.Path("/proc/self/net/tcp6"))
_ESTABLISHED = "01"
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_DESCRIPTORS = pathlib.Path("/proc/self/fd")
_RECEIVED = struct.Struct("128x Q")  # tcpi_bytes_received of tcp_info, since Linux 4.1


def established(port: int) -> int | None:
    """Connections to the local `port`; None where the kernel does not say (it is not Linux)."""
    tables = [table for table in _TABLES if table.exists()]
    if not tables:
        return None
    return sum(count(table.read_text().splitlines(), port) for table in tables)


def count(lines: Iterable[str], port: int) -> int:
    """Established connections to the local `port` among the lines of a table, its header included."""
    end = f":{port:04X}"
    found = 0
    for line in lines:
        _slot, local, _remote, state, *_rest = line.split(maxsplit=4)
        found += state == _ESTABLISHED and local.endswith(end)
    return found


def received(port: int) -> dict[str, int]:
    """The bytes that each connection of this process to its `port` has received, by the name of its peer.

    Without those that end meanwhile, and empty where the kernel does not say.
    """
    found = {}
    for descriptor in os.listdir(_DESCRIPTORS) if _DESCRIPTORS.is_dir() else ():
        # The descriptor is another's: it is neither copied, which would keep it open, nor closed.
        with contextlib.suppress(OSError, ValueError, struct.error):
            if os.readlink(_DESCRIPTORS / descriptor).startswith("socket:"):
                borrowed = socket.socket(fileno=int(descriptor))
                try:
                    if borrowed.family in _FAMILIES and borrowed.getsockname()[1] == port:
                        found[_name(*borrowed.getpeername()[:2])] = _count(borrowed)
                finally:
                    borrowed.detach()
    return found


def _count(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
    (count,) = _RECEIVED.unpack(info)
    return int(count)


def _name(address: str, port: int) -> str:
    """As gRPC writes it."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if isinstance(parsed, ipaddress.IPv6Address) and mapped is None:
        return f"ipv6:%5B{parsed}%5D:{port}"
    return f"ipv4:{mapped or parsed}:{port}"
