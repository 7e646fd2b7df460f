"""A child of the model's own that has lost its owner: the model was deleted without it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Unowned:
    """By its kind and name. It is seen as the child that it is, and is to be taken over."""

    kind: str
    name: str
