"""How many connections a port has, by the kernel's own list.

gRPC's library does not tell of the connections that it holds, nor of those that it has not accepted
yet. Knows nothing of gRPC.
"""

import pathlib
from collections.abc import Iterable

_TABLES = (pathlib.Path("/proc/self/net/tcp"), pathlib.Path("/proc/self/net/tcp6"))
_ESTABLISHED = "01"


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
