"""What an ONNX file must not hold, found out before onnxruntime sees it.

A model comes from whoever can write the bucket. Operators beyond those that come with onnxruntime
would need code; a tensor in another file could name any file of the container (or, in onnxruntime's
own notation, any address of the process); a sparse tensor of a few bytes can be of any size.
Only rules about the file stand here: what it costs to load is found out by `trial`.
"""

import pathlib
import re
import stat
from dataclasses import dataclass, field

from slipway_runtime.engine import operators, wire
from slipway_runtime.engine.wire import Value

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MOST_NODES = 100_000
_MOST_DEPTH = 16
# The densest element has two bits, so that no honest tensor has more elements than this a byte.
_ELEMENTS_A_BYTE = 4
_MOST_ELEMENTS = 1 << 48
_EXTERNAL = 1


class UnsafeError(Exception):
    """The file holds what is never loaded. The message is for people."""


@dataclass(slots=True)
class _Findings:
    directory: pathlib.Path
    nodes: int = 0
    operators: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)


def check(path: pathlib.Path) -> None:
    """Raises UnsafeError, or MalformedError when `path` is no ONNX file. Its external data lies beside it."""
    findings = _Findings(path.parent)
    _model(wire.mapped(path), findings)
    _check_operators(findings)


def _model(message: memoryview, findings: _Findings) -> None:
    for number, value in wire.fields(message):
        match number:
            case 7:
                _graph(wire.message(value), findings, depth=0)
            case 20:
                raise UnsafeError("it holds training data (training_info): export it for inference")
            case 25:
                _function(wire.message(value), findings)


def _function(message: memoryview, findings: _Findings) -> None:
    name = domain = ""
    for number, value in wire.fields(message):
        match number:
            case 1:
                name = wire.text(value)
            case 7:
                _node(wire.message(value), findings, depth=0)
            case 10:
                domain = wire.text(value)
            case 11:  # what an attribute is when a caller of the function does not say
                _attribute(wire.message(value), findings, depth=0)
    findings.functions.add((domain, name))


def _graph(message: memoryview, findings: _Findings, *, depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise UnsafeError(f"its graphs are nested more than {_MOST_DEPTH} deep")
    for number, value in wire.fields(message):
        match number:
            case 1:
                _node(wire.message(value), findings, depth=depth)
            case 5:
                _tensor(wire.message(value), findings)
            case 15:
                raise _sparse()


def _node(message: memoryview, findings: _Findings, *, depth: int) -> None:
    findings.nodes += 1
    if findings.nodes > _MOST_NODES:
        raise UnsafeError(f"it has more than {_MOST_NODES} nodes")
    operator = domain = ""
    for number, value in wire.fields(message):
        match number:
            case 4:
                operator = wire.text(value)
            case 5:
                _attribute(wire.message(value), findings, depth=depth)
            case 7:
                domain = wire.text(value)
    findings.operators.add((domain, operator))


def _attribute(message: memoryview, findings: _Findings, *, depth: int) -> None:
    for number, value in wire.fields(message):
        match number:
            case 5 | 10:
                _tensor(wire.message(value), findings)
            case 6 | 11:
                _graph(wire.message(value), findings, depth=depth + 1)
            case 22 | 23:
                raise _sparse()


def _tensor(message: memoryview, findings: _Findings) -> None:
    elements, name, external = 1, "", False
    locations: list[str] = []
    for number, value in wire.fields(message):
        match number:
            case 1:
                elements = _product(elements, value)
            case 8:
                name = wire.text(value)
            case 13:
                external = True
                locations += _location(wire.message(value))
            case 14:
                external = external or value == _EXTERNAL
    held = _external_bytes(name, locations, findings) if external else len(message)
    if elements > held * _ELEMENTS_A_BYTE:
        raise UnsafeError(f"tensor {name!r} says that it has {elements} elements, and there are {held} bytes")


def _product(elements: int, sizes: Value) -> int:
    """`elements` times all `sizes`. Stops beyond any file: such a number could grow for ever."""
    for size in wire.varints(sizes):
        elements *= size
        if elements >= _MOST_ELEMENTS:
            raise UnsafeError("a tensor says that it has more elements than any file")
    return elements


def _location(entry: memoryview) -> list[str]:
    pair = {number: value for number, value in wire.fields(entry) if number in (1, 2)}
    if wire.text(pair.get(1, memoryview(b""))) != "location":
        return []
    return [wire.text(pair.get(2, memoryview(b"")))]


def _external_bytes(name: str, locations: list[str], findings: _Findings) -> int:
    """The size of the file that holds a tensor.

    The folder holds what slipway.yaml lists, and sources give no links; a second link is the cache's.
    """
    if len(locations) != 1 or not _NAME.fullmatch(locations[0]):
        raise UnsafeError(
            f"tensor {name!r} is to be read from {', '.join(map(repr, locations)) or 'nowhere'}; "
            "external data is a file of the bundle, named without a path"
        )
    try:
        facts = (findings.directory / locations[0]).lstat()
    except OSError as error:
        raise UnsafeError(
            f"tensor {name!r} is to be read from {locations[0]!r}, which is not in the bundle"
        ) from error
    if not stat.S_ISREG(facts.st_mode):
        raise UnsafeError(f"{locations[0]!r} is not a regular file")
    return facts.st_size


def _check_operators(findings: _Findings) -> None:
    for domain, operator in sorted(findings.operators - findings.functions):
        if operators.is_known(domain, operator):
            continue
        raise UnsafeError(
            f"operator {operator!r} of domain {domain!r} is not served: only those of ONNX and ONNX-ML, and "
            "those that onnxruntime's optimizer, its quantizer and skl2onnx write"
        )


def _sparse() -> UnsafeError:
    return UnsafeError("it holds a sparse tensor, which a few bytes can make of any size: store it dense")
