"""What was applied is compared by the fields that are ours, as an API server keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from slipway_operator.rendering import comparison

EVERYWHERE: dict[str, Any] = {"from": [{"namespaceSelector": {}}]}
WANTED: dict[str, Any] = {"ingress": [EVERYWHERE], "policyTypes": ["Ingress"]}


def with_selector(selector: dict[str, Any]) -> dict[str, Any]:
    return {"ingress": [{"from": [{"namespaceSelector": selector}]}], "policyTypes": ["Ingress"]}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        pytest.param(WANTED, WANTED, id="as it is"),
        pytest.param(WANTED, with_selector({"matchLabels": {}}), id="an empty map is dropped"),
        pytest.param(WANTED, with_selector({"matchExpressions": []}), id="an empty list is dropped"),
        pytest.param(WANTED, with_selector({"matchLabels": None}), id="null is dropped"),
        pytest.param(
            with_selector({"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
            with_selector({"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]}),
            id="no values are dropped",
        ),
        pytest.param({**WANTED, "egress": [{}]}, WANTED, id="a field of somebody else's"),
    ],
)
def test_the_same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert comparison.owns(found, wanted)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param({}, id="nothing"),
        pytest.param({**WANTED, "ingress": []}, id="an empty list of ours"),
        pytest.param({**WANTED, "ingress": [EVERYWHERE, {}]}, id="one more in a list of ours"),
        pytest.param(with_selector({"matchLabels": {"team": "sre"}}), id="fewer namespaces"),
        pytest.param(
            {"ingress": [{"from": [{"podSelector": {}}]}], "policyTypes": ["Ingress"]},
            id="a selector of another kind that is empty, too",
        ),
        pytest.param({**WANTED, "policyTypes": ["Ingress", "Egress"]}, id="for more than we want"),
    ],
)
def test_not_the_same(found: dict[str, Any]) -> None:
    assert not comparison.owns(found, WANTED)
