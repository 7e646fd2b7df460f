"""The routes of the models' port put together. Knows neither queue nor session."""

from dataclasses import dataclass

import fastapi
import starlette.exceptions
from fastapi.responses import Response
from starlette.types import ASGIApp

from slipway_runtime import __version__
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.telemetry import metrics as metrics_module
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import health as health_module
from slipway_runtime.transport import openapi, problems
from slipway_runtime.transport.bodies import Bodies
from slipway_runtime.transport.contracts import V1, V2, Contract
from slipway_runtime.transport.dispatch import Dispatch
from slipway_runtime.transport.express import Express
from slipway_runtime.transport.formalities import Formalities
from slipway_runtime.transport.gate import Gate
from slipway_runtime.transport.limits import RequestLimits
from slipway_runtime.transport.oip import rest
from slipway_runtime.transport.oip.checks import RowLimits
from slipway_runtime.transport.oip.inference import Inference
from slipway_runtime.transport.predict import PredictEndpoint


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: the pod, and the version that it is to serve, while it serves none yet."""

    version: str
    pod: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes are made of."""

    catalog: Catalog
    lifecycle: Lifecycle
    metrics: Metrics
    identity: Identity
    limits: RequestLimits
    bodies: Bodies


@dataclass(frozen=True, slots=True)
class Routes:
    """The application of the models' port, and the short way to its hot routes, which it has too."""

    app: ASGIApp
    express: Express


def build(parts: Parts) -> Routes:
    """All that the models' port answers."""
    v1, v2 = _predict(V1(), parts), _predict(V2(), parts)
    hot = {"/v1/predict": v1, "/predict": v1, "/v2/predict": v2}
    app = Dispatch(hot, tree=("/v2", rest.Rest(_oip(parts))), others=_pages(parts))
    due = Formalities(
        parts.metrics,
        pod=parts.identity.pod,
        version=lambda: parts.catalog.latest() or parts.identity.version,
    )
    return Routes(Gate(app, due), Express(hot, due))


def _predict(contract: Contract, parts: Parts) -> PredictEndpoint:
    return PredictEndpoint(
        contract, catalog=parts.catalog, limits=parts.limits, bodies=parts.bodies, metrics=parts.metrics
    )


def _oip(parts: Parts) -> rest.Parts:
    rows = RowLimits(texts=parts.limits.max_texts, rows=parts.limits.max_rows)
    inference = Inference(parts.catalog, rows, parts.metrics)
    return rest.Parts(
        catalog=parts.catalog,
        lifecycle=parts.lifecycle,
        inference=inference,
        limits=parts.limits,
        bodies=parts.bodies,
    )


def _pages(parts: Parts) -> fastapi.FastAPI:
    """What is asked rarely, and the page that describes all of it."""
    app = fastapi.FastAPI(
        title="Slipway runtime", version=__version__, redoc_url=None, redirect_slashes=False
    )
    app.add_exception_handler(starlette.exceptions.HTTPException, _as_problem)
    app.add_exception_handler(Exception, _as_problem)
    openapi.describe_plain_routes(app, max_texts=parts.limits.max_texts)

    @app.get("/health")
    async def health() -> health_module.Health:
        """What this pod serves. Always 200 while the process answers; /readyz on the probes' port decides."""
        return health_module.describe(parts.catalog, parts.lifecycle)

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """The metrics of this pod in Prometheus' text format, as on the probes' port."""
        return Response(parts.metrics.render(), media_type=metrics_module.CONTENT_TYPE)

    return app


async def _as_problem(_request: fastapi.Request, error: Exception) -> Response:
    match error:
        case starlette.exceptions.HTTPException(status_code=404):
            problem = problems.no_such_route()
        case starlette.exceptions.HTTPException(status_code=405):
            problem = problems.method_not_allowed(dict(error.headers or {}))
        case _:
            problem = problems.internal()
    return Response(problem.body(), problem.status, dict(problem.headers), media_type=problems.CONTENT_TYPE)
