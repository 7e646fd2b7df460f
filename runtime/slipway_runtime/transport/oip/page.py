"""The Open Inference Protocol's part of the OpenAPI page. Knows no endpoint."""

from typing import Any

import pydantic

from slipway_runtime.transport.oip import bodies
from slipway_runtime.transport.oip.places import What

MODELS: tuple[type[pydantic.BaseModel], ...] = (
    bodies.InferRequestBody,
    bodies.InferResponseBody,
    bodies.ErrorBody,
    bodies.LiveBody,
    bodies.ReadyBody,
    bodies.ModelReadyBody,
    bodies.ServerBody,
    bodies.ModelBody,
    bodies.ConfigBody,
    bodies.StatisticsBody,
    bodies.IndexRequestBody,
    bodies.IndexBody,
)

_TAG = "Open Inference Protocol"
_ERRORS = {
    400: "wrong in itself, or not offered here",
    404: "unknown model or version",
    405: "another method is allowed",
    413: "body too large",
    429: "queue full",
    500: "the model failed",
    503: "not ready",
    504: "deadline exceeded",
}
_READS: dict[What, tuple[str, type[pydantic.BaseModel], tuple[int, ...]]] = {
    What.SERVER: ("The server", bodies.ServerBody, (405,)),
    What.LIVE: ("Whether the server answers", bodies.LiveBody, (405,)),
    What.READY: ("Whether the server's model is served", bodies.ReadyBody, (405,)),
    What.MODEL: ("What a model takes and gives", bodies.ModelBody, (404, 405, 503)),
    What.MODEL_READY: ("Whether a model is served", bodies.ModelReadyBody, (404, 405)),
    What.CONFIG: ("A model's configuration, as Triton's", bodies.ConfigBody, (404, 405, 503)),
    What.STATISTICS: ("What a model has done", bodies.StatisticsBody, (404, 405, 503)),
    What.ALL_STATISTICS: ("What all models have done", bodies.StatisticsBody, (405,)),
}
_OF_A_MODEL = (What.MODEL, What.MODEL_READY, What.INFER, What.CONFIG, What.STATISTICS)
_NOT_READY_BODIES: dict[What, type[pydantic.BaseModel]] = {
    What.READY: bodies.ReadyBody,
    What.MODEL_READY: bodies.ModelReadyBody,
}


def paths(terms: list[dict[str, Any]]) -> dict[str, Any]:
    """The protocol's paths; `terms` are the headers that an inference may have."""
    found = {str(what): {"get": _read(what)} for what in _READS}
    found[What.INFER] = {"post": _infer(terms)}
    found[What.INDEX] = {"post": _index()}
    versioned = {_versioned(what): _with_version(found[what]) for what in _OF_A_MODEL}
    return {str(path): entry for path, entry in {**found, **versioned}.items()}


def _read(what: What) -> dict[str, Any]:
    summary, body, errors = _READS[what]
    answers = {"200": _answer(summary, body), **_errors(errors)}
    if what in _NOT_READY_BODIES:
        answers["503"] = _answer("not served (yet)", _NOT_READY_BODIES[what])
    return _operation(what.name.lower(), summary, answers, _path_parameters(what))


def _infer(terms: list[dict[str, Any]]) -> dict[str, Any]:
    answers = {"200": _answer("the outputs, as JSON or with binary data behind it", bodies.InferResponseBody)}
    answers["200"]["content"]["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    operation = _operation(
        "infer",
        "Tensors in, tensors out",
        {**answers, **_errors(_ERRORS)},
        [*_path_parameters(What.INFER), *terms],
    )
    content = _content(bodies.InferRequestBody)
    content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    return {**operation, "requestBody": {"required": True, "content": content}}


def _index() -> dict[str, Any]:
    answers = {"200": _answer("every version", bodies.IndexBody), **_errors((400, 405, 413))}
    body = {"required": False, "content": _content(bodies.IndexRequestBody)}
    return {
        **_operation("index", "The versions that are served, or ought to be", answers, []),
        "requestBody": body,
    }


def _operation(
    name: str, summary: str, answers: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "tags": [_TAG],
        "summary": summary,
        "operationId": f"oip_{name}",
        "parameters": parameters,
        "responses": answers,
    }


def _versioned(what: What) -> str:
    return str(what).replace("{model}", "{model}/versions/{version}")


def _with_version(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        method: {
            **operation,
            "operationId": f"{operation['operationId']}_version",
            "parameters": [*operation["parameters"], _path_parameter("version")],
        }
        for method, operation in entry.items()
    }


def _path_parameters(what: What) -> list[dict[str, Any]]:
    return [_path_parameter("model")] if what in _OF_A_MODEL else []


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _errors(statuses: Any) -> dict[str, Any]:
    return {str(status): _answer(_ERRORS[status], bodies.ErrorBody) for status in statuses}


def _answer(description: str, body: type[pydantic.BaseModel]) -> dict[str, Any]:
    return {"description": description, "content": _content(body)}


def _content(body: type[pydantic.BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}}
