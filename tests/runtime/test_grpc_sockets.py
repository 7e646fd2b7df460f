"""The kernel's table of connections, read for one port."""

import os
import socket
import textwrap

from slipway_runtime.transport.grpc import sockets

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
