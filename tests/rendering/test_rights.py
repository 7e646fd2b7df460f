"""The operator's rights are those that somebody can give a reason for, and a place in the code."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rendering.rights import RIGHTS, Use
from tests.rendering.test_chart import IMAGES, of_kind, render

EVERYWHERE: dict[str, Any] = IMAGES
IN_ONE: dict[str, Any] = {**IMAGES, "watch": {"namespaces": ["team-a"]}}
CLUSTER_WIDE = {("nodes", "list")}  # no Role can grant what stands in no namespace

ASKED_BY_THE_API_SERVER = {
    ("inferencemodels/finalizers", "update"),
    ("deployments/finalizers", "update"),
    ("services", "delete"),
}

CALLS = {
    "get": (".get(", ".find(", ".text("),
    "list": (".list(", ".list_metadata(", "kopf.on.event"),
    "watch": ("kopf.on.event", "Kind("),
    "create": (".create(", ".apply("),
    "patch": (".merge(", ".apply("),
    "delete": (".delete(",),
}


def granted(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Resource and verb of what the operator's own account may do."""
    objects = render(values)
    bound = {(found["roleRef"]["kind"], found["roleRef"]["name"]) for found in objects if "roleRef" in found}
    for role in of_kind(objects, "ClusterRole", "Role"):
        if (role["kind"], role["metadata"]["name"]) in bound:
            for rule in role["rules"]:
                yield from ((name, verb) for name in rule["resources"] for verb in rule["verbs"])


def test_what_is_granted_everywhere_is_what_there_is_a_reason_for() -> None:
    assert set(granted(EVERYWHERE)) == set(RIGHTS)


def test_in_namespaces_it_is_the_same_but_for_what_stands_in_none() -> None:
    assert set(granted(IN_ONE)) == set(RIGHTS) - CLUSTER_WIDE


@pytest.mark.parametrize(("right", "use"), [pytest.param(r, u, id=" ".join(r)) for r, u in RIGHTS.items()])
def test_a_right_is_used_where_its_reason_says(right: tuple[str, str], use: Use) -> None:
    assert use.why
    if not use.where:
        assert right in ASKED_BY_THE_API_SERVER  # its own check of ownerReferences: nothing calls it
        return
    module, _, name = use.where.partition(":")
    found: Any = importlib.import_module(f"slipway_operator.{module}")
    source = inspect.getsource(found)
    for part in filter(None, name.split(".")):
        found = getattr(found, part)
    if name and callable(found):
        source = inspect.getsource(found)
    assert any(call in source for call in CALLS[right[1]]), f"{use.where} makes no such call"


def test_nothing_of_the_cluster_is_needed_by_who_has_only_namespaces() -> None:
    values = {**IN_ONE, "crds": {"enabled": False}, "userRoles": False}
    namespaced = {"team-a", "slipway-system"}
    for found in render(values):
        assert found["metadata"].get("namespace") in namespaced, (found["kind"], found["metadata"]["name"])
