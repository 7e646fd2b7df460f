"""The parts of the runtime put together: probes, servers, and the models that are loaded beside them."""

import asyncio
import contextlib
import functools
import gc
import os
import pathlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
import uvicorn
import uvloop

from slipway_runtime import credentials, settings
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.scheduling.traced import TracedPredictor
from slipway_runtime.telemetry import logs, termination, tracing
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import connection, listening, probes, routes
from slipway_runtime.transport.bodies import Bodies
from slipway_runtime.transport.drain import Drain, DrainLimits
from slipway_runtime.transport.grpc import server as grpc_module
from slipway_runtime.transport.grpc.calls import Identity
from slipway_runtime.transport.grpc.server import GrpcServer
from slipway_runtime.transport.limits import RequestLimits
from slipway_runtime.transport.oip.checks import RowLimits
from slipway_runtime.transport.server import DrainingServer
from slipway_runtime.transport.traced import Traced
from slipway_runtime.versions import background, memory
from slipway_runtime.versions.loading import MakePredictor
from slipway_runtime.versions.repository import Repository

_HEARTBEAT_SECONDS = 0.5
_COLLECT_AFTER = 2_000  # more objects than at the last time
_COLLECT_OLDER_AFTER = 100  # of those, what is left of them
# For what is still being answered when a drain's time is up.
_LAST_ANSWERS_SECONDS = 10
_LAST_SPANS_SECONDS = 3

_log = structlog.get_logger("slipway")


def run() -> int:
    """Serve until the process is told to stop. Returns its exit code."""
    memory.share_heaps()
    # References are counted, and leave little to collect: by default the requests under way are looked
    # through again and again, for a tenth of all that an answer of a small model costs. To look through
    # all those of a full queue stops everything for 30 to 60 ms, so that is done still more seldom.
    gc.set_threshold(_COLLECT_AFTER, _COLLECT_OLDER_AFTER)
    gc.freeze()  # what was imported stays: a collection after an unload need not look at it
    logs.configure("INFO")
    path = pathlib.Path(os.environ.get("SLIPWAY_TERMINATION_MESSAGE_PATH") or termination.DEFAULT_PATH)
    try:
        credentials.tidy(os.environ)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_Runtime(settings.load()).serve())
    except StartupError as failure:
        _log.error("cannot_serve", reason=failure.reason, detail=failure.message, object=failure.subject)
        with contextlib.suppress(OSError):  # the log has it too
            termination.write(failure, path)
        return 1
    except Exception as error:
        _log.exception("crashed")
        with contextlib.suppress(OSError):
            termination.write(_unexpected(error), path)
        return 1
    return 0


