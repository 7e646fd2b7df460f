"""Children that have lost their owner are told from somebody else's, and get the owner that they have now."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest

from slipway_operator.api import model as api
from slipway_operator.domain import observed, unowned
from slipway_operator.kube import ownership, reading
from slipway_operator.rendering import access, deployment, disruption, identity, service
from tests.operator_shell import objects
from tests.rendering import models

Body = dict[str, Any]
Edit = Callable[[Body], object]

A = "aaaaaaaaaa"
NAME = f"sentiment-{A}"
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
SPEC = {**models.LEAST, "replicas": 2, "rollout": {"promotion": "Manual"}}
VISITORS = access.Visitors("slipway-system")
KINDS = {
    "Deployment": NAME,
    "Service": "sentiment",
    "preview": "sentiment-preview",
    "own": NAME,
    "PodDisruptionBudget": NAME,
    "NetworkPolicy": "sentiment-runtime",
}


def model(uid: str) -> api.InferenceModel:
    return models.model(SPEC, uid=uid)


def held(body: Body, uid: str) -> Body:
    """As the API server holds it."""
    made: Body = json.loads(json.dumps(body))  # no part of it is another's
    made["metadata"] |= {"uid": uid, "resourceVersion": "7", "creationTimestamp": objects.NOW}
    return made


def children(owner: str = "the one before", *, deployment_uid: str = "deployment-uid") -> dict[str, Body]:
    """All that a model of that uid has made."""
    old, more = model(owner), {"revision": A, "version": "2.1"}
    platform = deployment.Platform("registry.test/runtime:1")
    made = {
        "Deployment": deployment.of_revision(old, revision=A, replicas=2, at=AT, platform=platform),
        "Service": service.stable(old, revision=A),
        "preview": service.preview(old, revision=A),
        "own": service.of_revision(old, deployment_uid=deployment_uid, **more),
        "PodDisruptionBudget": disruption.of_revision(old, deployment_uid=deployment_uid, **more),
        "NetworkPolicy": access.of_model(old, VISITORS),
    }
    uids = {"Deployment": "deployment-uid"}
    return {kind: held(body, uids.get(kind, f"{kind}-uid")) for kind, body in made.items()}


def read(found: dict[str, Body]) -> reading.Cluster:
    services = [found[kind] for kind in ("Service", "preview", "own") if kind in found]
    several = {"deployments": "Deployment", "budgets": "PodDisruptionBudget"}
    lists = {name: [found[kind]] if kind in found else [] for name, kind in several.items()}
    return reading.Cluster(
        services=services, slices=[], pods=[], access=found.get("NetworkPolicy"), asked=A, **lists
    )


def look(found: dict[str, Body]) -> observed.Observed:
    """As the model of today sees it."""
    return reading.observe(model("today"), read(found), visitors=VISITORS)


def without_owners(found: dict[str, Body], *kinds: str) -> dict[str, Body]:
    for kind in kinds or found:
        del found[kind]["metadata"]["ownerReferences"]
    return found


OF_THE_MODEL = ("Deployment", "Service", "preview", "NetworkPolicy")


@pytest.mark.parametrize(
    ("found", "lost"),
    [
        pytest.param(children("today"), (), id="nothing has lost it"),
        pytest.param(
            without_owners(children(), *OF_THE_MODEL), OF_THE_MODEL, id="deleted without its children"
        ),
        pytest.param(without_owners(children()), KINDS, id="restored without owners"),
        pytest.param(children(), OF_THE_MODEL, id="restored with owners that are no more"),
        pytest.param(children(deployment_uid="old"), KINDS, id="all of them"),
    ],
)
def test_what_has_lost_its_owner_is_seen_as_what_it_is(found: dict[str, Body], lost: tuple[str, ...]) -> None:
    seen = look(found)
    assert seen.foreign == ()
    assert seen.service is not None
    assert seen.preview is not None
    assert (seen.service.revision, seen.preview.revision, seen.access) == (A, A, observed.Access.CURRENT)
    assert [(r.id, r.has_service, r.has_budget, r.desired) for r in seen.revisions] == [(A, True, True, 2)]
    kinds = {"preview": "Service", "own": "Service"}
    wanted = {unowned.Unowned(kinds.get(kind, kind), KINDS[kind]) for kind in lost}
    assert set(seen.unowned) == wanted


def label(kind: str, key: str, value: str | None) -> tuple[str, Edit]:
    def edit(body: Body) -> None:
        known = body["metadata"]["labels"]
        known.pop(key) if value is None else known.update({key: value})

    return kind, edit


def owned(kind: str, *references: Any) -> tuple[str, Edit]:
    return kind, lambda body: body["metadata"].update(ownerReferences=list(references))


def pods_of(body: Body) -> Body:
    found: Body = body["spec"]["template"]
    return found


@pytest.mark.parametrize(
    ("kind", "edit"),
    [
        pytest.param(
            *label("Deployment", "slipway.dev/revision", "bbbbbbbbbb"), id="another revision's label"
        ),
        pytest.param(*label("Deployment", "slipway.dev/model", None), id="no label of the model"),
        pytest.param(*label("Deployment", "app.kubernetes.io/managed-by", "Helm"), id="managed by somebody"),
        pytest.param(*label("Service", "app.kubernetes.io/managed-by", None), id="a Service nobody manages"),
        pytest.param(
            "Deployment",
            lambda body: body["spec"]["selector"]["matchLabels"].update(app="mine"),
            id="another selector",
        ),
        pytest.param(
            "Deployment",
            lambda body: pods_of(body)["metadata"]["labels"].pop("slipway.dev/revision"),
            id="pods without our label",
        ),
        pytest.param(
            "Deployment",
            lambda body: pods_of(body)["spec"]["containers"][0].update(name="web"),
            id="pods of another container",
        ),
        pytest.param(
            "Service", lambda body: body["spec"].update(selector={"app": "x"}), id="it leads elsewhere"
        ),
        pytest.param("Service", lambda body: body["spec"].pop("selector"), id="it leads nowhere"),
        pytest.param(
            "own", lambda body: body["spec"].update(selector={"app": "x"}), id="the revision's does"
        ),
        pytest.param(
            "PodDisruptionBudget",
            lambda body: body["spec"].update(selector={"matchLabels": {"app": "x"}}),
            id="it protects others",
        ),
        pytest.param(
            "NetworkPolicy", lambda body: body["spec"].update(podSelector={}), id="it is for every pod"
        ),
        pytest.param(*owned("Service", *objects.owned_by("Release", "shop", "1")), id="somebody's"),
        pytest.param(*owned("Service", *objects.owned_by("Release", "sentiment", "1")), id="a namesake's"),
        pytest.param(
            *owned("Deployment", *objects.owned_by("InferenceModel", "other", "1")), id="another model's"
        ),
        pytest.param(
            *owned("own", *objects.owned_by("StatefulSet", NAME, "1")), id="of another kind of owner"
        ),
    ],
)
def test_what_is_not_as_we_make_it_or_has_another_owner_is_somebody_elses(kind: str, edit: Edit) -> None:
    found = without_owners(children())
    edit(found[kind])
    seen = look(found)
    assert KINDS[kind] in [f.name for f in seen.foreign]
    named = {"preview": "Service", "own": "Service"}.get(kind, kind)
    assert unowned.Unowned(named, KINDS[kind]) not in seen.unowned


def test_what_is_about_to_go_is_neither_ours_nor_in_the_way() -> None:
    found = without_owners(children())
    for body in found.values():
        body["metadata"]["deletionTimestamp"] = objects.NOW
    seen = look(found)
    assert (seen.service, seen.revisions, seen.unowned, seen.foreign) == (None, (), (), ())


def test_what_waits_for_its_deployment_to_be_restored_is_in_nobodys_way() -> None:
    found = without_owners(children())
    del found["Deployment"]
    seen = look(found)
    assert seen.foreign == ()
    assert NAME not in [u.name for u in seen.unowned]


def test_a_service_of_old_whose_deployment_has_been_collected_already_is_left_to_the_collector() -> None:
    found = children()
    del found["Deployment"]
    seen = look(found)
    assert (seen.service, seen.foreign, seen.revisions) == (None, (), ())
    assert [u.kind for u in seen.unowned] == ["NetworkPolicy"]


def test_a_service_that_copied_all_our_labels_is_nobodys() -> None:
    found = without_owners(children())
    found["Service"]["metadata"]["name"] = "sentiment-public"
    seen = look(found)
    assert (seen.service, [u.name for u in seen.unowned if u.name == "sentiment-public"]) == (None, [])


def test_a_revision_of_which_an_older_operator_made_other_pods_is_taken_over() -> None:
    found = without_owners(children(), "Deployment")
    pods = pods_of(found["Deployment"])
    pods["metadata"]["labels"].pop("slipway.dev/version")
    pods["spec"]["containers"][0]["args"] = ["--as-of-old"]
    pods["spec"]["containers"].insert(0, {"name": "injected", "image": "mesh:1"})
    assert unowned.Unowned("Deployment", NAME) in look(found).unowned


def test_a_stable_service_that_leads_to_every_pod_is_taken_over() -> None:
    found = without_owners(children(), "Service")
    found["Service"]["spec"]["selector"] = {"slipway.dev/model": "sentiment"}
    assert unowned.Unowned("Service", "sentiment") in look(found).unowned


def test_it_gets_the_owner_that_it_has_now_and_keeps_those_that_control_nothing() -> None:
    body = children()["Service"]
    theirs = objects.owned_by("Backup", "nightly", "b")[0] | {"controller": False}
    body["metadata"]["ownerReferences"].append(theirs)
    (dead, _) = body["metadata"]["ownerReferences"]
    dead["apiVersion"] = "slipway.dev/v1alpha0"  # as an API that is no more had it
    patch = ownership.taken_over(body, identity.owner_of(model("today")))
    ours = {**dead, "apiVersion": "slipway.dev/v1alpha1", "uid": "today"}
    assert patch == {
        "metadata": {"uid": "Service-uid", "resourceVersion": "7", "ownerReferences": [theirs, ours]}
    }


def test_an_owner_of_the_right_uid_that_does_not_control_is_none() -> None:
    found = children("today")
    found["Service"]["metadata"]["ownerReferences"][0]["controller"] = False
    assert look(found).unowned == (unowned.Unowned("Service", "sentiment"),)


def test_where_somebody_elses_service_leads_to_ours_that_is_seen() -> None:
    found = children("today")
    found["Service"]["metadata"] |= {"ownerReferences": objects.owned_by("Release", "shop", "1")}
    seen = look(found)
    assert seen.service is None
    assert seen.elsewhere is not None
    assert seen.elsewhere.revision == A
    found["Service"]["spec"]["selector"] = {"app": "theirs"}
    assert look(found).elsewhere is None


def test_a_resolver_pod_without_an_owner_is_used_and_removed_like_any_other() -> None:
    metadata = {
        "name": f"{NAME}-resolver-1",
        "labels": identity.resolver_labels("sentiment", A, "2.1"),
        "ownerReferences": objects.owned_by("InferenceModel", "sentiment", "the one before"),
    }
    body = {"metadata": metadata, "status": {"phase": "Running"}}
    cluster = dataclasses.replace(read({}), resolvers=[body])
    assert reading.observe(model("today"), cluster).resolvers == ()
    del metadata["ownerReferences"]
    assert [r.name for r in reading.observe(model("today"), cluster).resolvers] == [f"{NAME}-resolver-1"]
