"""Requests and answers of the Open Inference Protocol as values, the same for REST and gRPC.

A request's tensors stay as they came until they have been checked: what a lying request says of
itself must not cost memory. Knows no wire and no model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Parameter = bool | int | float | str
Parameters = Mapping[str, Parameter]
Elements = memoryview | Sequence[object]
"""Of a tensor: raw little-endian bytes, or a list, nested or flat, of Python values."""
Content = Elements | Callable[[], Elements]
"""The elements, or what makes them once the tensor is known to be wanted. That may raise OipError."""

NO_PARAMETERS: Parameters = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One input tensor as a client sent it: nothing of it has been checked."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    content: Content


@dataclass(frozen=True, slots=True, eq=False)
class RequestedOutput:
    """An output that the client asks for by name."""

    name: str
    parameters: Parameters = field(default_factory=lambda: NO_PARAMETERS)


@dataclass(frozen=True, slots=True, eq=False)
class InferRequest:
    """One inference. `version` "" is the latest one; no `outputs` are all of them."""

    model: str
    version: str
    inputs: tuple[Input, ...]
    outputs: tuple[RequestedOutput, ...] = ()
    id: str = ""
    parameters: Parameters = field(default_factory=lambda: NO_PARAMETERS)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One output. `data` has its shape; BYTES are an object array of bytes."""

    name: str
    datatype: str
    data: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape


@dataclass(frozen=True, slots=True, eq=False)
class InferResponse:
    """The answer, by the version that really gave it. `id` is the request's."""

    model: str
    version: str
    outputs: tuple[Tensor, ...]
    id: str = ""
    parameters: Parameters = field(default_factory=lambda: NO_PARAMETERS)