def _unexpected(error: Exception) -> StartupError:
    message = f"an error that nobody foresaw: {error!r}; the log has its traceback"
    return StartupError(Reason.MODEL_LOAD_FAILED, message, subject=type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Listeners:
    models: socket.socket
    probes: socket.socket


class _Runtime:
    """One process: its configuration and the objects that its parts share."""

    def __init__(self, configuration: settings.Settings) -> None:
        self._settings = configuration
        logs.configure(configuration.log_level)
        self._catalog = Catalog(configuration.model_name)
        self._lifecycle = Lifecycle(self._catalog.overdue)
        self._metrics = Metrics()
        self._bodies = Bodies(
            configuration.max_held_bytes, refused=self._metrics.rejected.labels("held_bytes").inc
        )
        self._tracing = tracing.start(os.environ)
        self._repository = Repository(
            configuration, self._catalog, self._lifecycle, self._metrics, predictor=self._make_predictor()
        )
        self._drain = Drain(
            DrainLimits(quiet=configuration.drain_quiet_seconds, timeout=configuration.drain_timeout_seconds)
        )

    async def serve(self) -> None:
        """Raises StartupError when the model cannot be served."""
        grpc_server = self._grpc_server()
        listeners = self._listen(grpc_server)
        probes.serve(self._probes(), listeners.probes)
        server = DrainingServer(
            self._server_config(),
            self._drain,
            self._lifecycle,
            self._metrics,
            stop_beside=functools.partial(grpc_server.stop, _LAST_ANSWERS_SECONDS),
        )
        async with _beating(self._lifecycle):
            await grpc_server.start()
            versions = asyncio.create_task(self._serve_versions(server), name="versions")
            await server.serve(sockets=listening.for_many(listeners.models))
            await self._catalog.close()
            await self._send_last_spans()
            if versions.done():
                versions.result()  # raises what it failed with
        _log.info("stopped")

    def _make_predictor(self) -> MakePredictor:
        if self._tracing is None:
            return Predictor
        return functools.partial(TracedPredictor, tracing=self._tracing)

    async def _send_last_spans(self) -> None:
        if self._tracing is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    background.run(self._tracing.close, name="spans", nice=0), _LAST_SPANS_SECONDS
                )

    def _listen(self, grpc_server: GrpcServer) -> _Listeners:
        host, ports = self._settings.host, (self._settings.http_port, self._settings.probe_port)
        models = listening.bind(host, ports[0], variable="SLIPWAY_HTTP_PORT")
        probing = listening.bind(host, ports[1], variable="SLIPWAY_PROBE_PORT")
        calls = grpc_server.bind(host, self._settings.grpc_port, variable="SLIPWAY_GRPC_PORT")
        _log.info("listening", http=models.getsockname()[1], grpc=calls, probes=probing.getsockname()[1])
        return _Listeners(models=models, probes=probing)

    def _grpc_server(self) -> GrpcServer:
        parts = grpc_module.Parts(
            catalog=self._catalog,
            lifecycle=self._lifecycle,
            metrics=self._metrics,
            drain=self._drain,
            identity=Identity(pod=self._settings.pod_name, version=self._catalog.latest),
            bodies=self._bodies,
            tracing=self._tracing,
        )
        limits = grpc_module.GrpcLimits(
            max_age=self._settings.connection_max_age_seconds,
            request_timeout=self._settings.request_timeout_seconds,
            patience=self._settings.client_timeout_seconds,
            last_call=self._settings.request_timeout_seconds + _LAST_ANSWERS_SECONDS,
            rows=RowLimits(texts=self._settings.max_texts_per_request, rows=self._settings.max_queue_rows),
        )
        return GrpcServer(parts, limits)

    def _probes(self) -> probes.Probes:
        silence = self._settings.liveness_silence_seconds
        return probes.Probes(self._lifecycle, self._metrics, max_silence=silence)

    async def _serve_versions(self, server: DrainingServer) -> None:
        try:
            await self._repository.run()
        except BaseException:
            server.stop_now()
            raise

    def _server_config(self) -> uvicorn.Config:
        limits = connection.ConnectionLimits(
            max_age=self._settings.connection_max_age_seconds, patience=self._settings.client_timeout_seconds
        )
        served = routes.build(self._parts())
        express = served.express if self._tracing is None else None  # spans are made around the application
        return uvicorn.Config(
            served.app if self._tracing is None else Traced(served.app, self._tracing),
            http=connection.factory(drain=self._drain, limits=limits, metrics=self._metrics, express=express),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=self._settings.connection_idle_seconds,
            timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        )

    def _parts(self) -> routes.Parts:
        return routes.Parts(
            catalog=self._catalog,
            lifecycle=self._lifecycle,
            metrics=self._metrics,
            identity=routes.Identity(version=self._repository.own_version, pod=self._settings.pod_name),
            bodies=self._bodies,
            limits=RequestLimits(
                max_texts=self._settings.max_texts_per_request,
                max_rows=self._settings.max_queue_rows,
                max_tensor_bytes=self._settings.max_tensor_bytes,
                timeout=self._settings.request_timeout_seconds,
            ),
        )


@contextlib.asynccontextmanager
async def _beating(lifecycle: Lifecycle) -> AsyncIterator[None]:
    async def beat() -> None:
        while True:
            lifecycle.beat(time.monotonic())
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    heart = asyncio.create_task(beat(), name="heartbeat")
    try:
        yield
    finally:
        heart.cancel()
