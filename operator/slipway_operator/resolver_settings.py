"""What the administrator sets of resolver pods: from JSON in the environment to fields of a pod.

Each function raises ValueError with a sentence for whoever wrote the text. Must not know what a pod has where
nothing is set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pydantic

from slipway_operator.api import names, pods
from slipway_operator.domain import quantity

Body = dict[str, Any]

_AMOUNTS = ("cpu", "memory", "ephemeral-storage")  # no device: a resolver pod takes none from the models
_KINDS = ("requests", "limits")
_FIELDS = ("key", "operator", "value", "effect", "tolerationSeconds")


def resources(text: str) -> Body:
    """`requests` and `limits`; nothing where the text is empty."""
    found = _parsed(text, dict, '{"requests": {…}, "limits": {…}}')
    if unknown := found.keys() - set(_KINDS):
        raise ValueError(f"{min(unknown)!r} is neither requests nor limits")
    amounts = {kind: _amounts(kind, each) for kind, each in found.items()}
    for name, most in amounts.get("limits", {}).items():
        asked = amounts.get("requests", {}).get(name, most)
        if Decimal(quantity.canonical(asked)) > Decimal(quantity.canonical(most)):
            raise ValueError(f"the request of {name}, {asked}, is above its limit, {most}")
    return amounts


def node_selector(text: str) -> dict[str, str]:
    """Labels of nodes."""
    found = _parsed(text, dict, '{"kubernetes.io/arch": "amd64"}')
    for key, value in found.items():
        if not re.fullmatch(names.LABEL_KEY, key):
            raise ValueError(f"{key!r} is not the key of a label")
        if not isinstance(value, str) or not names.is_label_value(value):
            raise ValueError(f"{value!r} is not the value of a label ({key})")
    return dict(found)


def tolerations(text: str) -> list[Body]:
    """Each as in a pod."""
    found = _parsed(text, list, '[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]')
    return [_toleration(each) for each in found]


def _parsed(text: str, kind: type, form: str) -> Any:
    try:
        found = json.loads(text) if text else kind()
    except ValueError:
        found = None
    if not isinstance(found, kind):
        raise ValueError(f"must be JSON such as {form}, or empty")
    return found


def _amounts(kind: str, found: object) -> dict[str, str]:
    if not isinstance(found, Mapping):
        raise ValueError(f"{kind} must name amounts of {', '.join(_AMOUNTS)}")
    for name, amount in found.items():
        if name not in _AMOUNTS:
            raise ValueError(f"{kind} names {name!r}, where only cpu, memory and ephemeral-storage may stand")
        if isinstance(amount, bool) or not re.fullmatch(names.QUANTITY, str(amount)):
            raise ValueError(f"{amount!r} is no amount ({kind}.{name}): write 1, '500m' or '256Mi'")
    return {name: str(amount) for name, amount in found.items()}


def _toleration(found: object) -> Body:
    if not isinstance(found, dict):
        raise ValueError(f"{found!r} is no toleration: it has a key, an operator, a value and an effect")
    if unknown := found.keys() - set(_FIELDS):
        raise ValueError(f"{min(unknown)!r} is no field of a toleration; there are {', '.join(_FIELDS)}")
    try:
        pods.Toleration.model_validate(found)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ").replace(" in spec.tolerations", "")
        raise ValueError(f"{where}{why}") from None
    return found
