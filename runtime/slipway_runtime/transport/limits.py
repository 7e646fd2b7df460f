"""The bounds of one request on the models' port. Values only."""

from dataclasses import dataclass

MAX_TEXT_BYTES = 16 * 1024
"""Of UTF-8, in one text; more would be cut by the model anyway."""
MAX_JSON_BYTES = 2 * 1024 * 1024
"""Of one body that is JSON, or of the JSON in front of binary tensors; of a message beside its raw ones."""
MAX_TENSORS = 1024
"""Inputs of one request, and outputs that it asks for."""
MAX_AXES = 32
"""Of one tensor's shape."""

UNCOUNTED_BODY_BYTES = 64 * 1024
"""A body up to this size is not counted among those that are held: the connection holds as much anyway."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Of one request: texts, rows of tensors, bytes of a body with tensors, seconds until it is given up."""

    max_texts: int
    max_rows: int
    max_tensor_bytes: int
    timeout: float
