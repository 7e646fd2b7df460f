"""Health, reflection, and what the port says while the model is still loading."""

import pathlib
import socket
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from tests.runtime import bundles, grpc_clients, processes
from tests.runtime.processes import RuntimeProcess

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
INFERENCE = "inference.GRPCInferenceService"


@pytest.fixture
def channel(runtime: RuntimeProcess) -> Iterator[grpc.Channel]:
    with grpc_clients.channel(runtime.grpc_port) as opened:
        yield opened


@pytest.fixture(scope="module")
def loading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A process whose storage has taken its connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "MODEL_URI": "s3://models/sentiment/1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }
        with processes.starting(tmp_path_factory.mktemp("loading"), **environment) as process:
            process.wait_for_phase("Downloading")
            yield process


def _check(channel: grpc.Channel, service: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=10).status)


@pytest.mark.parametrize("service", ["", INFERENCE], ids=["the server", "the service"])
def test_a_ready_server_is_serving(channel: grpc.Channel, service: str) -> None:
    assert _check(channel, service) == SERVING


def test_a_service_that_there_is_not_is_not_found(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as error:
        _check(channel, "inference.Other")

    assert error.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_tells_of_the_services_and_their_messages(channel: grpc.Channel) -> None:
    asked = iter(
        [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=INFERENCE),
        ]
    )
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    services, file = stub.ServerReflectionInfo(asked, timeout=10)

    names = {service.name for service in services.list_services_response.service}
    assert names >= {INFERENCE, "grpc.health.v1.Health"}
    described = descriptor_pb2.FileDescriptorProto.FromString(
        file.file_descriptor_response.file_descriptor_proto[0]
    )
    assert described.service[0].name == "GRPCInferenceService"
    assert "ModelInfer" in {method.name for method in described.service[0].method}


def test_a_loading_server_is_live_and_not_ready(loading: RuntimeProcess) -> None:
    with grpc_clients.channel(loading.grpc_port) as channel:
        stub: Any = service_pb2_grpc.GRPCInferenceServiceStub(channel)

        assert stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=10).live
        assert not stub.ServerReady(service_pb2.ServerReadyRequest(), timeout=10).ready
        assert not stub.ModelReady(service_pb2.ModelReadyRequest(name="model"), timeout=10).ready
        assert _check(channel) == NOT_SERVING


def test_a_loading_server_refuses_and_says_when_to_come_back(loading: RuntimeProcess) -> None:
    with grpc_clients.channel(loading.grpc_port) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(grpc_clients.METHOD)(grpc_clients.request("model", "good"), timeout=10)

    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert error.value.details() == "the model is still being loaded and verified"
    assert int(grpc_clients.metadata(error.value)["grpc-retry-pushback-ms"]) > 0


def test_a_watcher_is_told_when_the_server_becomes_ready(tmp_path: pathlib.Path) -> None:
    bundles.write(tmp_path / "bundle", bundles.BundleOptions(work=50))
    bundle = (tmp_path / "bundle").as_uri()
    with (
        processes.starting(tmp_path / "process", MODEL_URI=bundle, MODEL_VERSION="1") as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        told = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)

        assert any(answer.status == SERVING for answer in told)
