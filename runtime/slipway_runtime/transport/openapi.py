"""The OpenAPI page, completed by the routes that are plain ASGI and unknown to FastAPI.

Generated from the models that those routes validate with. Knows no endpoint.
"""

from dataclasses import dataclass
from typing import Any

import fastapi
import pydantic
from pydantic.json_schema import models_json_schema

from slipway_runtime.scheduling.calls import Lane
from slipway_runtime.transport import deprecation, problems, schemas, terms
from slipway_runtime.transport.limits import MAX_TEXT_BYTES
from slipway_runtime.transport.oip import page as oip_page

_MODELS: tuple[type[pydantic.BaseModel], ...] = (
    schemas.PredictRequest,
    schemas.PredictResponse,
    schemas.PredictRequestV2,
    schemas.PredictResponseV2,
    schemas.Problem,
    *oip_page.MODELS,
)
_ERRORS = {
    400: "not JSON",
    404: "unknown model or version",
    405: "another method is allowed",
    413: "body too large",
    415: "compressed body",
    422: "invalid request",
    429: "queue full; Retry-After says when to come back",
    500: "the model failed",
    503: "not ready",
    504: "deadline exceeded",
}
_TERMS: list[dict[str, Any]] = [
    {
        "name": terms.TIMEOUT,
        "in": "header",
        "description": "seconds after which the answer is of no use: then it is 504",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
    {
        "name": terms.PRIORITY,
        "in": "header",
        "description": "whether somebody waits for it, or it may take its time",
        "schema": {"type": "string", "enum": [lane.value for lane in Lane]},
    },
]


@dataclass(frozen=True, slots=True)
class _Predict:
    """One route that classifies texts."""

    name: str
    request: type[pydantic.BaseModel]
    response: type[pydantic.BaseModel]
    deprecated: bool


_PREDICTS = {
    "/v2/predict": _Predict(
        "predict_v2", schemas.PredictRequestV2, schemas.PredictResponseV2, deprecated=False
    ),
    "/v1/predict": _Predict("predict_v1", schemas.PredictRequest, schemas.PredictResponse, deprecated=True),
    "/predict": _Predict("predict", schemas.PredictRequest, schemas.PredictResponse, deprecated=True),
}


def describe_plain_routes(app: fastapi.FastAPI, *, max_texts: int) -> None:
    """Put the plain routes into the page of `app`; `max_texts` is what a request may have here."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        page = generate()
        found = page.setdefault("components", {}).setdefault("schemas", {})
        found.update(_schemas(max_texts))
        for path, predict in _PREDICTS.items():
            page["paths"][path] = {"post": _operation(predict)}
        page["paths"].update(oip_page.paths(_TERMS))
        return page

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the page


def _schemas(max_texts: int) -> dict[str, Any]:
    _, document = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    found: dict[str, Any] = document["$defs"]
    for model in (schemas.PredictRequest, schemas.PredictRequestV2):
        texts = found[model.__name__]["properties"]["texts"]
        texts.update(minItems=1, maxItems=max_texts)
        texts["items"]["maxLength"] = MAX_TEXT_BYTES
    return found


def _operation(predict: _Predict) -> dict[str, Any]:
    errors = {
        str(status): {"description": text, "content": _content(schemas.Problem, problems.CONTENT_TYPE)}
        for status, text in _ERRORS.items()
    }
    answer = {"description": "one result a text", "content": _content(predict.response, "application/json")}
    if predict.deprecated:
        answer["headers"] = _farewell()
    return {
        "tags": ["Texts"],
        "summary": "Classify texts",
        "operationId": predict.name,
        "deprecated": predict.deprecated,
        "parameters": _TERMS,
        "requestBody": {"required": True, "content": _content(predict.request, "application/json")},
        "responses": {"200": answer, **errors},
    }


def _farewell() -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in {
            "Deprecation": "since when this version has a successor (RFC 9745)",
            "Sunset": f"served at least until {deprecation.sunset():%Y-%m-%d} (RFC 8594)",
            "Link": "the successor, and where to read on",
        }.items()
    }


def _content(model: type[pydantic.BaseModel], media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
