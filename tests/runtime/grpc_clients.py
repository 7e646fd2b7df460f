"""A client of the gRPC port that keeps its channel open, as `clients` has them for HTTP: it writes down
every call and how it ended. Usable against any address: tests, a soak, a pod.

There is no retry policy: nothing that may have reached a server's code is sent twice. What stays on is
what gRPC does without being asked: a call that was put on a connection in the moment in which its server
asked to leave it was never sent, and is sent on the next one.

It sends bytes that were made once, so that it needs neither stubs nor much of the processor.
"""

import threading

import grpc
import tritonclient.grpc

from tests.runtime.clients import Client, Ledger

METHOD = "/inference.GRPCInferenceService/ModelInfer"
_TIMEOUT = 20.0
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),  # else channels of one process share their connections
    # A client behind a Service reconnects at once; the default waits for a second and more after a failure.
    ("grpc.initial_reconnect_backoff_ms", 100),
)


def request(model: str, *texts: str, request_id: str = "") -> bytes:
    """A ModelInfer request for a text model, as it travels."""
    message = tritonclient.grpc.service_pb2.ModelInferRequest(model_name=model, id=request_id)
    message.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
    pieces = (text.encode() for text in texts)
    message.raw_input_contents.append(b"".join(len(piece).to_bytes(4, "little") + piece for piece in pieces))
    return bytes(message.SerializeToString())


def channel(port: int, *options: tuple[str, int]) -> grpc.Channel:
    """A channel that shares its connection with no other."""
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=[*_OPTIONS, *options])


def metadata(call: grpc.Call) -> dict[str, str]:
    """What came with the answer, or with the error."""
    return {name: value for name, value in call.trailing_metadata() or () if isinstance(value, str)}


def keep_alive(think: float, model: str = "model") -> Client:
    """Calls one after another on one channel, `think` seconds apart."""
    body = request(model, "good", "bad")

    def run(port: int, ledger: Ledger, stop: threading.Event) -> None:
        with channel(port) as connection:
            infer = connection.unary_unary(METHOD)
            while not stop.is_set():
                _record(infer, body, ledger, f"grpc, {think} s apart")
                stop.wait(think)

    return run


def new_channels(think: float, model: str = "model") -> Client:
    """A channel for each call."""
    body = request(model, "good", "bad")

    def run(port: int, ledger: Ledger, stop: threading.Event) -> None:
        while not stop.is_set():
            with channel(port) as connection:
                _record(connection.unary_unary(METHOD), body, ledger, "grpc, new channels")
            stop.wait(think)

    return run


def _record(infer: grpc.UnaryUnaryMultiCallable, body: bytes, ledger: Ledger, kind: str) -> None:
    try:
        _answer, call = infer.with_call(body, timeout=_TIMEOUT)
    except grpc.RpcError as error:
        ledger.failures.append(f"{kind}: {error.code().name} {error.details()} {metadata(error)}")
    else:
        ledger.record(kind, 200, metadata(call)["x-slipway-pod"])
