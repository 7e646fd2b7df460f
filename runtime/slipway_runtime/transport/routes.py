"""The routes of the models' port and their OpenAPI page. Knows neither queue nor session."""

from dataclasses import dataclass
from typing import Any

import fastapi
import starlette.exceptions
from fastapi.responses import Response
from pydantic.json_schema import models_json_schema
from starlette.routing import Route
from starlette.types import ASGIApp

from slipway_runtime import __version__
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.telemetry import metrics as metrics_module
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import health as health_module
from slipway_runtime.transport import problems
from slipway_runtime.transport.gate import Gate
from slipway_runtime.transport.predict import PredictEndpoint, PredictLimits
from slipway_runtime.transport.schemas import PredictRequest, PredictResponse, Problem

_PREDICT_ERRORS = {
    400: "not JSON",
    404: "unknown model version",
    413: "body too large",
    422: "invalid request",
    429: "queue full",
    503: "not ready",
    504: "deadline exceeded",
}


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
    limits: PredictLimits


def build(parts: Parts) -> ASGIApp:
    """The application of the models' port."""
    app = fastapi.FastAPI(
        title="Slipway runtime", version=__version__, redoc_url=None, redirect_slashes=False
    )
    app.add_exception_handler(starlette.exceptions.HTTPException, _as_problem)
    app.add_exception_handler(Exception, _as_problem)
    predict = PredictEndpoint(parts.catalog, parts.limits, parts.metrics)
    # Before FastAPI's own routes: the hot one is found first.
    app.router.routes[:0] = [Route(path, predict, methods=["POST"]) for path in ("/v1/predict", "/predict")]
    _add_health(app, parts)
    _document_predict(app)
    return Gate(
        app,
        parts.metrics,
        pod=parts.identity.pod,
        version=lambda: parts.catalog.latest() or parts.identity.version,
    )


def _add_health(app: fastapi.FastAPI, parts: Parts) -> None:
    @app.get("/health")
    async def health() -> health_module.Health:
        """What this pod serves. Always 200 while the process answers; /readyz on the probes' port decides."""
        return health_module.describe(parts.catalog, parts.lifecycle)

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """The metrics of this pod in Prometheus' text format, as on the probes' port."""
        return Response(parts.metrics.render(), media_type=metrics_module.CONTENT_TYPE)


async def _as_problem(_request: fastapi.Request, error: Exception) -> Response:
    match error:
        case starlette.exceptions.HTTPException(status_code=404):
            problem = problems.no_such_route()
        case starlette.exceptions.HTTPException(status_code=405):
            problem = problems.method_not_allowed(dict(error.headers or {}))
        case _:
            problem = problems.internal()
    return Response(problem.body(), problem.status, dict(problem.headers), media_type=problems.CONTENT_TYPE)


def _document_predict(app: fastapi.FastAPI) -> None:
    """Put the plain ASGI route into the OpenAPI page, from the models that it validates with."""
    generate = app.openapi
    models = (PredictRequest, PredictResponse, Problem)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )

    def openapi() -> dict[str, Any]:
        page = generate()
        page.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
        page["paths"]["/v1/predict"] = {"post": _predict_operation("predict_v1", deprecated=False)}
        page["paths"]["/predict"] = {"post": _predict_operation("predict", deprecated=False)}
        return page

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the page


def _predict_operation(name: str, *, deprecated: bool) -> dict[str, Any]:
    errors = {
        str(status): {"description": text, "content": _content("Problem", problems.CONTENT_TYPE)}
        for status, text in _PREDICT_ERRORS.items()
    }
    return {
        "summary": "Classify texts",
        "operationId": name,
        "deprecated": deprecated,
        "requestBody": {"required": True, "content": _content("PredictRequest", "application/json")},
        "responses": {
            "200": {
                "description": "one prediction a text",
                "content": _content("PredictResponse", "application/json"),
            },
            **errors,
        },
    }


def _content(model: str, media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{model}"}}}
