"""The bounds of one request on the models' port. Values only."""

from dataclasses import dataclass

MAX_TEXT_BYTES = 16 * 1024
"""Of UTF-8, in one text; more would be cut by the model anyway."""
MAX_JSON_BYTES = 2 * 1024 * 1024
"""Of one body that is JSON, or of the JSON in front of binary tensors."""

UNCOUNTED_BODY_BYTES = 64 * 1024
"""A body up to this size is not counted among those that are held: the connection holds as much anyway."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Of one request: texts, rows of tensors, bytes of a body with tensors, and seconds until it is given up.

    `max_held_bytes` is for the bodies of all requests together.
    """

    max_texts: int
    max_rows: int
    max_tensor_bytes: int
    max_held_bytes: int
    timeout: float
