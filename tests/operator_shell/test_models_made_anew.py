"""A model that is made anew over children that were kept, or restored, goes on with them.

A real API server, Kubernetes' own controllers and its garbage collector; the pods are called ready by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operator_shell import owners
from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import OperatorProcess, started, until
from tests.operator_shell.rest import Body
from tests.operator_shell.test_living_with_others import ask, serving, status

pytestmark = pytest.mark.cluster


def uids(place: Place) -> set[str]:
    """Of the children, and of all pods of the model."""
    pods = place.rest.items(f"/api/v1/namespaces/{place.models}/pods?labelSelector=slipway.dev/model")
    return {body["metadata"]["uid"] for body in [*owners.children(place).values(), *pods]}


def template(place: Place) -> list[Body]:
    found = owners.children(place).items()
    return [body["spec"]["template"] for (kind, _), body in found if kind == "Deployment"]


def collected(place: Place) -> bool:
    return not uids(place)


def goes_on(place: Place, operator: OperatorProcess, version: str = "1") -> None:
    until(lambda: place.arrived_at(version), f"version {version} is there", operator)
    until(lambda: owners.nobodys(place) == [], "all of it has an owner", operator)
    assert serving(place) == "True"
    assert status(place)["readyReplicas"] == 2


def test_children_that_were_kept_serve_on_and_are_taken_over(place: Place, folder: Path) -> None:
    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        ask(place, "1", replicas=2)
        goes_on(place, operator)
        before = uids(place)
        owners.delete_model(place, "Orphan")
        until(lambda: place.model() is None, "the model has gone", operator)
        assert (uids(place), len(owners.nobodys(place))) == (before, 3)

        ask(place, "1", replicas=2)
        goes_on(place, operator)
        assert uids(place) == before
        assert "NameConflict" not in operator.words()
        ask(place, "2", replicas=2)
        goes_on(place, operator, "2")


@pytest.mark.parametrize("owned", [False, True], ids=["without owners", "with the owners of old"])
def test_children_that_were_restored_are_taken_over(place: Place, folder: Path, *, owned: bool) -> None:
    """With owners that are no more the garbage collector may be faster: then they are made anew."""
    with started("one", place.plane.kubeconfig, folder, **place.settings) as operator:
        ask(place, "1", replicas=2)
        goes_on(place, operator)
        saved, before = owners.children(place), template(place)
        owners.delete_model(place, "Background")
        until(lambda: collected(place), "nothing of it is left", operator)

        owners.restore(place, saved, owned=owned)
        restored = uids(place)
        ask(place, "1", replicas=2)
        goes_on(place, operator)
        assert template(place) == before
        assert owned or restored <= uids(place)
