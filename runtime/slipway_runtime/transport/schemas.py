"""The bodies of the HTTP interface. Each version is a promise: fields are added, never changed."""

from typing import Annotated

import pydantic

# The static bound; the configured one is checked afterwards, and named. A list is given up at its first
# fault: a body of a million faults must not become a million errors.
Texts = Annotated[list[str], pydantic.Field(max_length=10_000), pydantic.FailFast()]

_NO_NAMESPACES = pydantic.ConfigDict(protected_namespaces=())


def _configured(example: dict[str, pydantic.JsonValue]) -> pydantic.ConfigDict:
    return pydantic.ConfigDict(protected_namespaces=(), json_schema_extra={"examples": [example]})


class PredictRequest(pydantic.BaseModel):
    """Texts to classify."""

    model_config = _configured({"texts": ["a fine film", "an awful one"]})

    texts: Annotated[Texts, pydantic.Field(description="1 to 100 texts of at most 16 KiB each")]
    model_version: Annotated[
        str | None, pydantic.Field(description="the version to use; the latest one when absent")
    ] = None


class Prediction(pydantic.BaseModel):
    """One text's best label, and how sure the model is of it: 0 to 1, or a regression's own number."""

    text: str
    label: str
    score: float
    model_version: str

    model_config = _NO_NAMESPACES


class PredictResponse(pydantic.BaseModel):
    """One prediction a text, in the order of the request."""

    predictions: list[Prediction]
    processing_time_ms: float


class PredictRequestV2(pydantic.BaseModel):
    """Texts to classify, by which model, and how many of its labels to tell."""

    model_config = _configured({"texts": ["a fine film", "an awful one"], "top_k": 1})

    texts: Annotated[Texts, pydantic.Field(description="1 to 100 texts of at most 16 KiB each")]
    model: Annotated[
        str | None, pydantic.Field(description="the model to use; this server's own one when absent")
    ] = None
    model_version: Annotated[
        str | None, pydantic.Field(description="the version to use; the latest one when absent")
    ] = None
    top_k: Annotated[
        int | None,
        pydantic.Field(ge=1, le=100_000, description="the scores of the best k labels; of all when absent"),
    ] = None


class LabelScore(pydantic.BaseModel):
    """How sure the model is of one label: 0 to 1, or a regression's own number."""

    label: str
    score: float


class TextError(pydantic.BaseModel):
    """Why one text has no answer; the others have theirs."""

    code: Annotated[str, pydantic.Field(examples=["InferenceFailed"])]
    detail: str


class TextResult(pydantic.BaseModel):
    """One text: its answer, or else its error.

    `labels` are all that apply: one, unless the model gives several labels (or none) to a text.
    `scores` are the best first.
    """

    label: str | None = None
    score: float | None = None
    labels: list[str] | None = None
    scores: list[LabelScore] | None = None
    error: TextError | None = None


class ModelIdentity(pydantic.BaseModel):
    """Which model answered. `digest` is the sha256 of its bundle's manifest; empty when it has none."""

    name: str
    version: str
    digest: str


class Timing(pydantic.BaseModel):
    """Where the time went, in milliseconds: waiting for a batch, in the model, and all of it."""

    queue_ms: float
    inference_ms: float
    total_ms: float


class PredictResponseV2(pydantic.BaseModel):
    """One result a text, in the order of the request."""

    model: ModelIdentity
    results: list[TextResult]
    timing: Timing


class Problem(pydantic.BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    code: str
    detail: str
