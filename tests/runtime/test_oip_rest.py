"""The Open Inference Protocol over REST, route by route: what is answered, and how each refusal reads."""

import contextlib
import gzip
import json
import pathlib
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest

from tests.runtime import bundles, processes
from tests.runtime.processes import RuntimeProcess

LENGTH = "Inference-Header-Content-Length"
INFER = "/v2/models/model/infer"


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A model of tensors: two of INT32 [-1, 16] to their sum and their difference."""
    directory = tmp_path_factory.mktemp("simple")
    bundles.write_simple(directory / "bundle")
    with processes.running(directory, directory / "bundle") as process:
        yield process


def _text_input(*texts: str, **changes: Any) -> dict[str, Any]:
    return {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts), **changes}


def _infer(process: RuntimeProcess, body: Any, *, headers: dict[str, str] | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{process.url}{INFER}", content=content, headers=headers or {}, timeout=30)


def _bytes(*elements: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


def _behind(head: dict[str, Any], *tensors: bytes) -> tuple[bytes, dict[str, str]]:
    text = json.dumps(head).encode()
    return text + b"".join(tensors), {LENGTH: str(len(text))}


def _outputs(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 200, reply.text
    return {output["name"]: output for output in reply.json()["outputs"]}


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_the_server_says_what_it_offers(runtime: RuntimeProcess, path: str) -> None:
    body = httpx.get(f"{runtime.url}{path}").json()

    assert body["name"] == "slipway-runtime"
    assert "binary_tensor_data" in body["extensions"]


def test_health_has_bodies_that_clients_parse(runtime: RuntimeProcess) -> None:
    assert httpx.get(f"{runtime.url}/v2/health/live").json()["live"] is True
    assert httpx.get(f"{runtime.url}/v2/health/ready").json()["ready"] is True
    assert httpx.get(f"{runtime.url}/v2/models/model/ready").json() == {"name": "model", "ready": True}


def test_nothing_is_ready_before_the_model_is(bundle: pathlib.Path, tmp_path: pathlib.Path) -> None:
    slow_start = {"MODEL_URI": "s3://models/none/1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with processes.starting(tmp_path, MODEL_VERSION="1", **slow_start) as process:
        _ = process.port
        live = _patiently(f"{process.url}/v2/health/live")
        ready = httpx.get(f"{process.url}/v2/health/ready")
        infer = _infer(process, {"inputs": [_text_input("good")]})

    assert live.status_code == 200
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert ready.json()["error"]
    assert infer.status_code == 503
    assert infer.headers["retry-after"]
    assert infer.json().keys() == {"error"}


@pytest.mark.parametrize("path", ["/v2/models/model", "/v2/models/model/versions/1"])
def test_a_model_says_what_it_takes_and_gives(runtime: RuntimeProcess, path: str) -> None:
    assert httpx.get(f"{runtime.url}{path}").json() == {
        "name": "model",
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "score", "datatype": "FP32", "shape": [-1]},
            {"name": "scores", "datatype": "FP32", "shape": [-1, 2]},
        ],
    }


def test_a_configuration_has_the_batch_axis_apart_as_triton_has_it(simple: RuntimeProcess) -> None:
    config = httpx.get(f"{simple.url}/v2/models/model/config").json()

    assert config["max_batch_size"] > 0
    assert config["input"][0] == {"name": "INPUT0", "data_type": "TYPE_INT32", "dims": [16]}


def test_statistics_count_what_was_answered(simple: RuntimeProcess) -> None:
    def read() -> dict[str, Any]:
        one = httpx.get(f"{simple.url}/v2/models/model/stats").json()["model_stats"]
        assert httpx.get(f"{simple.url}/v2/models/stats").json()["model_stats"] == one
        found: dict[str, Any] = one[0]
        return found

    before = read()
    _outputs(_infer(simple, {"inputs": _sum_inputs(rows=3)}))
    after = read()

    assert after["inference_count"] - before["inference_count"] == 3
    success = [one["inference_stats"]["success"] for one in (before, after)]
    assert success[1]["count"] - success[0]["count"] == 1
    assert success[1]["ns"] > success[0]["ns"]


def test_the_index_lists_what_is_served(runtime: RuntimeProcess) -> None:
    url = f"{runtime.url}/v2/repository/index"
    served = [{"name": "model", "version": "1", "state": "READY", "reason": ""}]

    assert httpx.post(url).json() == served
    assert httpx.post(url, json={"ready": True}).json() == served


def test_json_without_a_content_type_is_read(runtime: RuntimeProcess) -> None:
    reply = _infer(runtime, {"id": "a-1", "inputs": [_text_input("good", "bad")]})

    outputs = _outputs(reply)
    assert reply.json()["id"] == "a-1"
    assert (reply.json()["model_name"], reply.json()["model_version"]) == ("model", "1")
    assert outputs["label"]["data"] == ["positive", "negative"]
    assert outputs["scores"]["shape"] == [2, 2]
    assert outputs["score"]["data"][0] == pytest.approx(bundles.score("good"), abs=1e-6)
    assert reply.headers["x-slipway-version"] == "1"


def test_only_the_outputs_that_are_asked_for_are_sent_in_the_order_asked(runtime: RuntimeProcess) -> None:
    body = {"inputs": [_text_input("good")], "outputs": [{"name": "score"}, {"name": "label"}]}

    assert [output["name"] for output in _infer(runtime, body).json()["outputs"]] == ["score", "label"]


def test_tensors_may_stand_behind_the_json_both_ways(runtime: RuntimeProcess) -> None:
    data = _bytes(b"good", "schön".encode())
    head = {
        "inputs": [
            {"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(data)}}
        ],
        "outputs": [{"name": "score", "parameters": {"binary_data": True}}, {"name": "label"}],
    }
    content, headers = _behind(head, data)

    reply = _infer(runtime, content, headers=headers)

    size = int(reply.headers[LENGTH])
    score, label = json.loads(reply.content[:size])["outputs"]
    assert reply.headers["content-type"] == "application/octet-stream"
    assert score["parameters"] == {"binary_data_size": 8}
    assert "data" not in score
    assert label["data"][0] == "positive"
    values = np.frombuffer(reply.content[size:], "<f4")
    assert values[0] == pytest.approx(bundles.score("good"), abs=1e-6)


def test_a_raw_body_is_the_one_input_and_is_answered_in_kind(runtime: RuntimeProcess) -> None:
    reply = _infer(runtime, b"good", headers={LENGTH: "0"})

    size = int(reply.headers[LENGTH])
    label = json.loads(reply.content[:size])["outputs"][0]
    assert (label["name"], label["shape"]) == ("label", [1])
    assert reply.content[size:].startswith(_bytes(b"positive"))


def test_a_raw_body_of_numbers_gets_its_shape_from_its_length(tmp_path: pathlib.Path) -> None:
    bundles.write_simple_identity(tmp_path / "bundle")
    with processes.running(tmp_path, tmp_path / "bundle") as process:
        spec = httpx.get(f"{process.url}/v2/models/model").json()["inputs"][0]
        reply = _infer(process, b"whole", headers={LENGTH: "0"})

    assert (spec["datatype"], reply.status_code) == ("BYTES", 200)
    assert reply.content.endswith(_bytes(b"whole"))


def test_a_raw_body_for_two_inputs_is_refused(simple: RuntimeProcess) -> None:
    reply = _infer(simple, bytes(64), headers={LENGTH: "0"})

    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "a raw body is for a model with one input, and this one has 2",
    )


def test_tensors_of_a_model_without_text(simple: RuntimeProcess) -> None:
    outputs = _outputs(_infer(simple, {"inputs": _sum_inputs(rows=2)}))

    assert outputs["OUTPUT0"]["shape"] == [2, 16]
    assert outputs["OUTPUT0"]["data"] == [2 * number for number in range(32)]
    assert outputs["OUTPUT1"]["data"] == [0] * 32


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_requests_are_read(runtime: RuntimeProcess, encoding: str) -> None:
    plain = json.dumps({"inputs": [_text_input("good")]}).encode()
    content = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)

    reply = _infer(runtime, content, headers={"content-encoding": encoding})

    assert _outputs(reply)["label"]["data"] == ["positive"]


@pytest.mark.parametrize(
    ("accepted", "used"),
    [("gzip", "gzip"), ("deflate", "deflate"), ("br, gzip;q=0.5", "gzip"), ("gzip;q=0", None), ("br", None)],
)
def test_long_answers_are_compressed_when_that_is_accepted(
    runtime: RuntimeProcess, accepted: str, used: str | None
) -> None:
    reply = _infer(runtime, {"inputs": [_text_input(*["good"] * 100)]}, headers={"accept-encoding": accepted})

    assert reply.headers.get("content-encoding") == used
    assert len(_outputs(reply)["label"]["data"]) == 100


@pytest.mark.parametrize(
    "terms", [{"priority": "bulk", "timeout": 20_000_000}, {"priority": 2}, {"own": "x"}]
)
def test_parameters_that_can_be_met_change_nothing(runtime: RuntimeProcess, terms: dict[str, Any]) -> None:
    reply = _infer(runtime, {"inputs": [_text_input("good")], "parameters": terms})

    assert _outputs(reply)["label"]["data"] == ["positive"]


@pytest.mark.parametrize(
    ("parameters", "headers"),
    [({"timeout": 50_000}, {}), ({}, {"X-Request-Timeout": "0.05"})],
    ids=["as a parameter", "as a header"],
)
def test_a_timeout_that_passes_is_504(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path, parameters: dict[str, Any], headers: dict[str, str]
) -> None:
    with processes.running(tmp_path, slow_bundle) as process:
        body = {"inputs": [_text_input(*["good"] * 100)], "parameters": parameters}
        reply = _infer(process, body, headers=headers)

    assert reply.status_code == 504
    assert reply.json().keys() == {"error"}


def test_the_rows_of_a_client_that_leaves_leave_the_queue(
    slow_bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    counted = 'requests_total{{endpoint="/v2/models/{{model}}/infer",status="{}"}}'
    gone, answered = counted.format(499), counted.format(200)
    waiting = 'slipway_queue_rows{model="model",version="1"}'
    body = json.dumps({"inputs": [_text_input(*["good"] * 100)]}).encode()
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    with processes.running(tmp_path, slow_bundle) as process:
        with contextlib.ExitStack() as clients:  # three, for a busy machine may look at them a second late
            for _ in range(3):
                client = socket.create_connection(("127.0.0.1", process.port), timeout=30)
                clients.enter_context(client).sendall(head.encode() + body)
            _wait(lambda: process.metric(waiting) > 100)
        _wait(lambda: process.metric(gone) + process.metric(answered) == 3 and process.metric(waiting) == 0)
        assert process.metric(gone) >= 1  # the first may be answered before its client has left


@dataclass(frozen=True, slots=True)
class Refusal:
    body: Any
    says: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)


def _with(*inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"inputs": list(inputs), **more}


REFUSALS = {
    "nothing": Refusal(b"", "not JSON"),
    "no JSON": Refusal(b"inputs", "not JSON"),
    "a list": Refusal([], "should be an object"),
    "no inputs": Refusal({}, "inputs: Field required"),
    "an empty list of inputs": Refusal(_with(), "inputs: List should have at least 1 item"),
    "an unknown input": Refusal(
        _with(_text_input("a", name="x")), "there is no input 'x'; the inputs are 'text'"
    ),
    "an input twice": Refusal(_with(_text_input("a"), _text_input("a")), "given twice"),
    "another datatype": Refusal(
        _with(_text_input("a", datatype="FP32")), "input 'text' is BYTES, not 'FP32'"
    ),
    "an unknown datatype": Refusal(_with(_text_input("a", datatype="STRING")), "inputs.0.datatype"),
    "another rank": Refusal(_with(_text_input("a", shape=[1, 1])), "has shape [-1]"),
    "a variable shape": Refusal(
        _with(_text_input("a", shape=[-1])), "has shape [-1] (-1: any length), not [-1]"
    ),
    "a shape that is a word": Refusal(_with(_text_input("a", shape="1")), "inputs.0.shape"),
    "a fractional shape": Refusal(_with(_text_input("a", shape=[1.0])), "inputs.0.shape.0"),
    "a true shape": Refusal(_with(_text_input("a", shape=[True])), "inputs.0.shape.0"),
    "thousands of axes": Refusal(_with(_text_input("a", shape=[1] * 5000)), "at most 32 items"),
    "no rows": Refusal(
        _with(_text_input(shape=[0], data=[])), "1 to 100 rows (the first axis), this one has 0"
    ),
    "101 texts": Refusal(
        _with(_text_input(*["a"] * 101)), "1 to 100 rows (the first axis), this one has 101"
    ),
    "a shape of 2^62 rows": Refusal(_with(_text_input("a", shape=[2**62])), "1 to 100 rows"),
    "fewer data than the shape says": Refusal(_with(_text_input("a", shape=[2])), "data has 1 elements"),
    "more data than the shape says": Refusal(_with(_text_input("a", "b", shape=[1])), "data has 2 elements"),
    "numbers for strings": Refusal(_with(_text_input("a", data=[1])), "and a string was expected"),
    "no data": Refusal(_with(_text_input("a", data=None)), "neither a list of data nor a binary_data_size"),
    "a word for data": Refusal(_with(_text_input("a", data="a")), "neither a list of data"),
    "a text of 16 KiB and 1": Refusal(_with(_text_input("a" * 16_385)), "element 0 has 16385 bytes"),
    "half of a surrogate pair": Refusal(
        b'{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["\\ud800"]}]}', "not JSON"
    ),
    "brackets without end": Refusal(b'{"inputs":' + b"[" * 100_000, "recursion limit exceeded"),
    "not a number among data": Refusal(
        b'{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":[NaN]}]}', "a string was expected"
    ),
    "an unknown output": Refusal(_with(_text_input("a"), outputs=[{"name": "y"}]), "there is no output 'y'"),
    "an output twice": Refusal(
        _with(_text_input("a"), outputs=[{"name": "label"}] * 2), "output 'label' is asked for twice"
    ),
    "a classification": Refusal(
        _with(_text_input("a"), outputs=[{"name": "scores", "parameters": {"classification": 2}}]),
        "unsupported",
    ),
    "shared memory": Refusal(
        _with(_text_input("a", data=None, parameters={"shared_memory_region": "r"})),
        "unsupported: shared memory",
    ),
    "a sequence": Refusal(_with(_text_input("a"), parameters={"sequence_id": 3}), "unsupported: sequences"),
    "a priority that is none": Refusal(_with(_text_input("a"), parameters={"priority": "now"}), "priority: "),
    "a timeout of less than nothing": Refusal(
        _with(_text_input("a"), parameters={"timeout": -1}), "timeout: "
    ),
    "a parameter that is a list": Refusal(_with(_text_input("a"), parameters={"x": []}), "parameters.x"),
    "a header that is no number": Refusal(
        _with(_text_input("a")), "is a number of bytes", headers={LENGTH: "x"}
    ),
    "a header of less than nothing": Refusal(
        _with(_text_input("a")), "is a number of bytes", headers={LENGTH: "-1"}
    ),
    "a header beyond the body": Refusal(
        _with(_text_input("a")), "it is 1000000, and the body has", headers={LENGTH: "1000000"}
    ),
    "a header of forty digits": Refusal(
        _with(_text_input("a")), "is a number of bytes", headers={LENGTH: "9" * 40}
    ),
    "an encoding that is not read": Refusal(
        b"x", "Content-Encoding: gzip and deflate", headers={"content-encoding": "br"}
    ),
    "what is not gzip": Refusal(b"x", "cannot be decompressed", headers={"content-encoding": "gzip"}),
    "half of a gzip": Refusal(
        gzip.compress(b" " * 1000)[:-9], "cannot be decompressed", headers={"content-encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_request_that_is_wrong_is_told_so_in_the_protocols_words(
    runtime: RuntimeProcess, case: Refusal
) -> None:
    reply = _infer(runtime, case.body, headers=case.headers)

    assert reply.status_code == case.status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.json().keys() == {"error"}
    assert case.says in reply.json()["error"]


@pytest.mark.parametrize(
    ("size", "sent", "says"),
    [
        (9, _bytes(b"a", b"b"), "1 bytes stand behind the last"),
        (1000, _bytes(b"a", b"b"), "is 1000, and 10 bytes are left"),
        (2**62, _bytes(b"a", b"b"), "bytes are left of the body"),
        (-1, _bytes(b"a", b"b"), "binary_data_size is a number of bytes"),
        (4, _bytes(b"a", b"b")[:4], "too few for 2 elements"),
        (10, struct.pack("<I", 2**32 - 1) + bytes(6), "reaches beyond the end"),
    ],
    ids=[
        "a byte too few",
        "too many",
        "exabytes",
        "less than none",
        "too few for the shape",
        "a lying length",
    ],
)
def test_binary_sizes_that_lie_are_found_out(
    runtime: RuntimeProcess, size: int, sent: bytes, says: str
) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": size}}
    content, headers = _behind({"inputs": [tensor]}, sent)

    reply = _infer(runtime, content, headers=headers)

    assert reply.status_code == 400
    assert says in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/v2/models/none", 404, "model 'none' is not served here; served: 'model'"),
        ("GET", "/v2/models/model/versions/9", 404, "version '9' is not served here; served: '1'"),
        ("POST", "/v2/models/none/infer", 400, "not JSON"),
        ("GET", "/v2/models/none/ready", 404, "not served here"),
        ("GET", "/v2/models/a%2Fb/config", 404, "model 'a/b' is not served"),
        ("GET", "/v2/models/none/stats", 404, "not served here"),
        ("GET", "/v2/models//ready", 404, "nothing here"),
        ("GET", "/v2/models", 404, "nothing here"),
        ("GET", "/v2/none", 404, "nothing here"),
        ("GET", "/v2/models/model/infer", 405, "allowed here: POST"),
        ("POST", "/v2/models/model", 405, "allowed here: GET"),
        ("DELETE", "/v2", 405, "allowed here: GET"),
        ("POST", "/v2/repository/models/model/load", 400, "unsupported"),
        ("POST", "/v2/repository/models/model/unload", 400, "unsupported"),
        ("GET", "/v2/systemsharedmemory/status", 400, "unsupported"),
        ("POST", "/v2/cudasharedmemory/region/a/register", 400, "unsupported"),
        ("GET", "/v2/logging", 400, "unsupported"),
        ("POST", "/v2/trace/setting", 400, "unsupported"),
        ("GET", "/v2/models/model/trace/setting", 400, "unsupported"),
        ("POST", "/v2/models/model/generate", 400, "unsupported"),
    ],
)
def test_what_is_not_there_is_an_error_as_clients_read_it(
    runtime: RuntimeProcess, method: str, path: str, status: int, says: str
) -> None:
    reply = httpx.request(method, f"{runtime.url}{path}")

    assert (reply.status_code, reply.json().keys()) == (status, {"error"})
    assert says in reply.json()["error"]


def test_version_2s_own_route_has_problems_for_errors(runtime: RuntimeProcess) -> None:
    reply = httpx.get(f"{runtime.url}/v2/predict")

    assert (reply.status_code, reply.json()["code"]) == (405, "MethodNotAllowed")


def test_requests_are_counted_by_route_and_not_by_model(runtime: RuntimeProcess) -> None:
    good = 'requests_total{endpoint="/v2/models/{model}/infer",status="200"}'
    lost = 'requests_total{endpoint="/v2/models/{model}",status="404"}'
    before = runtime.metric(good), runtime.metric(lost)

    _infer(runtime, _with(_text_input("good")))
    for number in range(5):
        httpx.get(f"{runtime.url}/v2/models/none-{number}")

    assert (runtime.metric(good), runtime.metric(lost)) == (before[0] + 1, before[1] + 5)


def _sum_inputs(*, rows: int) -> list[dict[str, Any]]:
    data = list(range(16 * rows))
    return [
        {"name": name, "datatype": "INT32", "shape": [rows, 16], "data": data}
        for name in ("INPUT0", "INPUT1")
    ]


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _patiently(url: str) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
        return client.get(url)
