"""The gRPC port: what serves there, how long a connection lives, and how it is left without a loss.

A gRPC server that is told to stop refuses what its clients are just sending. So it is not told
before they have gone: no connection lives longer than its age, after which its client is asked to
connect anew, and while the process drains the kernel is asked who is still here.
"""

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.telemetry.tracing import Tracing
from slipway_runtime.transport.bodies import Bodies
from slipway_runtime.transport.drain import Drain
from slipway_runtime.transport.grpc import service, sockets
from slipway_runtime.transport.grpc.arrivals import PLACES, Arrivals
from slipway_runtime.transport.grpc.calls import Calls, Identity
from slipway_runtime.transport.grpc.counting import Counting
from slipway_runtime.transport.grpc.guarding import Guarded
from slipway_runtime.transport.grpc.health import SERVICE_NAME as HEALTH_SERVICE
from slipway_runtime.transport.grpc.health import Health
from slipway_runtime.transport.grpc.pressure import Memory
from slipway_runtime.transport.oip.checks import RowLimits
from slipway_runtime.transport.oip.inference import Inference
from slipway_runtime.versions import memory

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Of a request, as it comes: tensors are larger than texts. Answers are as large as the model makes them."""

_MAX_STREAMS = 1000  # calls at once on one connection; further ones wait in their client
_HANDSHAKE_SECONDS = 10
_JITTER = 1.1  # gRPC lets a connection live for 0.9 to 1.1 of the age it is given
_SHORTEST_AGE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """Seconds: a connection's life, what a request may take, and what a connection that must go waits for it.

    Also the seconds that a message may take to arrive, and what a request may carry.
    """

    max_age: float
    request_timeout: float
    patience: float
    last_call: float
    rows: RowLimits


@dataclass(frozen=True, slots=True)
class Parts:
    """What the port is made of."""

    catalog: Catalog
    lifecycle: Lifecycle
    metrics: Metrics
    drain: Drain
    identity: Identity
    bodies: Bodies
    tracing: Tracing | None = None


class GrpcServer:
    """Bound first, then started, and stopped when the drain of the process is over."""

    def __init__(self, parts: Parts, limits: GrpcLimits) -> None:
        """To be called on the event loop that will serve."""
        limits = dataclasses.replace(limits, max_age=_age(limits.max_age, parts.drain.timeout))
        self._connections = Counting(parts.drain, parts.metrics, max_age=limits.max_age)
        self._arrivals = _arrivals(parts, limits, lambda: sockets.received(self._port))
        self._server = grpc.aio.server(options=_options(limits))
        self._server.add_generic_rpc_handlers((_methods(parts, limits, self._arrivals),))
        names = (service.NAME, HEALTH_SERVICE, reflection.SERVICE_NAME)
        guarded = Guarded(self._server, self._arrivals)
        Health(parts.lifecycle, frozenset({service.NAME}), max_age=limits.max_age).register(guarded)
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
            reflection.aio.ReflectionServicer(names), guarded
        )
        self._port = 0
        self._watching: list[asyncio.Task[None]] = []

    def bind(self, host: str, port: int, *, variable: str) -> int:
        """Take `port` (0: any) and return it. An empty `host` is every address of the machine.

        Raises StartupError(ConfigurationInvalid), naming `variable`.
        """
        try:
            self._port = self._server.add_insecure_port(f"{_in_brackets(host or '::')}:{port}")
        except RuntimeError as error:
            raise StartupError(
                Reason.CONFIGURATION_INVALID, f"{variable}: cannot listen on {port}", subject=variable
            ) from error
        return self._port

    async def start(self) -> None:
        await self._server.start()
        self._watching = [
            asyncio.create_task(self._connections.run(self._port), name="grpc-connections"),
            asyncio.create_task(self._arrivals.run(), name="grpc-arrivals"),
        ]

    async def stop(self, grace: float) -> None:
        """Refuse new calls; those that are being answered have `grace` seconds."""
        for task in self._watching:
            task.cancel()
        await self._server.stop(grace)


def _age(wanted: float, drain: float) -> float:
    """A connection's age, such that all that are open, and some that come late, end within a drain."""
    return max(_SHORTEST_AGE_SECONDS, min(wanted, drain / 2))


def _arrivals(parts: Parts, limits: GrpcLimits, received: Callable[[], dict[str, int]]) -> Arrivals:
    return Arrivals(
        Memory(used=_anonymous_bytes, give_back=memory.trim, received=received),
        refused=parts.metrics.rejected.labels("held_bytes").inc,
        growth=PLACES * MAX_MESSAGE_BYTES,
        patience=limits.patience,
    )


def _anonymous_bytes() -> int:
    try:
        return memory.anonymous_bytes()
    except OSError:  # it is not Linux
        return 0


def _methods(parts: Parts, limits: GrpcLimits, arrivals: Arrivals) -> service.InferenceService:
    ingredients = service.Parts(
        catalog=parts.catalog,
        lifecycle=parts.lifecycle,
        inference=Inference(parts.catalog, limits.rows, parts.metrics),
        bodies=parts.bodies,
        max_rows=limits.rows.rows,
        request_timeout=limits.request_timeout,
        max_age=limits.max_age,
        tracing=parts.tracing,
    )
    return service.InferenceService(ingredients, Calls(parts.metrics, parts.identity, arrivals))


def _options(limits: GrpcLimits) -> list[tuple[str, int]]:
    milliseconds = {
        "grpc.max_connection_age_ms": limits.max_age / _JITTER * 1000,
        "grpc.max_connection_age_grace_ms": limits.last_call * 1000,
        "grpc.server_handshake_timeout_ms": _HANDSHAKE_SECONDS * 1000,
        # Stock clients' keepalive may be this eager, and is not taken for an attack.
        "grpc.http2.min_recv_ping_interval_without_data_ms": 1000,
    }
    return [
        *((name, max(1, round(value))) for name, value in milliseconds.items()),
        ("grpc.keepalive_permit_without_calls", 1),
        # Else a stream's window becomes megabytes, also of one whose message nobody has asked for yet.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_concurrent_streams", _MAX_STREAMS),
        ("grpc.so_reuseport", 0),  # a port that is taken is an error, not half of the traffic
    ]


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
