"""The load generator against a server whose every answer is known."""

import http.server
import pathlib
import threading
import time
from collections.abc import Iterator

import pytest

from bench.runtime import client
from bench.runtime.client import ClientError, Load
from tests.cluster import toolchain

pytestmark = pytest.mark.skipif(toolchain.go() is None, reason="Go builds the load generator")


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the body says: a status, and the milliseconds to wait before it."""

    protocol_version = "HTTP/1.1"
    connections = 0
    bodies: list[str]

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.bodies.append(body)
        status, wait = map(int, body.strip("[]").split(","))
        time.sleep(wait / 1000)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what came of it."""


class _Server(http.server.ThreadingHTTPServer):
    """Takes it without a word that a client leaves, as one does that is cut off."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def handler() -> type[_Handler]:
    return type("Handler", (_Handler,), {"bodies": [], "connections": 0})


@pytest.fixture
def url(handler: type[_Handler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/predict"
    server.shutdown()
    server.server_close()
    thread.join()


def _bodies(folder: pathlib.Path, *bodies: str) -> pathlib.Path:
    file = folder / "bodies"
    file.write_text("\n".join(bodies))
    return file


def test_each_client_sends_its_requests_in_turn_on_one_connection(
    url: str, handler: type[_Handler], tmp_path: pathlib.Path
) -> None:
    file = _bodies(tmp_path, "[200,0]", "[429,0]")

    found = client.send(url, file, Load(connections=2, seconds=10, count=6), core=None)

    assert {status: group.count for status, group in found.statuses.items()} == {200: 6, 429: 6}
    assert found.failed == 6
    assert sorted(handler.bodies) == ["[200,0]"] * 6 + ["[429,0]"] * 6
    assert handler.connections == 2


def test_latencies_are_those_of_the_server_and_kept_apart_by_status(url: str, tmp_path: pathlib.Path) -> None:
    file = _bodies(tmp_path, "[200,60]", "[503,0]")

    found = client.send(url, file, Load(connections=1, seconds=10, count=4), core=None)

    assert 60 <= found.statuses[200].p50 <= found.statuses[200].p99 <= found.statuses[200].max
    assert found.statuses[503].p50 < 60


def test_a_closed_loop_ends_on_time_and_does_not_count_what_it_cut_off(
    url: str, tmp_path: pathlib.Path
) -> None:
    began = time.monotonic()

    found = client.send(url, _bodies(tmp_path, "[200,5000]"), Load(connections=3, seconds=0.5), core=None)

    assert time.monotonic() - began < 4
    assert found.statuses == {}
    assert found.failed == 0


def test_an_open_loop_does_not_wait_for_answers(url: str, tmp_path: pathlib.Path) -> None:
    load = Load(connections=50, seconds=1, rate=20)

    found = client.send(url, _bodies(tmp_path, "[200,500]"), load, core=None)

    assert found.statuses[200].count + found.failed == pytest.approx(20, abs=1)


def test_a_server_that_is_not_there_is_a_failure_and_no_crash(tmp_path: pathlib.Path) -> None:
    file = _bodies(tmp_path, "[200,0]")

    found = client.send("http://127.0.0.1:9/x", file, Load(connections=1, seconds=5, count=2), core=None)

    assert found.failed == 2
    assert found.rate == 0


def test_only_a_server_on_this_machine_is_ever_asked(tmp_path: pathlib.Path) -> None:
    file = _bodies(tmp_path, "[200,0]")

    with pytest.raises(ClientError):
        client.send("http://192.0.2.1/x", file, Load(connections=1, seconds=1), core=None)


def test_so_many_answers_are_counted_from_one_to_one_and_then_nobody_is_waited_for(
    url: str, tmp_path: pathlib.Path
) -> None:
    file = _bodies(tmp_path, "[200,20]")
    load = Load(connections=2, seconds=60, warm_up=0.1, answers=10)

    began = time.monotonic()
    found = client.send(url, file, load, core=None)

    assert time.monotonic() - began < 30
    assert found.failed == 0
    assert found.statuses[200].count == 10
    assert 10 < found.rate <= 110, "two at a time, 20 ms each: a hundred a second, or fewer"


def test_where_the_time_is_up_first_what_has_come_is_counted(url: str, tmp_path: pathlib.Path) -> None:
    file = _bodies(tmp_path, "[200,20]")

    found = client.send(url, file, Load(connections=1, seconds=0.5, answers=1000), core=None)

    assert 0 < found.statuses[200].count < 30
    assert found.seconds == pytest.approx(0.5, abs=0.1)
