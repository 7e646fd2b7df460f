"""The bodies of the HTTP interface. Version 1 is a promise: fields are added, never changed."""

from typing import Annotated

import pydantic

MAX_TEXT_BYTES = 16 * 1024
MAX_BODY_BYTES = 2 * 1024 * 1024


class PredictRequest(pydantic.BaseModel):
    """Texts to classify."""

    texts: Annotated[list[str], pydantic.Field(description="1 to 100 texts of at most 16 KiB each")]
    model_version: Annotated[
        str | None, pydantic.Field(description="the version to use; the served one when absent")
    ] = None

    model_config = pydantic.ConfigDict(protected_namespaces=())


class Prediction(pydantic.BaseModel):
    """One text's best label, and how sure the model is of it (0 to 1)."""

    text: str
    label: str
    score: float
    model_version: str

    model_config = pydantic.ConfigDict(protected_namespaces=())


class PredictResponse(pydantic.BaseModel):
    """One prediction a text, in the order of the request."""

    predictions: list[Prediction]
    processing_time_ms: float


class Problem(pydantic.BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str
    detail: str
