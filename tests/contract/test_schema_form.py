"""The form of the CRD: structural, described and bounded everywhere, with columns and a scale."""

from typing import Any

import pytest

from tests.contract import crd

_NODES = [pytest.param(path, node, id=path or "the whole object") for path, node in crd.nodes(crd.schema())]
_SPEC = [
    pytest.param(path, node, id=path) for path, node in crd.nodes(crd.schema()) if path.startswith("spec")
]
_FORBIDDEN = {"$ref", "oneOf", "allOf", "not", "nullable", "x-kubernetes-preserve-unknown-fields"}

SHAPES_A_POD = (
    "spec.version",
    "spec.source",
    "spec.resources",
    "spec.runtime",
    "spec.rollout.drain",
    "spec.rollout.verification",
    "spec.restartToken",
    "spec.nodeSelector",
    "spec.tolerations",
    "spec.topologySpreadConstraints",
    "spec.priorityClassName",
    "spec.imagePullSecrets",
    "spec.serviceAccountName",
)


@pytest.mark.parametrize(("path", "node"), _NODES)
def test_a_node_is_structural(path: str, node: crd.Schema) -> None:
    assert ("type" in node) != node.get("x-kubernetes-int-or-string", False)
    assert not _FORBIDDEN & node.keys()
    assert not {"properties", "additionalProperties"} <= node.keys()
    if node.get("type") == "array":
        assert node["x-kubernetes-list-type"] in {"map", "atomic"}


@pytest.mark.parametrize(("path", "node"), _NODES)
def test_a_node_is_described_in_sentences(path: str, node: crd.Schema) -> None:
    if path == "metadata":
        pytest.skip("the API server allows no description there")
    assert node["description"][0].isupper()
    assert node["description"].rstrip().endswith(".")


@pytest.mark.parametrize(("path", "node"), _NODES)
def test_a_node_is_bounded(path: str, node: crd.Schema) -> None:
    if path in {"apiVersion", "kind"}:
        pytest.skip("the API server's own")
    for bound in _bounds(path, node):
        assert bound in node


def _bounds(path: str, node: crd.Schema) -> set[str]:
    if node.get("x-kubernetes-int-or-string"):
        return {"minimum", "maxLength", "pattern"}
    match node["type"]:
        case "string":
            return set() if "enum" in node else {"maxLength"}
        case "array":
            return {"maxItems"}
        case "integer" | "number":
            return {"minimum"} if path.startswith("status") else {"minimum", "maximum"}
        case "boolean":
            return set()
        case "object":
            return {"maxProperties"} if "additionalProperties" in node else set()
        case other:
            raise AssertionError(f"{path} has the type {other}")


@pytest.mark.parametrize(("path", "node"), _SPEC)
def test_a_field_that_shapes_a_pod_has_no_default(path: str, node: crd.Schema) -> None:
    if path.startswith(SHAPES_A_POD):
        assert "default" not in node


@pytest.mark.parametrize("path", SHAPES_A_POD)
def test_the_fields_that_shape_a_pod_exist(path: str) -> None:
    assert path in dict(crd.nodes(crd.schema()))


def test_no_field_hands_over_the_pod() -> None:
    names = {
        path.rpartition(".")[2].rstrip("[]{}") for path, _ in crd.nodes(crd.schema()["properties"]["spec"])
    }
    forbidden = {
        "namespace",
        "command",
        "args",
        "env",
        "volumes",
        "hostNetwork",
        "securityContext",
        "template",
    }
    assert not names & (forbidden | {"serviceAccount", "automountServiceAccountToken", "nodeName", "podSpec"})


def test_the_names_are_those_that_people_type() -> None:
    names = crd.load()["spec"]["names"]
    assert (names["kind"], names["plural"]) == ("InferenceModel", "inferencemodels")
    assert (names["shortNames"], names["categories"]) == (["imodel"], ["serving"])
    assert crd.load()["spec"]["scope"] == "Namespaced"


def test_the_scale_subresource_shows_the_active_revision_to_autoscalers() -> None:
    assert crd.version()["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def _column(column: dict[str, Any]) -> str:
    return str(column["name"]).upper()


def test_kubectl_get_shows_where_the_rollout_stands() -> None:
    columns = crd.version()["additionalPrinterColumns"]
    narrow = [_column(column) for column in columns if not column.get("priority")]
    assert narrow == ["VERSION", "ACTIVE", "TARGET", "READY", "REPLICAS", "STEP", "AGE"]
    assert [_column(column) for column in columns if column.get("priority")] == ["REASON", "URL"]
