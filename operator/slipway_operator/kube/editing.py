"""Who has edited what is ours: read from the managed fields, in which the API server notes each writer. Pure.

A Deployment's pod template is written once, by us. A writer that owns a field of it has changed it since.
"""

from __future__ import annotations

from typing import Any

from slipway_operator.api import labels

Body = dict[str, Any]

_OURS = {labels.FIELD_MANAGER, labels.TRAFFIC_FIELD_MANAGER}


def editor_of_template(deployment: Body) -> str:
    """The latest writer of the pod template beside us (kubectl-edit, say), or ""."""
    entries = [e for e in deployment["metadata"].get("managedFields", []) if _touches_template(e)]
    if not entries:
        return ""
    return str(max(entries, key=lambda entry: str(entry.get("time", "")))["manager"])


def _touches_template(entry: Body) -> bool:
    if entry.get("manager") in {*_OURS, None} or entry.get("subresource"):
        return False
    return "f:template" in entry.get("fieldsV1", {}).get("f:spec", {})
