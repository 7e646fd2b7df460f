"""Each class of client treats its connection as its kind does, and none sends anything twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from tests.ledger.generator import asking, connections, judging
from tests.ledger.generator.load import ClientClass
from tests.ledger_tests import server as behave
from tests.ledger_tests.server import Behaviour, Server

Serve = Callable[[Behaviour], Server]
KEEPING = [ClientClass.FAST, ClientClass.SLOW, ClientClass.POOL]
ALL = [*KEEPING, ClientClass.NEW]


class Caller:
    """A client whose exchanges a test counts: "" for a served one, else the reason."""

    def __init__(self, server: Server, client_class: ClientClass, timeout: float = 5) -> None:
        self.chance = random.Random(1)  # noqa: S311
        self.way = connections.poster(client_class, server.target, timeout=timeout, chance=self.chance)
        self.calls = 0

    def call(self) -> str:
        self.calls += 1
        request = asking.ask(f"g/{self.calls}", self.chance)
        try:
            return judging.judge(request, self.way.post(request)).reason
        except Exception as error:
            return judging.explain(error)

    def many(self, count: int, pause: float = 0.0) -> list[str]:
        reasons = []
        for _ in range(count):
            reasons.append(self.call())
            time.sleep(pause)
        self.way.close()
        return reasons


@pytest.mark.parametrize("client_class", KEEPING)
def test_a_keep_alive_client_stays_on_its_connection(serve: Serve, client_class: ClientClass) -> None:
    server = serve(behave.right)
    caller = Caller(server, client_class)
    assert caller.many(5) == [""] * 5
    assert server.seen.connections == 1
    assert (caller.way.connection.number, caller.way.connection.reused) == (1, True)


def test_a_new_client_opens_a_connection_each_time(serve: Serve) -> None:
    server = serve(behave.right)
    caller = Caller(server, ClientClass.NEW)
    assert caller.many(5) == [""] * 5
    assert server.seen.connections == 5
    assert (caller.way.connection.number, caller.way.connection.reused) == (5, False)


@pytest.mark.parametrize("client_class", ALL)
def test_every_client_obeys_connection_close(serve: Serve, client_class: ClientClass) -> None:
    server = serve(behave.right_and_says_close)
    assert Caller(server, client_class).many(5, pause=0.02) == [""] * 5
    assert server.seen.connections == 5


@pytest.mark.parametrize("client_class", [ClientClass.FAST, ClientClass.SLOW])
def test_a_client_that_does_not_look_runs_into_a_closed_connection(
    serve: Serve, client_class: ClientClass
) -> None:
    server = serve(behave.right_then_closes_silently)
    reasons = Caller(server, client_class).many(4, pause=0.05)
    assert (reasons[0], reasons[2]) == ("", "")
    # Which of the three depends on how far the request got before the peer's reset came back.
    closed = ("RemoteDisconnected", "ConnectionResetError ECONNRESET", "BrokenPipeError EPIPE")
    assert all(reason in closed for reason in reasons[1::2]), reasons
    assert server.seen.requests.total() == 2, "a request into a closed connection must not be sent again"


def test_a_pool_looks_first_and_is_served(serve: Serve) -> None:
    server = serve(behave.right_then_closes_silently)
    assert Caller(server, ClientClass.POOL).many(4, pause=0.25) == [""] * 4
    assert server.seen.connections == 4


@pytest.mark.parametrize("client_class", [*ALL, ClientClass.UPLOAD])
def test_a_dropped_request_is_a_failure_and_is_never_repeated(
    serve: Serve, client_class: ClientClass
) -> None:
    server = serve(behave.drops)
    calls = 1 if client_class is ClientClass.UPLOAD else 4
    reasons = Caller(server, client_class).many(calls)
    assert all(reasons)
    assert set(server.seen.requests.values()) == {1}
    assert len(server.seen.requests) == calls


@pytest.mark.parametrize("client_class", ALL)
def test_nobody_there_is_refused(serve: Serve, client_class: ClientClass) -> None:
    server = serve(behave.right)
    server.close()
    assert Caller(server, client_class).call().endswith("ECONNREFUSED")


@pytest.mark.parametrize("client_class", ALL)
def test_silence_is_a_timeout(serve: Serve, client_class: ClientClass) -> None:
    caller = Caller(serve(behave.too_late), client_class, timeout=0.3)
    assert caller.many(1)[0].startswith("timeout")


@pytest.mark.parametrize("client_class", ALL)
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (behave.of_somebody_else, "mismatch: text of another request"),
        (behave.shutting_down, "status 503 shutting_down"),
    ],
)
def test_a_wrong_answer_fails_but_its_connection_lives_on(
    serve: Serve, client_class: ClientClass, behaviour: Behaviour, reason: str
) -> None:
    server = serve(behaviour)
    assert Caller(server, client_class).many(3) == [reason] * 3
    assert server.seen.connections == (3 if client_class is ClientClass.NEW else 1)


def test_an_upload_takes_its_time_on_a_connection_of_its_own(serve: Serve) -> None:
    server = serve(behave.right)
    begun = time.monotonic()
    assert Caller(server, ClientClass.UPLOAD).many(1) == [""]
    assert 1 <= time.monotonic() - begun < 10
    assert server.seen.connections == 1
