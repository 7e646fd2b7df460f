"""A request against what the model takes: everything that can be wrong with it, before it may queue.

Names, datatypes and shapes are compared first and the data is decoded last, so that a request that
claims to be large is refused while it is still small. Pure. Knows no wire.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slipway_runtime.engine.model import Signature, TensorSpec
from slipway_runtime.transport.oip import codec, errors
from slipway_runtime.transport.oip.values import Array, InferRequest, Input, RequestedOutput

MAX_ELEMENT_BYTES = 16 * 1024
"""Of one element of BYTES, as of one text elsewhere."""

_UNSUPPORTED_OUTPUT_PARAMETERS = {
    "classification": "classification of outputs is not offered here; the scores have every class",
    "shared_memory_region": "shared memory is not offered here",
}


@dataclass(frozen=True, slots=True)
class RowLimits:
    """Rows that one request may have: texts of a text model, slices of the batch axis of any other."""

    texts: int
    rows: int


def check(
    request: InferRequest, signature: Signature, *, limits: RowLimits, is_text: bool
) -> Mapping[str, Array]:
    """The decoded inputs by name, which fit `signature`. Raises OipError, naming what does not."""
    _check_outputs(request.outputs, signature.outputs)
    specs = {spec.name: spec for spec in signature.inputs}
    _check_names([one.name for one in request.inputs], list(specs), "input")
    for one in request.inputs:
        _check_form(one, specs[one.name])
    if signature.batched:
        _check_rows(request.inputs, limits.texts if is_text else limits.rows)
    return {one.name: _decode(one) for one in request.inputs}


def _check_outputs(requested: Sequence[RequestedOutput], offered: Sequence[TensorSpec]) -> None:
    names = [spec.name for spec in offered]
    seen: set[str] = set()
    for output in requested:
        if output.name not in names:
            raise errors.invalid(f"there is no output {output.name!r}; the outputs are {_listed(names)}")
        if output.name in seen:
            raise errors.invalid(f"output {output.name!r} is asked for twice")
        seen.add(output.name)
        for parameter, reason in _UNSUPPORTED_OUTPUT_PARAMETERS.items():
            if parameter in output.parameters:
                raise errors.unsupported(reason)


def _check_names(given: Sequence[str], wanted: Sequence[str], kind: str) -> None:
    for name in given:
        if name not in wanted:
            raise errors.invalid(f"there is no {kind} {name!r}; the {kind}s are {_listed(wanted)}")
    if len(set(given)) < len(given):
        raise errors.invalid(f"an {kind} is given twice; each of {_listed(wanted)} is given once")
    missing = [name for name in wanted if name not in given]
    if missing:
        raise errors.invalid(f"{kind} {_listed(missing)} is missing")


def _check_form(given: Input, spec: TensorSpec) -> None:
    if given.datatype != spec.datatype:
        raise errors.invalid(f"input {spec.name!r} is {spec.datatype}, not {given.datatype[:20]!r}")
    fits = len(given.shape) == len(spec.shape) and all(
        length >= 0 and wanted in (-1, length) for length, wanted in zip(given.shape, spec.shape, strict=True)
    )
    if not fits:
        raise errors.invalid(
            f"input {spec.name!r} has shape {list(spec.shape)} (-1: any length), not {_shape(given.shape)}"
        )


def _check_rows(inputs: Sequence[Input], limit: int) -> None:
    counts = {one.shape[0] for one in inputs}
    if len(counts) > 1:
        raise errors.invalid(
            f"the inputs have different numbers of rows (their first axis): {_listed(sorted(counts))}"
        )
    rows = counts.pop()
    if not 1 <= rows <= limit:
        raise errors.invalid(f"a request has 1 to {limit} rows (the first axis), this one has {rows}")


def _decode(given: Input) -> Array:
    try:
        array = _decoded(given)
    except errors.OipError as error:
        raise errors.OipError(error.kind, f"input {given.name!r}: {error.message}") from None
    if given.datatype == "BYTES":
        _check_elements(given.name, array)
    return array


def _decoded(given: Input) -> Array:
    content = given.content() if callable(given.content) else given.content
    if isinstance(content, memoryview):
        return codec.decode(content, datatype=given.datatype, shape=given.shape)
    return codec.from_values(content, datatype=given.datatype, shape=given.shape)


def _check_elements(name: str, array: Array) -> None:
    for index, element in enumerate(array.flat):
        if len(element) > MAX_ELEMENT_BYTES:
            raise errors.invalid(
                f"input {name!r}: element {index} has {len(element)} bytes, of at most {MAX_ELEMENT_BYTES}"
            )


def _shape(shape: Sequence[int]) -> str:
    shown = list(shape[:8])
    return f"{shown}" if len(shape) <= len(shown) else f"{shown} and further axes"


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(repr, names))
