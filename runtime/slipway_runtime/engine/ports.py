"""The inputs and outputs of an ONNX model: their names, types and shapes, as three worlds call them.

onnxruntime says `tensor(int64)`, numpy `int64`, the Open Inference Protocol `INT64`. Knows no session.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from slipway_runtime.engine.model import TensorSpec

BYTES = "BYTES"

# onnxruntime's element type: the protocol's datatype and numpy's type.
_TYPES: dict[str, tuple[str, Any]] = {
    "bool": ("BOOL", np.bool_),
    "int8": ("INT8", np.int8),
    "int16": ("INT16", np.int16),
    "int32": ("INT32", np.int32),
    "int64": ("INT64", np.int64),
    "uint8": ("UINT8", np.uint8),
    "uint16": ("UINT16", np.uint16),
    "uint32": ("UINT32", np.uint32),
    "uint64": ("UINT64", np.uint64),
    "float16": ("FP16", np.float16),
    "float": ("FP32", np.float32),
    "double": ("FP64", np.float64),
    "string": (BYTES, np.object_),
}
_FLOATS = frozenset({"FP16", "FP32", "FP64"})


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output. `datatype` and `dtype` are None when it is no tensor that can be sent or read.

    `shape` has -1 for what may vary; None when even the rank may.
    """

    name: str
    kind: str  # as onnxruntime says it, for people
    datatype: str | None
    dtype: Any
    shape: tuple[int, ...] | None

    @property
    def is_string(self) -> bool:
        return self.datatype == BYTES

    @property
    def is_float(self) -> bool:
        return self.datatype in _FLOATS

    @property
    def rows(self) -> bool:
        """Whether the first axis may count rows."""
        return bool(self.shape) and self.shape is not None and self.shape[0] == -1

    def fits(self, *shape: int) -> bool:
        """Whether `shape` could be this one: -1 on either side fits anything."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            one == other or -1 in (one, other) for one, other in zip(shape, self.shape, strict=True)
        )

    def spec(self) -> TensorSpec:
        return TensorSpec(self.name, self.datatype or self.kind, self.shape or ())

    def __str__(self) -> str:
        shape = "" if self.shape is None else f" {list(self.shape)}"
        return f"{self.name} {self.kind}{shape}"


def read(node: Any) -> Port:
    """From onnxruntime's NodeArg, which has no types."""
    kind = str(node.type)
    element = kind.removeprefix("tensor(").removesuffix(")") if kind.startswith("tensor(") else ""
    datatype, dtype = _TYPES.get(element, (None, None))
    shape = tuple(size if isinstance(size, int) and size >= 0 else -1 for size in node.shape)
    return Port(name=node.name, kind=kind, datatype=datatype, dtype=dtype, shape=shape)
