"""Tensors on the wire of the Open Inference Protocol: to bytes and back, and what does not fit."""

import contextlib
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from slipway_runtime.engine import ports
from slipway_runtime.scheduling.calls import Call, Lane
from slipway_runtime.transport.oip import bodies, codec, terms
from slipway_runtime.transport.oip.errors import OipError
from slipway_runtime.transport.oip.values import Parameter

_NUMBERS = sorted(set(codec.DTYPES) - {"BYTES"})
_SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


@given(st.data(), st.sampled_from(_NUMBERS))
def test_numbers_survive_the_wire(data: st.DataObject, datatype: str) -> None:
    array = data.draw(hnp.arrays(codec.DTYPES[datatype], _SHAPES))

    raw = codec.encode(array, datatype)
    back = codec.decode(memoryview(raw), datatype=datatype, shape=array.shape)

    assert len(raw) == array.nbytes
    np.testing.assert_array_equal(back, array)
    assert back.shape == array.shape


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_bytes_survive_the_wire(elements: list[bytes]) -> None:
    array = np.empty(len(elements), dtype=object)
    array[:] = elements

    back = codec.decode(memoryview(codec.encode(array, "BYTES")), datatype="BYTES", shape=[len(elements)])

    assert list(back) == elements


@given(st.data(), st.sampled_from(sorted(set(_NUMBERS) - codec.RAW_ONLY)))
def test_numbers_survive_json(data: st.DataObject, datatype: str) -> None:
    finite = {"allow_nan": False, "allow_infinity": False} if datatype.startswith("FP") else {}
    array = data.draw(hnp.arrays(codec.DTYPES[datatype], _SHAPES, elements=finite or None))

    back = codec.from_values(codec.to_values(array, datatype), datatype=datatype, shape=array.shape)

    np.testing.assert_array_equal(back, array)


@given(st.binary(max_size=64), st.lists(st.integers(0, 2**62), min_size=1, max_size=4))
def test_bytes_that_lie_are_refused_and_nothing_else_happens(raw: bytes, shape: list[int]) -> None:
    for datatype in codec.DTYPES:
        with contextlib.suppress(OipError):
            assert list(codec.decode(memoryview(raw), datatype=datatype, shape=shape).shape) == shape


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "too few for 2 elements"),
        (b"\1\0\0\0a", "too few for 2 elements"),
        (b"\1\0\0\0a\5\0\0\0b", "element 1 of 2 reaches beyond the end"),
        (b"\4\0\0\0abcd\1\0", "the data ends within element 1"),
        (b"\1\0\0\0a\1\0\0\0bc", "1 bytes of data after the last"),
        (b"\xff\xff\xff\xff\1\0\0\0a", "element 0 of 2 reaches beyond the end"),
    ],
    ids=["nothing", "one of two", "a lying length", "half a length", "something behind", "4 GiB"],
)
def test_strings_that_do_not_fit_are_told_where(raw: bytes, says: str) -> None:
    with pytest.raises(OipError, match=says):
        codec.decode(memoryview(raw), datatype="BYTES", shape=[2])


@pytest.mark.parametrize(
    ("values", "datatype", "says"),
    [
        ([1], "INT32", "data has 1 elements, and the shape .2. has 2"),
        ([1, 2, 3], "INT32", "data has 3 elements"),
        ([1, 2.5], "INT32", "data has a number, and INT32 was expected"),
        ([1, True], "INT32", "data has true, and INT32 was expected"),
        ([1, None], "FP32", "data has null"),
        ([1, "a"], "FP32", "data has a string"),
        ([1, {}], "FP32", "data has an object"),
        ([1, 300], "UINT8", "a number that is too large for UINT8"),
        ([1, -1], "UINT64", "a number that is too large for UINT64"),
        ([1, 2**70], "INT64", "a number that is too large for INT64"),
        ([1, 10**400], "FP64", "a number that is too large for FP64"),
        ([1.0, float("nan")], "FP32", "no finite FP32"),
        ([1.0, float("inf")], "FP64", "no finite FP64"),
        ([1.0, 1e300], "FP32", "no finite FP32"),
        ([1, 0], "BOOL", "data has a number, and BOOL was expected"),
        (["a", 1], "BYTES", "data has a number, and a string was expected"),
        ([1.0, 2.0], "FP16", "FP16 is sent as binary data only"),
    ],
)
def test_values_that_do_not_fit_are_told_why(values: list[object], datatype: str, says: str) -> None:
    with pytest.raises(OipError, match=says):
        codec.from_values(values, datatype=datatype, shape=[2])


def test_what_clients_may_send_is_what_models_may_have() -> None:
    numbers = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    kinds = ["bool", *numbers, "float16", "float", "double", "string", "bfloat16", "complex64"]
    nodes = [SimpleNamespace(name="x", type=f"tensor({kind})", shape=[]) for kind in kinds]
    served = {port.datatype for port in map(ports.read, nodes)} - {None}

    assert served == set(codec.DTYPES) == set(get_args(bodies.Datatype))


def test_lists_may_be_nested_or_flat() -> None:
    for values in ([[1, 2], [3, 4]], [1, 2, 3, 4], [[1], [2, 3, 4]]):
        array = codec.from_values(values, datatype="INT64", shape=[2, 2])
        assert array.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_json_cannot_carry_is_not_sent_as_json(value: float) -> None:
    with pytest.raises(OipError, match="ask for it with binary_data"):
        codec.to_values(np.array([value], np.float32), "FP32")


def test_bytes_that_are_no_text_are_not_sent_as_json() -> None:
    with pytest.raises(OipError, match="no UTF-8"):
        codec.to_values(np.array([b"\xff"], dtype=object), "BYTES")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, Call(130.0, Lane.INTERACTIVE)),
        ({"priority": "bulk"}, Call(130.0, Lane.BULK)),
        ({"priority": 2}, Call(130.0, Lane.BULK)),
        ({"priority": 1}, Call(130.0, Lane.INTERACTIVE)),
        ({"priority": 0}, Call(130.0, Lane.INTERACTIVE)),
        ({"timeout": 1_500_000}, Call(101.5, Lane.INTERACTIVE)),
        ({"timeout": 0}, Call(130.0, Lane.INTERACTIVE)),
        ({"timeout": 2**60}, Call(130.0, Lane.INTERACTIVE)),
        ({"sequence_id": 0, "anything": "else"}, Call(130.0, Lane.INTERACTIVE)),
    ],
)
def test_parameters_set_the_terms(parameters: dict[str, Parameter], expected: Call) -> None:
    assert terms.of(parameters, received=100.0, usual=Call(deadline=130.0)) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"priority": "urgent"},
        {"priority": -1},
        {"priority": True},
        {"priority": 1.5},
        {"timeout": -1},
        {"timeout": 1.5},
        {"timeout": True},
        {"timeout": "1"},
        {"sequence_id": 7},
    ],
)
def test_parameters_that_say_nothing_are_refused(parameters: dict[str, Parameter]) -> None:
    with pytest.raises(OipError):
        terms.of(parameters, received=100.0, usual=Call(deadline=130.0))
