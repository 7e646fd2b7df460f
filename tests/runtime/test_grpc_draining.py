"""SIGTERM and old age of connections under gRPC traffic: no call fails, and the process ends by itself."""

import pathlib
import threading
import time
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.runtime import clients, forwarder, grpc_clients, processes

QUICK = {
    "SLIPWAY_CONNECTION_MAX_AGE_SECONDS": "2",
    "SLIPWAY_DRAIN_QUIET_SECONDS": "1",
    "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "20",
}


def test_no_call_fails_when_a_second_process_takes_over(bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What a rollout does: new connections go to the new pod, and the old one gets SIGTERM at that moment."""
    everybody: list[clients.Client] = [
        *[grpc_clients.keep_alive(0.005)] * 4,
        *[grpc_clients.keep_alive(0.7)] * 4,
        *[grpc_clients.new_channels(0.02)] * 2,
    ]
    with (
        processes.running(tmp_path / "old", bundle, SLIPWAY_POD_NAME="old", **QUICK) as old,
        processes.running(tmp_path / "new", bundle, SLIPWAY_POD_NAME="new", **QUICK) as new,
        forwarder.forwarding(old.grpc_port) as service,
        clients.load(service.port, *everybody) as ledger,
    ):
        time.sleep(3)
        service.target = new.grpc_port
        old.terminate()
        ending = old.wait_for_end()
        time.sleep(1)
        errors = [entry for entry in old.log if entry.get("level") == "error"]

    print(f"answers: {dict(ledger.answers)}")
    assert ledger.failures == []
    assert ending.code == 0
    assert errors == []
    assert ledger.by_pod("old") > 200
    assert ledger.by_pod("new") > 200


def test_a_client_that_stays_is_served_for_as_long_as_the_drain_may_last(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = {**QUICK, "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "6"}
    with (
        processes.running(tmp_path, bundle, **environment) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        infer = channel.unary_unary(grpc_clients.METHOD)
        began = time.monotonic()
        process.terminate()
        while time.monotonic() - began < 5:
            infer(grpc_clients.request("model", "good"), timeout=20)
            time.sleep(0.05)
        ending = process.wait_for_end()

    assert ending.code == 0
    assert 5.5 <= time.monotonic() - began <= 12


def test_a_short_drain_makes_connections_live_shorter_so_that_no_call_fails_in_it(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = {"SLIPWAY_DRAIN_QUIET_SECONDS": "1", "SLIPWAY_DRAIN_TIMEOUT_SECONDS": "6"}
    everybody = [grpc_clients.keep_alive(0.1)] * 4
    with (
        processes.running(tmp_path / "old", bundle, SLIPWAY_POD_NAME="old", **environment) as old,
        processes.running(tmp_path / "new", bundle, SLIPWAY_POD_NAME="new", **environment) as new,
        forwarder.forwarding(old.grpc_port) as service,
        clients.load(service.port, *everybody) as ledger,
    ):
        time.sleep(0.5)
        service.target = new.grpc_port
        old.terminate()
        ending = old.wait_for_end()

    assert ledger.failures == []
    assert ending.code == 0
    assert ledger.by_pod("new") > 0


@pytest.mark.parametrize("speaks", [True, False], ids=["that called", "that never called"])
def test_an_idle_channel_holds_a_drain_no_longer_than_its_age(
    bundle: pathlib.Path, tmp_path: pathlib.Path, *, speaks: bool
) -> None:
    with (
        processes.running(tmp_path, bundle, **QUICK) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        grpc.channel_ready_future(channel).result(timeout=20)
        if speaks:
            channel.unary_unary(grpc_clients.METHOD)(grpc_clients.request("model", "good"), timeout=20)
        began = time.monotonic()
        process.terminate()
        ending = process.wait_for_end()

    assert ending.code == 0
    assert 0.9 <= time.monotonic() - began <= 10


def test_a_health_watcher_does_not_hold_a_drain(bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with (
        processes.running(tmp_path, bundle, **QUICK) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watching).status == health_pb2.HealthCheckResponse.SERVING
        began = time.monotonic()
        process.terminate()
        ending = process.wait_for_end()

    assert ending.code == 0
    assert time.monotonic() - began <= 10


def test_a_stream_is_sent_away_at_the_age_of_its_connection_between_two_requests(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    body, asked = grpc_clients.request("model", "good"), threading.Event()

    def requests() -> Iterator[bytes]:
        yield body
        asked.wait(20)

    with (
        processes.running(tmp_path, bundle, **QUICK) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        answers = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")(requests())
        assert b"positive" in next(answers)
        with pytest.raises(grpc.RpcError) as error:
            next(answers)
        asked.set()

    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "this stream has lived long enough: open another"


def test_a_call_that_is_being_answered_is_answered(slow_bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """It outlives the age of its connection, which is shorter than it takes, and the quiet of the drain."""
    environment = {**QUICK, "SLIPWAY_CONNECTION_MAX_AGE_SECONDS": "0.2", "SLIPWAY_DRAIN_QUIET_SECONDS": "0.1"}
    with (
        processes.running(tmp_path, slow_bundle, **environment) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        body = grpc_clients.request("model", *["good"] * 100)
        answer = channel.unary_unary(grpc_clients.METHOD).future(body, timeout=30)
        time.sleep(0.2)
        process.terminate()

        assert answer.result().count(b"positive") == 100
        assert process.wait_for_end().code == 0


def test_what_a_full_queue_took_is_answered_and_what_it_did_not_is_refused(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = {**QUICK, "SLIPWAY_DRAIN_QUIET_SECONDS": "0.5", "SLIPWAY_MAX_QUEUE_ROWS": "60"}
    with (
        processes.running(tmp_path, slow_bundle, **environment) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        grpc.channel_ready_future(channel).result(timeout=20)
        infer, body = channel.unary_unary(grpc_clients.METHOD), grpc_clients.request("model", *["good"] * 20)
        with process.standing_still():  # all of it comes at once, however slowly this machine sends
            calls = [infer.future(body, timeout=40) for _ in range(12)]
            time.sleep(0.3)
        time.sleep(0.05)
        process.terminate()
        statuses = [call.code() for call in calls]

        assert process.wait_for_end().code == 0
    assert set(statuses) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert all(call.result().count(b"positive") == 20 for call in calls if call.code() is grpc.StatusCode.OK)


def test_health_stays_serving_in_a_drain(bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with (
        processes.running(tmp_path, bundle, **QUICK) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        check = health_pb2_grpc.HealthStub(channel).Check
        check(health_pb2.HealthCheckRequest())  # from now on the drain waits for this client
        process.terminate()
        time.sleep(0.3)

        assert check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
        assert process.wait_for_end().code == 0


def test_a_port_that_is_taken_is_said_before_anything_is_loaded(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with (
        processes.running(tmp_path / "first", bundle) as first,
        processes.starting(
            tmp_path / "second", MODEL_URI=bundle.as_uri(), SLIPWAY_GRPC_PORT=str(first.grpc_port)
        ) as second,
    ):
        ending = second.wait_for_end()

    assert ending.code == 1
    assert ending.message["reason"] == "ConfigurationInvalid"
    assert ending.message["message"].startswith(f"SLIPWAY_GRPC_PORT: cannot listen on {first.grpc_port}")
