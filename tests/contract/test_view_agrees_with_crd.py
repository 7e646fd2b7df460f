"""The operator's view and the CRD, walked side by side: names, types, bounds, required, defaults."""

from typing import Any

import pytest

from slipway_operator.api import spec, status
from tests.contract import crd

_COMPARED = (
    "type",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
)

Facts = dict[str, dict[str, Any]]


@pytest.mark.parametrize(
    ("field", "view"), [("spec", spec.Spec), ("status", status.Status)], ids=["spec", "status"]
)
def test_the_view_is_the_crds(field: str, view: type[spec.Spec] | type[status.Status]) -> None:
    ours = view.model_json_schema(by_alias=True)
    assert _facts_of_view(ours) == _facts_of_crd(crd.schema()["properties"][field])


def _facts_of_crd(node: crd.Schema) -> Facts:
    return {path: _of_crd(each) for path, each in crd.nodes(node)}


def _of_crd(node: crd.Schema) -> dict[str, Any]:
    facts = _common(node)
    if node.get("format") in {"int32", "int64"}:
        del facts["format"]  # the width on the wire; minimum and maximum say more
    if node.get("format") == "date-time":
        del facts["maxLength"]  # a parsed moment has no length
    if node.get("x-kubernetes-int-or-string"):
        facts["type"] = "integer or string"
    if "default" in node:
        facts["default"] = crd.defaulted(node, node["default"])
    return facts


def _facts_of_view(whole: crd.Schema) -> Facts:
    return {path: _of_view(each) for path, each in crd.nodes(_plain(whole, whole.get("$defs", {})))}


def _of_view(node: crd.Schema) -> dict[str, Any]:
    facts = _common(node)
    if node.get("default") is not None:
        facts["default"] = _without_nulls(node["default"])
    return facts


def _common(node: crd.Schema) -> dict[str, Any]:
    facts = {fact: node[fact] for fact in _COMPARED if fact in node}
    facts["fields"] = sorted(node.get("properties", {}))
    facts["required"] = sorted(node.get("required", []))
    return facts


def _plain(node: crd.Schema, definitions: dict[str, crd.Schema]) -> crd.Schema:
    """pydantic's JSON schema in the CRD's form: no references, no null, int-or-string as one node."""
    if "$ref" in node:
        node = definitions[node["$ref"].removeprefix("#/$defs/")] | {
            key: value for key, value in node.items() if key != "$ref"
        }
    if "anyOf" in node:
        node = _one_of(node, definitions)
    plain = {key: value for key, value in node.items() if key not in {"properties", "items", "anyOf"}}
    if "const" in plain:
        plain["enum"] = [plain["const"]]
    if "properties" in node:
        plain["properties"] = {name: _plain(child, definitions) for name, child in node["properties"].items()}
    if "items" in node:
        plain["items"] = _plain(node["items"], definitions)
    if "additionalProperties" in node:
        plain["additionalProperties"] = _plain(node["additionalProperties"], definitions)
    return plain


def _one_of(node: crd.Schema, definitions: dict[str, crd.Schema]) -> crd.Schema:
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    choices = [choice for choice in node["anyOf"] if choice.get("type") != "null"]
    if len(choices) == 1:
        return _plain(choices[0], definitions) | rest
    number, text = choices
    assert (number["type"], text["type"]) == ("integer", "string")
    return {**number, **text, **rest, "type": "integer or string"}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    return value
