"""The kernel's table of connections, read for one port, and what a drain goes by when it cannot be."""

import asyncio
import contextlib
import os
import socket
import textwrap

import pytest
import structlog

from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport.drain import Drain, DrainLimits
from slipway_runtime.transport.grpc import sockets
from slipway_runtime.transport.grpc.counting import Counting

TABLE = textwrap.dedent("""\
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41
       1: 0100007F:2328 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 42
       2: 0100007F:C350 0100007F:2328 01 00000000:00000000 00:00000000 00000000     0        0 43
       3: 0100007F:2328 0100007F:C351 06 00000000:00000000 00:00000000 00000000     0        0 0
       4: 0100007F:1F90 0100007F:C352 01 00000000:00000000 00:00000000 00000000     0        0 44
    """).splitlines()


def test_only_established_connections_to_the_port_count() -> None:
    assert sockets.count(TABLE, 9000) == 1
    assert sockets.count(TABLE, 8080) == 1
    assert sockets.count(TABLE, 9001) == 0


def test_a_connection_counts_before_it_is_accepted_and_not_after_it_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert sockets.established(port) == (0 if os.path.exists("/proc/self/net/tcp") else None)
        with socket.create_connection(("127.0.0.1", port)):
            assert sockets.established(port) in (1, None)
        assert sockets.established(port) in (0, None)


def test_a_table_that_cannot_be_read_ends_no_counting_and_holds_no_drain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody is presumed to be there until the age of his connection has passed, here 0.2 s and 10 more."""
    times = iter([100.0, 101.0, 109.0, 111.0])

    def unreadable(_port: int) -> int:
        raise OSError("no more file descriptors")

    async def run() -> list[float]:
        drain, metrics = Drain(DrainLimits(quiet=5, timeout=60)), Metrics()
        counting = Counting(drain, metrics, max_age=0.2)
        drain.begin(100.0)
        seen = []
        for now in times:
            await counting.count(9000, now)
            seen.append(_sample(metrics, "slipway_grpc_connections_open"))
        return seen

    monkeypatch.setattr(sockets, "established", unreadable)
    with structlog.testing.capture_logs() as logs:
        assert asyncio.run(run()) == [1, 1, 1, 0]
    assert [entry["event"] for entry in logs] == ["connections_cannot_be_counted"]


def _sample(metrics: Metrics, name: str) -> float:
    value = metrics.registry.get_sample_value(name)
    assert value is not None
    return value


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_bytes_that_a_connection_has_received_are_known_by_the_name_of_its_peer(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(family))
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(("::" if family == socket.AF_INET6 else address, 0))
        server.listen()
        port = server.getsockname()[1]
        client = stack.enter_context(socket.create_connection((address, port)))
        connection = stack.enter_context(server.accept()[0])
        client.sendall(b"x" * 1000)
        assert connection.recv(1000, socket.MSG_WAITALL) == b"x" * 1000

        names = {"127.0.0.1": "ipv4:127.0.0.1", "::1": "ipv6:%5B::1%5D"}
        name = f"{names[address.removeprefix('::ffff:')]}:{client.getsockname()[1]}"
        assert sockets.received(port) == {name: 1000}
        assert connection.fileno() > 0
