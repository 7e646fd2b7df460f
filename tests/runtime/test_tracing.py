"""Spans of requests, as a collector gets them over OTLP/HTTP; and nothing at all when nobody asks."""

import contextlib
import http.server
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from slipway_runtime.telemetry import tracing
from tests.runtime import grpc_clients, processes
from tests.runtime.processes import ROOT

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """What a receiver of OTLP has got so far."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.url = ""

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            facts = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(facts["service.name"])
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of_trace(self, trace: str) -> dict[str, Span]:
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace}


@contextlib.contextmanager
def _collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        yield collector
        server.shutdown()
        thread.join()


def _attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "") for one in span.attributes}


def test_a_request_is_a_span_of_its_caller_s_trace_with_its_wait_and_its_run_in_it(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with (
        _collecting() as collector,
        processes.running(
            tmp_path,
            bundle,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="100",
            SLIPWAY_DRAIN_QUIET_SECONDS="0.1",
        ) as process,
    ):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "abc"}
        reply = httpx.post(f"{process.url}/v1/predict", json={"texts": ["good", "bad"]}, headers=headers)
        httpx.get(f"{process.url}/health")
        deadline = time.monotonic() + 10
        while len(collector.of_trace(TRACE)) < 4:
            assert time.monotonic() < deadline, collector.spans
            time.sleep(0.05)
        last = httpx.post(f"{process.url}/nothing", headers={"traceparent": f"00-{TRACE[::-1]}-{PARENT}-01"})
        process.terminate()
        assert process.wait_for_end().code == 0

    spans = collector.of_trace(TRACE)
    request, inference, queue, run = (
        spans[name] for name in ("POST /v1/predict", "inference", "queue", "run")
    )
    assert reply.status_code == 200
    assert request.parent_span_id.hex() == PARENT
    assert inference.parent_span_id == request.span_id
    assert {queue.parent_span_id, run.parent_span_id} == {inference.span_id}
    assert _attributes(request) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/v1/predict",
        "slipway.request_id": "abc",
        "slipway.version": "1",
    }
    assert (_attributes(inference)["slipway.rows"], _attributes(inference)["slipway.model"]) == (2, "model")
    assert run.start_time_unix_nano == queue.end_time_unix_nano
    assert collector.services == {"slipway-runtime"}
    assert not any("/health" in span.name for span in collector.spans)
    assert (last.status_code, list(collector.of_trace(TRACE[::-1]))) == (404, ["POST other"])


def test_a_call_over_grpc_is_a_span_of_its_caller_s_trace_too(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    settings = {"OTEL_BSP_SCHEDULE_DELAY": "100", "SLIPWAY_DRAIN_QUIET_SECONDS": "0.1"}
    with (
        _collecting() as collector,
        processes.running(tmp_path, bundle, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **settings) as process,
        grpc_clients.channel(process.grpc_port) as channel,
    ):
        metadata = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-request-id", "abc"))
        body = grpc_clients.request("model", "good")
        channel.unary_unary(grpc_clients.METHOD)(body, metadata=metadata, timeout=10)
        deadline = time.monotonic() + 10
        while len(collector.of_trace(TRACE)) < 4:
            assert time.monotonic() < deadline, collector.spans
            time.sleep(0.05)

    spans = collector.of_trace(TRACE)
    call = spans["grpc/ModelInfer"]
    assert call.parent_span_id.hex() == PARENT
    assert spans["inference"].parent_span_id == call.span_id
    assert _attributes(call) == {
        "rpc.system": "grpc",
        "slipway.request_id": "abc",
        "slipway.version": "1",
    }


def test_a_collector_that_is_not_there_costs_no_answer_and_delays_no_end(
    bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
        "SLIPWAY_DRAIN_QUIET_SECONDS": "0.1",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with processes.running(tmp_path, bundle, **environment) as process:
        assert process.predict("good").status_code == 200
        process.terminate()
        assert process.wait_for_end(timeout=10).code == 0


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
    ],
    ids=["nothing set", "an endpoint", "one for traces", "an exporter", "no exporter", "all of it disabled"],
)
def test_the_variables_of_opentelemetry_turn_it_on(environment: dict[str, str], *, wanted: bool) -> None:
    assert tracing.wanted(environment) is wanted


def test_without_the_packages_the_log_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with structlog.testing.capture_logs() as logs:
        assert tracing.start({"OTEL_TRACES_EXPORTER": "otlp"}) is None

    assert [entry["event"] for entry in logs] == ["tracing_unavailable"]
    assert "slipway[otel]" in logs[0]["detail"]


def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    program = "import sys; from slipway_runtime import app; print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "runtime")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"
