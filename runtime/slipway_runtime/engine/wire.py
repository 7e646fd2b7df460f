"""The protobuf wire format, as far as looking at bytes of unknown origin and writing a few needs it.

The `onnx` package is no part of the runtime: its checker and loader have had holes of their own, and
all that must be known before a load is a handful of fields. Knows nothing of ONNX.
"""

import mmap
import pathlib
from collections.abc import Iterator

Value = int | memoryview
Field = tuple[int, Value]

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_SIZES = {_FIXED_64: 8, _FIXED_32: 4}
_MOST_VARINT_BITS = 70


class MalformedError(Exception):
    """These bytes are no message."""


def mapped(path: pathlib.Path) -> memoryview:
    """The bytes of a file; only those that are looked at are read. Raises MalformedError if it is empty."""
    with path.open("rb") as file:
        try:
            # Not closed: views of it live on in what is made of it, and in the traceback of an error.
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise MalformedError("it is empty") from error
    return memoryview(content)


def fields(message: memoryview) -> Iterator[Field]:
    """Each field of `message` as (number, value): an int, or a view of its bytes without a copy.

    Raises MalformedError for what no writer of ONNX makes, groups among it.
    """
    for number, value, _start, _end in spans(message):
        yield number, value


def spans(message: memoryview) -> Iterator[tuple[int, Value, int, int]]:
    """As `fields`, with the positions where each field begins and ends in `message`."""
    position, end = 0, len(message)
    while position < end:
        start = position
        key, position = _varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value, start, position
            continue
        size = _SIZES.get(kind)
        if size is None:
            if kind != _BYTES:
                raise MalformedError(f"field {number} has the wire type {kind}")
            size, position = _varint(message, position)
        if size > end - position:
            raise MalformedError(f"field {number} has {size} bytes, and {end - position} are left")
        value_at, position = position, position + size
        yield number, message[value_at:position], start, position


def varints(value: Value) -> Iterator[int]:
    """The numbers of a repeated field, which may be packed into one value or not."""
    if isinstance(value, int):
        yield value
        return
    position = 0
    while position < len(value):
        number, position = _varint(value, position)
        yield number


def text(value: Value) -> str:
    """A string. Raises MalformedError when it is none."""
    if isinstance(value, int):
        raise MalformedError("a string is a number")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"a string is not UTF-8: {error}") from error


def message(value: Value) -> memoryview:
    """A message within a message. Raises MalformedError when it is none."""
    if isinstance(value, int):
        raise MalformedError("a message is a number")
    return value


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    try:
        while True:
            byte = message[position]
            position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number & 0xFFFF_FFFF_FFFF_FFFF, position
            shift += 7
            if shift >= _MOST_VARINT_BITS:
                raise MalformedError("a number has more than 64 bits")
    except IndexError as error:
        raise MalformedError("it ends in the middle of a number") from error


def write_header(number: int, size: int) -> bytes:
    """What stands before a value of `size` bytes."""
    return _written(number << 3 | _BYTES) + _written(size)


def write_bytes(number: int, value: bytes) -> bytes:
    """A field whose value is a string, bytes, or a message."""
    return write_header(number, len(value)) + value


def write_number(number: int, value: int) -> bytes:
    """A field whose value is a number, which is not negative."""
    return _written(number << 3 | _VARINT) + _written(value)


def _written(value: int) -> bytes:
    """A varint."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
