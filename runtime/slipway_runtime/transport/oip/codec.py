"""Tensors to and from bytes, and to and from lists of plain values.

On the wire numbers are little-endian and row-major, and each element of BYTES stands after its
length (uint32). Pure. Knows no model: whether a tensor is wanted is checked before it is decoded.
"""

import struct
from collections.abc import Sequence

import numpy as np

from slipway_runtime.transport.oip import errors
from slipway_runtime.transport.oip.values import Array

DTYPES = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype("O"),
}
RAW_ONLY = frozenset({"FP16"})
"""Datatypes that the protocol carries as bytes only."""

_LENGTH = struct.Struct("<I")


def decode(raw: memoryview, *, datatype: str, shape: Sequence[int]) -> Array:
    """The tensor of these bytes, read-only where it shares them. Raises OipError when they do not fit."""
    count = _count(shape)
    if datatype == "BYTES":
        return _decode_bytes(raw, count).reshape(tuple(shape))
    dtype = DTYPES[datatype]
    if len(raw) != count * dtype.itemsize:
        raise errors.invalid(
            f"{len(raw)} bytes of data for {count} elements of {datatype}, which are {count * dtype.itemsize}"
        )
    if datatype == "BOOL":  # any byte is true but 0; numpy would keep the byte
        return np.frombuffer(raw, np.uint8).astype(bool).reshape(tuple(shape))
    return np.frombuffer(raw, dtype).reshape(tuple(shape))


def encode(data: Array, datatype: str) -> bytes:
    """The bytes of a tensor."""
    if datatype == "BYTES":
        return b"".join(_LENGTH.pack(len(element)) + element for element in data.flat)
    return data.astype(DTYPES[datatype], copy=False).tobytes()


def from_values(values: Sequence[object], *, datatype: str, shape: Sequence[int]) -> Array:
    """The tensor of these values, nested or flat. Raises OipError when they do not fit.

    Strings of BYTES become their UTF-8.
    """
    if datatype in RAW_ONLY:
        raise errors.invalid(f"{datatype} is sent as binary data only")
    count = _count(shape)
    flat = _flatten(values, count)
    if len(flat) != count:
        raise errors.invalid(f"data has {len(flat)} elements, and the shape {list(shape)} has {count}")
    return _array(flat, datatype).reshape(tuple(shape))


def to_values(data: Array, datatype: str) -> list[object]:
    """The elements as a flat list for JSON. Raises OipError for what JSON cannot carry."""
    if datatype in RAW_ONLY:
        raise errors.invalid(f"{datatype} is sent as binary data only: ask for it with binary_data")
    if datatype == "BYTES":
        return [_text(element) for element in data.flat]
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        raise errors.invalid(
            "the answer has NaN or infinity in it, which JSON cannot carry: ask for it with binary_data"
        )
    values: list[object] = data.ravel().tolist()
    return values


def _count(shape: Sequence[int]) -> int:
    """In Python's integers: no shape is large enough to overflow."""
    count = 1
    for length in shape:
        count *= length
    return count


def _decode_bytes(raw: memoryview, count: int) -> Array:
    if count * _LENGTH.size > len(raw):  # before anything is made for so many
        raise errors.invalid(f"{len(raw)} bytes of data are too few for {count} elements of BYTES")
    elements = np.empty(count, dtype=object)
    position = 0
    for index in range(count):
        begin = position + _LENGTH.size
        if begin > len(raw):
            raise errors.invalid(f"the data ends within element {index} of {count}")
        position = begin + _LENGTH.unpack_from(raw, position)[0]
        if position > len(raw):
            raise errors.invalid(f"element {index} of {count} reaches beyond the end of the data")
        elements[index] = bytes(raw[begin:position])
    if position != len(raw):
        raise errors.invalid(f"{len(raw) - position} bytes of data after the last of {count} elements")
    return elements


def _flatten(values: Sequence[object], count: int) -> list[object]:
    """The elements in their order, at most one too many."""
    flat: list[object] = []
    open_lists = [iter(values)]
    while open_lists and len(flat) <= count:
        for value in open_lists[-1]:
            if isinstance(value, list):
                open_lists.append(iter(value))
                break
            flat.append(value)
            if len(flat) > count:
                break
        else:
            open_lists.pop()
    return flat


def _array(flat: list[object], datatype: str) -> Array:
    if datatype == "BYTES":
        return _bytes_array(flat)
    dtype = DTYPES[datatype]
    wanted = {"b": (bool,), "i": (int,), "u": (int,), "f": (int, float)}[dtype.kind]
    for value in flat:
        if type(value) not in wanted:  # a bool is an int for isinstance
            raise errors.invalid(f"data has {_shown(value)}, and {datatype} was expected")
    try:
        with np.errstate(over="ignore"):  # looked for below
            array = np.array(flat, dtype=dtype)
    except OverflowError as error:
        raise errors.invalid(f"data has a number that is too large for {datatype}") from error
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise errors.invalid(
            f"data has a number that is no finite {datatype}: send such values as binary data"
        )
    return array


def _bytes_array(flat: list[object]) -> Array:
    array = np.empty(len(flat), dtype=object)
    for index, value in enumerate(flat):
        match value:
            case bytes():
                array[index] = value
            case str():
                array[index] = value.encode()
            case _:
                raise errors.invalid(f"data has {_shown(value)}, and a string was expected")
    return array


def _text(element: bytes) -> str:
    try:
        return element.decode()
    except UnicodeDecodeError as error:
        raise errors.invalid(
            "the answer has bytes that are no UTF-8, which JSON cannot carry: ask for it with binary_data"
        ) from error


def _shown(value: object) -> str:
    """The kind of a value in JSON's words: the value itself may be anything, and of any length."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case str() | bytes():
            return "a string"
        case _:
            return "an object"
