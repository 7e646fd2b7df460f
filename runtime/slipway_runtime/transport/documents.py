"""JSON from outside to a pydantic model, in bounded memory, with errors in JSON's own words. Pure."""

from typing import Generic, TypeVar

import pydantic
import pydantic_core

_BodyT = TypeVar("_BodyT")

# pydantic speaks of Python's types when it is given Python's values.
_IN_JSON = {
    "model_type": "Input should be an object",
    "dict_type": "Input should be an object",
    "list_type": "Input should be a valid array",
    "bool_type": "Input should be true or false",
    "int_type": "Input should be a whole number",
    "float_type": "Input should be a number",
}


class NotJsonError(Exception):
    """The bytes are no JSON; the message says where they stop being it."""


class InvalidError(Exception):
    """JSON, but not what is expected; the message names the place of the first fault."""


class Document(Generic[_BodyT]):
    """Reads bodies of one kind."""

    def __init__(self, model: type[_BodyT]) -> None:
        self._validator = pydantic.TypeAdapter(model).validator

    def read(self, raw: bytes | bytearray) -> _BodyT:
        """Raises NotJsonError or InvalidError.

        In two steps: pydantic's own reading of JSON takes several times the memory for a hostile body.
        """
        try:
            document = pydantic_core.from_json(raw)
        except ValueError as error:
            raise NotJsonError(f"the body is not JSON: {error}") from error
        try:
            body: _BodyT = self._validator.validate_python(document)
            return body
        except pydantic.ValidationError as error:
            raise InvalidError(_first_fault(error)) from error


def _first_fault(error: pydantic.ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    message = _IN_JSON.get(fault["type"], fault["msg"])
    place = ".".join(str(step)[:100] for step in fault["loc"])
    return f"{place}: {message}" if place else message
