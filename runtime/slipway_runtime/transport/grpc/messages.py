"""From the bytes of a call to its message, bounded before anything is made of them.

Two bytes can be an entry that takes a hundred when it is parsed, and all of it is parsed in one step of
the event loop. So a message that could hold many entries is walked through first, as far as it may go.
Its raw tensors are not parsed at all: they stay where they are, as views. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from slipway_runtime.engine import wire
from slipway_runtime.engine.wire import MalformedError
from slipway_runtime.transport.grpc import open_inference_pb2 as pb
from slipway_runtime.transport.limits import MAX_JSON_BYTES, MAX_TENSORS
from slipway_runtime.transport.oip import errors
from slipway_runtime.transport.oip.errors import Kind, OipError

# It has no room for more than MAX_TENSORS entries.
_SMALL_BYTES = 2 * MAX_TENSORS
# Names, datatypes, axes and parameters of as many tensors as there may be.
_MOST_FIELDS = 16_384
_MOST_QUESTION_BYTES = 64 * 1024

_PARAMETERS, _INPUTS, _OUTPUTS, _RAW = 4, 5, 6, 7
_NAMES = {
    _PARAMETERS: "parameters",
    _INPUTS: "inputs",
    _OUTPUTS: "outputs",
    _RAW: "raw_input_contents",
}

_M = TypeVar("_M", bound=Message)


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A ModelInferRequest of `size` bytes, and its raw tensors, which the message may be without."""

    message: pb.ModelInferRequest
    raw: Sequence[bytes | memoryview]
    size: int


def infer_request(data: bytes) -> Request:
    """Raises OipError."""
    if len(data) <= _SMALL_BYTES:
        message = _parsed(pb.ModelInferRequest, data)
        return Request(message, message.raw_input_contents, len(data))
    try:
        rest, raw = _apart(memoryview(data))
    except MalformedError as error:
        raise _no(pb.ModelInferRequest) from error
    return Request(_parsed(pb.ModelInferRequest, rest), raw, len(data))


def question(kind: type[_M], data: bytes) -> _M:
    """A message of any other kind, all of which are short. Raises OipError."""
    if len(data) > _MOST_QUESTION_BYTES:
        raise OipError(Kind.TOO_LARGE, f"the message is larger than {_MOST_QUESTION_BYTES} bytes")
    return _parsed(kind, data)


def _apart(message: memoryview) -> tuple[bytes, list[memoryview]]:
    """`message` without its raw tensors, and these. Raises OipError when there is too much of anything."""
    raw: list[memoryview] = []
    kept: list[memoryview] = []
    found, position = _Found(), 0
    for number, value, start, end in wire.spans(message):
        found.field(number)
        if isinstance(value, int):
            continue
        if number == _RAW:
            kept.append(message[position:start])
            raw.append(value)
            position = end
        elif number in (_INPUTS, _OUTPUTS):
            for _ in wire.fields(value):  # not those of its contents, which are parsed into little more
                found.field()
    kept.append(message[position:])
    if sum(map(len, kept)) > MAX_JSON_BYTES:
        raise OipError(
            Kind.TOO_LARGE,
            f"beside its raw_input_contents a message has at most {MAX_JSON_BYTES} bytes: send tensors there",
        )
    return b"".join(kept), raw


class _Found:
    """How many fields a message has, all in all and of each kind that is bounded by itself."""

    def __init__(self) -> None:
        self._fields = 0
        self._entries = dict.fromkeys(_NAMES, 0)

    def field(self, number: int = 0) -> None:
        """One more. Raises OipError."""
        self._fields += 1
        if self._fields > _MOST_FIELDS:
            raise errors.invalid(f"a message has at most {_MOST_FIELDS} fields")
        if number in self._entries:
            self._entries[number] += 1
            if self._entries[number] > MAX_TENSORS:
                raise errors.invalid(f"a request has at most {MAX_TENSORS} {_NAMES[number]}")


def _parsed(kind: type[_M], data: bytes) -> _M:
    try:
        parsed: _M = kind.FromString(data)
    except DecodeError as error:
        raise _no(kind) from error
    return parsed


def _no(kind: type[Message]) -> OipError:
    return errors.invalid(f"the message is no {kind.__name__}")
