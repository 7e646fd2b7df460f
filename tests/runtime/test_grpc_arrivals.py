"""Messages that begin and do not end: what they cost, and that nobody else waits for them."""

import asyncio
import concurrent.futures
import contextlib
import pathlib
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from slipway_runtime.transport.grpc.places import Connection, Places
from slipway_runtime.transport.grpc.pressure import Memory, Pressure
from slipway_runtime.transport.grpc.reads import Read
from tests.runtime import bounds, grpc_clients, half_messages, processes
from tests.runtime.half_messages import HalfMessages
from tests.runtime.processes import RuntimeProcess

_MIB = 1 << 20
_LARGE = 16 * _MIB - 100
# Eight that have a place, eight that need none, and what comes before it is seen that others are too many.
_ALLOWED_MIB = 256 + 192
_CONNECTIONS, _STREAMS = 4, 50
STREAM = grpc_clients.METHOD.replace("ModelInfer", "ModelStreamInfer")
HALF = {
    "calls": grpc_clients.METHOD,
    "streams": STREAM,
    "health": "/grpc.health.v1.Health/Check",
    "watchers": "/grpc.health.v1.Health/Watch",
    "reflection": "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "what there is not": "/inference.GRPCInferenceService/ModelDelete",
}


@pytest.fixture
def served(bundle: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[RuntimeProcess]:
    with processes.running(tmp_path, bundle) as process:
        assert process.predict("good").status_code == 200
        yield process


@contextlib.contextmanager
def _bounded(process: RuntimeProcess) -> Iterator[None]:
    pathlib.Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak counts from here
    before = bounds.memory(process, "VmRSS")
    yield
    peak = bounds.memory(process, "VmHWM")
    assert peak - before <= _ALLOWED_MIB, f"from {before} to {peak} MiB"


@contextlib.contextmanager
def _answering(process: RuntimeProcess) -> Iterator[None]:
    """While the block lasts others ask, on an old connection and on new ones, and are answered."""
    over = threading.Event()
    body = grpc_clients.request("model", "good")

    def ask_again(channel: grpc.Channel) -> int:
        asked = 0
        while not over.wait(0.02):
            assert channel.unary_unary(grpc_clients.METHOD)(body, timeout=5).count(b"positive") == 1
            asked += 1
        return asked

    def ask_anew() -> int:
        asked = 0
        while not over.wait(0.1):
            with grpc_clients.channel(process.grpc_port) as new:
                assert new.unary_unary(grpc_clients.METHOD)(body, timeout=5).count(b"positive") == 1
            asked += 1
        return asked

    with grpc_clients.channel(process.grpc_port) as old, concurrent.futures.ThreadPoolExecutor(2) as others:
        asking = [others.submit(ask_again, old), others.submit(ask_anew)]
        try:
            yield
        finally:
            over.set()
        assert all(one.result() > 3 for one in asking)


def _connections(process: RuntimeProcess, *, number: int = _CONNECTIONS) -> list[HalfMessages]:
    return [HalfMessages(process.grpc_port) for _ in range(number)]


def _begin(connections: list[HalfMessages], method: str, *, send: int, streams: int = _STREAMS) -> None:
    for connection in connections:
        for _ in range(streams):
            connection.begin(_LARGE, send=send, method=method)


@pytest.mark.parametrize("method", HALF.values(), ids=HALF)
def test_half_messages_are_bounded_and_others_are_answered(served: RuntimeProcess, method: str) -> None:
    before = bounds.memory(served, "RssAnon")
    connections = _connections(served)
    _begin(connections, method, send=_LARGE - _MIB)
    with _bounded(served), _answering(served), half_messages.sending(connections):
        time.sleep(6)

    deadline = time.monotonic() + 20
    while bounds.memory(served, "RssAnon") - before > 128:  # some lies between what is used
        assert time.monotonic() < deadline, "what the clients have sent stays after they have left"
        time.sleep(0.1)


def test_half_messages_behind_small_ones_that_were_whole_are_bounded_too(served: RuntimeProcess) -> None:
    """With every small message that comes at once a connection may have one more on the way."""
    small = grpc_clients.request("model", "good")
    connections = _connections(served)
    for connection in connections:
        for _ in range(_STREAMS):
            connection.begin(len(small), send=len(small), prefix=small)
        while len(connection.ended) < _STREAMS:
            connection.step()
    _begin(connections, grpc_clients.METHOD, send=_LARGE - _MIB)
    refused = 'requests_total{endpoint="grpc/ModelInfer",status="RESOURCE_EXHAUSTED"}'
    deadline = time.monotonic() + 60
    with _bounded(served), _answering(served), half_messages.sending(connections):
        time.sleep(6)
        while not served.metric(refused):
            assert time.monotonic() < deadline, "none is refused"
            time.sleep(0.1)

    assert served.metric('slipway_rejected_total{reason="held_bytes"}') > 0


def test_half_messages_on_many_connections_are_bounded_too(served: RuntimeProcess) -> None:
    connections = _connections(served, number=60)
    _begin(connections, grpc_clients.METHOD, send=_LARGE - _MIB, streams=4)
    with _bounded(served), _answering(served), half_messages.sending(connections):
        time.sleep(6)


def test_large_messages_that_are_whole_are_all_looked_at(served: RuntimeProcess) -> None:
    """As many at once as before, only that they come one after another."""
    connections = _connections(served)
    _begin(connections, grpc_clients.METHOD, send=_LARGE)
    deadline = time.monotonic() + 60
    with _bounded(served), half_messages.sending(connections):
        while sum(len(connection.ended) for connection in connections) < _CONNECTIONS * _STREAMS:
            assert time.monotonic() < deadline, "they are not done"
            time.sleep(0.1)

    invalid = 'requests_total{endpoint="grpc/ModelInfer",status="INVALID_ARGUMENT"}'  # zeros are no request
    assert served.metric(invalid) == _CONNECTIONS * _STREAMS


def test_a_message_that_does_not_come_to_its_end_is_given_up(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with processes.running(tmp_path, bundle, SLIPWAY_CLIENT_TIMEOUT_SECONDS="1") as impatient:
        connection = HalfMessages(impatient.grpc_port)
        _begin([connection], grpc_clients.METHOD, send=_MIB, streams=3)
        deadline = time.monotonic() + 10
        with half_messages.sending([connection]):
            while len(connection.ended) < 3:
                assert time.monotonic() < deadline, "it is waited for"
                time.sleep(0.05)

        late = 'requests_total{endpoint="grpc/ModelInfer",status="DEADLINE_EXCEEDED"}'
        assert impatient.metric(late) >= 2  # the third may have waited for its place


def test_a_call_without_a_message_is_told_so(served: RuntimeProcess) -> None:
    with grpc_clients.channel(served.grpc_port) as channel, pytest.raises(grpc.RpcError) as error:
        channel.stream_unary(grpc_clients.METHOD)(iter(()), timeout=5)

    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == "the call has no message"


def test_idle_streams_are_left_alone_while_others_send_halves(served: RuntimeProcess) -> None:
    body = grpc_clients.request("model", "good")
    over = threading.Event()

    def twice() -> Iterator[bytes]:
        yield body
        over.wait(20)
        yield body

    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(20):
            channel = stack.enter_context(grpc_clients.channel(served.grpc_port))
            streams.append(channel.stream_stream(STREAM)(twice(), timeout=30))
        for stream in streams:
            assert b"positive" in next(stream)
        connections = _connections(served)
        _begin(connections, STREAM, send=_LARGE - _MIB)
        with _bounded(served), half_messages.sending(connections):
            time.sleep(3)
            assert sum(len(connection.ended) for connection in connections) >= _STREAMS
        over.set()
        for stream in streams:
            assert b"positive" in next(stream)
    assert served.metric('requests_total{endpoint="grpc/ModelStreamInfer",status="UNAVAILABLE"}') > 0


def test_a_connection_has_one_message_without_a_place_and_one_more_for_each_small_one() -> None:
    async def scenario() -> None:
        places, one = Places(1), Connection("one")
        assert places.take(one) is False
        assert places.take(one) is True
        assert places.take(one) is None
        third = asyncio.create_task(places.wait(one, within=1))
        await asyncio.sleep(0)
        assert not third.done()
        one.credit += 1
        places.leave(one, placed=False)
        assert await third is False
        assert (one.loose, one.placed) == (1, True)

    asyncio.run(scenario())


def test_places_go_round_among_the_connections() -> None:
    async def scenario() -> None:
        places, one, other = Places(1), Connection("one"), Connection("other")
        one.bar()
        other.bar()
        assert places.take(one)
        order: list[str] = []

        async def wait(connection: Connection) -> None:
            assert await places.wait(connection, within=1)
            order.append(connection.peer)
            places.leave(connection, placed=True)

        waiting = [asyncio.create_task(wait(connection)) for connection in (one, one, one, other)]
        await asyncio.sleep(0)
        assert places.wanted
        places.leave(one, placed=True)
        await asyncio.gather(*waiting)
        assert order.index("other") < 2
        assert not places.wanted

    asyncio.run(scenario())


def test_a_place_is_not_lost_with_the_call_that_it_is_given_to() -> None:
    async def scenario() -> None:
        places, one, other = Places(1), Connection("one"), Connection("other")
        one.bar()
        other.bar()
        assert places.take(one)
        gone = asyncio.create_task(places.wait(other, within=1))
        late = asyncio.create_task(places.wait(other, within=0.01))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await late
        places.leave(one, placed=True)
        gone.cancel()  # in the moment in which it is given the place
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert places.take(one)

    asyncio.run(scenario())


def test_only_connections_that_receive_are_ended_when_the_process_grows() -> None:
    async def scenario() -> None:
        used, received = 0, {"pouring": 0, "idle": 0}
        memory = Memory(used=lambda: used, give_back=lambda: None, received=lambda: dict(received))
        pressure = Pressure(memory, allowed=2, growth=100)
        pressure.begin()
        pouring, idle = Connection("pouring"), Connection("idle")
        slow = [Read(one, 0.0, stream=True) for one in (pouring, pouring, idle, idle)]
        assert await pressure.too_many(slow, quiet=False) == []
        used = 101
        assert await pressure.too_many(slow, quiet=False) == []
        received["pouring"] += 2 * _MIB
        received["idle"] += 1000
        assert await pressure.too_many(slow, quiet=False) == slow[:2]
        pouring.taken += 2 * _MIB  # they were whole messages
        assert await pressure.too_many(slow, quiet=False) == []
        assert await pressure.too_many(slow[:2], quiet=False) == []

    asyncio.run(scenario())
