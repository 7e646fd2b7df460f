"""The JSON of an inference over REST, as its clients write it and as the OpenAPI page shows it."""

from typing import Annotated, Any, Literal

import pydantic

from slipway_runtime.transport.limits import MAX_AXES, MAX_TENSORS

Parameter = pydantic.StrictBool | pydantic.StrictInt | pydantic.StrictFloat | pydantic.StrictStr
Parameters = dict[str, Parameter]
Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
    "BYTES",
]
# Any, since it is checked element by element when it is wanted, and not walked through before.
Data = Annotated[
    Any,
    pydantic.WithJsonSchema(
        {"type": "array", "items": {}, "description": "the elements in row-major order, nested or flat"}
    ),
]


class InputBody(pydantic.BaseModel):
    """An input tensor, with its data here or, by `binary_data_size`, behind the JSON."""

    name: pydantic.StrictStr
    shape: Annotated[list[pydantic.StrictInt], pydantic.Field(max_length=MAX_AXES), pydantic.FailFast()]
    datatype: Datatype
    parameters: Parameters = pydantic.Field(default_factory=dict)
    data: Data = None


class RequestedOutputBody(pydantic.BaseModel):
    """An output that is asked for, as JSON or (`binary_data`) behind it."""

    name: pydantic.StrictStr
    parameters: Parameters = pydantic.Field(default_factory=dict)


class InferRequestBody(pydantic.BaseModel):
    """One inference. Parameters that mean something here: priority, timeout (µs), binary_data_output."""

    model_config = pydantic.ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "inputs": [
                        {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a fine film", "awful"]}
                    ]
                }
            ]
        }
    )

    id: pydantic.StrictStr = ""
    parameters: Parameters = pydantic.Field(default_factory=dict)
    inputs: Annotated[
        list[InputBody], pydantic.Field(min_length=1, max_length=MAX_TENSORS), pydantic.FailFast()
    ]
    outputs: Annotated[
        list[RequestedOutputBody], pydantic.Field(max_length=MAX_TENSORS), pydantic.FailFast()
    ] = pydantic.Field(default_factory=list)


class OutputBody(pydantic.BaseModel):
    """An output tensor: `data`, or the parameter `binary_data_size`."""

    name: str
    datatype: Datatype
    shape: list[int]
    parameters: Parameters = pydantic.Field(default_factory=dict)
    data: Data = None


class InferResponseBody(pydantic.BaseModel):
    """The answer, by the version that really gave it."""

    model_name: str
    model_version: str
    id: str = ""
    outputs: list[OutputBody]

    model_config = pydantic.ConfigDict(protected_namespaces=())


class ErrorBody(pydantic.BaseModel):
    """What went wrong, in one sentence."""

    error: str


class LiveBody(pydantic.BaseModel):
    """Whether the process answers."""

    live: bool


class ReadyBody(pydantic.BaseModel):
    """Whether the model of this server is served; `error` says why not."""

    ready: bool
    live: bool
    error: str = ""


class ModelReadyBody(pydantic.BaseModel):
    """Whether one model, or one version of it, is served; `error` says why not."""

    name: str
    ready: bool
    error: str = ""


class ServerBody(pydantic.BaseModel):
    """The server, and which extensions of the protocol it offers."""

    name: str
    version: str
    extensions: list[str]


class TensorBody(pydantic.BaseModel):
    """A tensor of a model; -1 in its shape is any length."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelBody(pydantic.BaseModel):
    """A model: what it takes, what it gives, and which versions of it are served."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorBody]
    outputs: list[TensorBody]


class IndexRequestBody(pydantic.BaseModel):
    """Which models to list: all, or those that are ready."""

    ready: pydantic.StrictBool = False


class IndexEntryBody(pydantic.BaseModel):
    """One version that is served, or ought to be."""

    name: str
    version: str
    state: str
    reason: str


class IndexBody(pydantic.RootModel[list[IndexEntryBody]]):
    """Every version that this server knows of."""


class ConfigBody(pydantic.BaseModel):
    """Triton's ModelConfig, as far as it means something here."""

    name: str
    platform: str
    backend: str
    max_batch_size: int


class ModelStatisticsBody(pydantic.BaseModel):
    """What one version has done since it was loaded; times are in ns."""

    name: str
    version: str
    last_inference: int
    inference_count: int
    execution_count: int


class StatisticsBody(pydantic.BaseModel):
    """What the versions have done since they were loaded."""

    model_stats: list[ModelStatisticsBody]

    model_config = pydantic.ConfigDict(protected_namespaces=())
