"""The CRD as data: where its schema's nodes and rules stand, and which of them a document meets.

It knows the structural schemas of Kubernetes, and nothing of this CRD's fields.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "crds" / "slipway.dev_inferencemodels.yaml"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A CEL rule, what it says when it is broken, and the schema node that it stands on."""

    path: str
    expression: str
    message: str


@cache
def load() -> dict[str, Any]:
    """The CustomResourceDefinition; read it only."""
    definition: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return definition


def version() -> dict[str, Any]:
    """The CRD's one version."""
    (only,) = load()["spec"]["versions"]
    return dict(only)


def schema() -> Schema:
    """The schema of the whole object."""
    whole: Schema = version()["schema"]["openAPIV3Schema"]
    return whole


def nodes(node: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every node below, with its path: `spec.rollout`, `spec.tolerations[]`, `spec.nodeSelector{}`."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}" if path else name)
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")
    if "additionalProperties" in node:
        yield from nodes(node["additionalProperties"], f"{path}{{}}")


def rules() -> list[Rule]:
    """Every CEL rule of the CRD."""
    return [
        Rule(path=path, expression=rule["rule"], message=rule["message"])
        for path, node in nodes(schema())
        for rule in node.get("x-kubernetes-validations", [])
    ]


def met(node: Schema, value: Any) -> Iterator[tuple[Schema, Any]]:
    """Every pair of a schema node and a value of the document that it describes."""
    yield node, value
    match value:
        case dict():
            for name, child in value.items():
                described = node.get("properties", {}).get(name) or node.get("additionalProperties")
                if described:
                    yield from met(described, child)
        case list():
            for child in value:
                yield from met(node["items"], child)


def unknown(node: Schema, value: Any, path: str = "") -> Iterator[str]:
    """The paths in a document that the schema does not know, and that the API server would drop."""
    if isinstance(value, dict) and "properties" in node:
        for name, child in value.items():
            if name in node["properties"]:
                yield from unknown(node["properties"][name], child, f"{path}.{name}")
            else:
                yield f"{path}.{name}".removeprefix(".")
    if isinstance(value, list):
        for child in value:
            yield from unknown(node["items"], child, f"{path}[]")


def defaulted(node: Schema, value: Any) -> Any:
    """The value as the API server stores it: with the schema's defaults."""
    match value:
        case dict():
            known = node.get("properties", {})
            whole = {
                name: copy.deepcopy(child["default"]) for name, child in known.items() if "default" in child
            } | value
            every = node.get("additionalProperties", {})
            return {name: defaulted(known.get(name, every), child) for name, child in whole.items()}
        case list():
            return [defaulted(node.get("items", {}), child) for child in value]
        case _:
            return value
