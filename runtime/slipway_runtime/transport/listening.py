"""Sockets to listen on, for IPv4 and IPv6 at once where the machine has both."""

import os
import socket

from slipway_runtime.failures import Reason, StartupError

_CONNECTIONS_A_TURN = 8


def bind(host: str, port: int, *, variable: str) -> socket.socket:
    """A bound socket on `port` (0: any). An empty `host` is every address of the machine.

    Bound before anything is loaded: a port that is taken should not cost a download. Raises
    StartupError(ConfigurationInvalid), naming `variable`.
    """
    try:
        return _bind(host, port)
    except OSError as error:
        raise StartupError(
            Reason.CONFIGURATION_INVALID,
            f"{variable}: cannot listen on {port}: {os.strerror(error.errno or 0)}",
            subject=variable,
        ) from error


def for_many(listener: socket.socket) -> list[socket.socket]:
    """`listener` and duplicates of it, to be served together.

    Of each socket uvloop takes one connection in a turn of its loop (libuv does since 1.45). A turn that
    waits for a run lasts milliseconds, so that after any delay, when clients open new connections because
    the old ones are in use, these would wait for each other.
    """
    return [listener, *(listener.dup() for _ in range(_CONNECTIONS_A_TURN - 1))]


def _bind(host: str, port: int) -> socket.socket:
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))
