"""Whether an object still says what was applied to it, by the fields that are ours.

An API server does not keep what it is given letter by letter: of a LabelSelector it drops what is empty, and
defaults, webhooks and other people add fields of their own. None of that is drift. Must not know any kind.
"""

from __future__ import annotations

from typing import Any

_OF_A_SELECTOR = ("matchLabels", "matchExpressions", "values")


def owns(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Each field of `wanted` is in `found` as it was applied; what else `found` holds is somebody else's.

    A field is compared whole: the selectors and lists of the kinds that we apply are atomic for server-side
    apply (x-kubernetes-map-type, x-kubernetes-list-type), so that nobody else owns a part of one.
    """
    return all(_kept(found.get(field)) == _kept(value) for field, value in wanted.items())


def _kept(value: object) -> object:
    """Without what says nothing: an empty matchLabels selects the same as none."""
    if isinstance(value, dict):
        return {k: _kept(v) for k, v in value.items() if v is not None and (v or k not in _OF_A_SELECTOR)}
    if isinstance(value, list):
        return [_kept(each) for each in value]
    return value
