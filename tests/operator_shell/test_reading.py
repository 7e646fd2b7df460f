"""What the operator makes of what it reads: who is ready, who has the traffic, what is not ours."""

import datetime
import json
from typing import Any

from slipway_operator.domain import observed
from slipway_operator.kube import reading
from tests.operator_shell import objects
from tests.rendering import models

MODEL = models.model(models.LEAST, uid=objects.MODEL_UID)
A, B = "aaaaaaaaaa", "bbbbbbbbbb"


def look(**seen: list[dict[str, Any]]) -> observed.Observed:
    kinds: dict[str, list[dict[str, Any]]] = {"deployments": [], "services": [], "slices": [], "pods": []}
    return reading.observe(MODEL, reading.Cluster(**{**kinds, **seen}))


def ready_pods(*slices: dict[str, Any], pods: list[dict[str, Any]]) -> list[str]:
    seen = look(deployments=[objects.deployment(A)], slices=list(slices), pods=pods)
    return sorted(pod.uid for pod in seen.revisions[0].ready)


def test_a_pod_is_ready_when_its_slice_and_its_own_status_agree() -> None:
    piece = objects.endpoint_slice(f"sentiment-{A}", x=True, y=True, z=False)
    pods = [objects.pod("x", A), objects.pod("y", A, ready=False), objects.pod("z", A)]
    assert ready_pods(piece, pods=pods) == ["x"]


def test_a_pod_that_stands_in_two_slices_counts_once() -> None:
    name = f"sentiment-{A}"
    pieces = objects.endpoint_slice(name, x=True), objects.endpoint_slice(name, x=True)
    assert ready_pods(*pieces, pods=[objects.pod("x", A)]) == ["x"]


def test_a_pod_that_is_leaving_is_not_ready_whatever_the_slice_says() -> None:
    piece = objects.endpoint_slice(f"sentiment-{A}", x=True)
    assert ready_pods(piece, pods=[objects.pod("x", A, terminating=True)]) == []


def test_a_pod_that_the_slice_still_lists_but_that_is_gone_is_not_ready() -> None:
    assert ready_pods(objects.endpoint_slice(f"sentiment-{A}", x=True), pods=[]) == []


def test_the_slices_of_the_stable_service_prove_nothing_about_a_revision() -> None:
    assert ready_pods(objects.endpoint_slice("sentiment", x=True), pods=[objects.pod("x", A)]) == []


def test_a_ready_that_is_unset_means_ready_as_the_api_says() -> None:
    piece = objects.endpoint_slice(f"sentiment-{A}", x=None)
    assert ready_pods(piece, pods=[objects.pod("x", A)]) == ["x"]


def test_pods_that_have_ended_no_longer_hold_anything() -> None:
    evicted = objects.pod("x", A, ready=False)
    evicted["status"]["phase"] = "Failed"
    seen = look(deployments=[objects.deployment(A)], pods=[evicted, objects.pod("y", A, terminating=True)])
    assert seen.revisions[0].pods == 1


def traffic(service: dict[str, Any], **seen: list[dict[str, Any]]) -> observed.TrafficService:
    found = look(services=[service], **seen).service
    assert found is not None
    return found


def test_an_endpoint_of_another_revision_or_of_nobody_is_foreign_to_the_stable_service() -> None:
    pods = [objects.pod("new", B), objects.pod("old", A)]
    found = traffic(
        objects.stable_service(B),
        slices=[objects.endpoint_slice("sentiment", new=True, old=True, gone=False)],
        pods=pods,
    )
    assert (found.revision, found.foreign) == (B, frozenset({"old", "gone"}))
    assert found.ready == frozenset({"new", "old"})


def test_a_selector_that_somebody_edited_names_no_revision() -> None:
    service = objects.stable_service(A)
    service["spec"]["selector"]["app"] = "mine"
    assert traffic(service).revision is None


def test_the_note_of_the_last_switch_is_read_back_and_a_spoilt_one_counts_as_none() -> None:
    note = json.dumps({"from": A, "to": B, "at": "2026-01-02T03:04:05Z"})
    found = traffic(objects.stable_service(B, annotations={"slipway.dev/switch": note}))
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert found.switch == observed.Switch(origin=A, to=B, at=at)
    back = json.dumps({"from": A, "to": B, "at": "2026-01-02T03:04:05Z", "back": True})
    again = traffic(objects.stable_service(B, annotations={"slipway.dev/switch": back})).switch
    assert again == observed.Switch(origin=A, to=B, at=at, back=True)
    for spoilt in ("{", "[]", '"x"', "{}", '{"to": "b", "at": "yesterday"}'):
        assert traffic(objects.stable_service(B, annotations={"slipway.dev/switch": spoilt})).switch is None


def test_annotations_that_cannot_be_read_count_as_absent() -> None:
    spoilt = {
        "slipway.dev/attempt-started-at": "soon",
        "slipway.dev/latched-replicas": "-1",
        "slipway.dev/rejected": '{"reason": "Nonsense", "message": "", "at": "2026-01-02T03:04:05Z"}',
    }
    revision = look(deployments=[objects.deployment(A, annotations=spoilt)]).revisions[0]
    assert revision.attempt_started_at == revision.created_at
    assert (revision.latched, revision.rejected) == (2, None)


def test_a_deployment_and_a_service_of_somebody_else_are_named() -> None:
    theirs = objects.deployment(A)
    theirs["metadata"]["ownerReferences"] = []
    service = objects.stable_service(A, ownerReferences=objects.owned_by("Release", "shop", "other"))
    seen = look(deployments=[theirs], services=[service])
    assert [(f.kind, f.name) for f in seen.foreign] == [
        ("Deployment", f"sentiment-{A}"),
        ("Service", "sentiment"),
    ]
    assert (seen.service, seen.revisions) == (None, ())


def test_what_a_deleted_namesake_of_the_model_left_is_neither_ours_nor_in_the_way() -> None:
    leaving = objects.stable_service(
        A, ownerReferences=objects.owned_by("InferenceModel", "sentiment", "the one before")
    )
    seen = look(services=[leaving])
    assert (seen.service, seen.foreign) == (None, ())


def test_a_selector_of_all_pods_is_ours_only_with_the_note_of_it() -> None:
    note = json.dumps({"from": A, "to": "*", "at": "2026-01-02T03:04:05Z"})
    for annotations, wide in (({"slipway.dev/switch": note}, True), ({}, False)):
        service = objects.stable_service(A, annotations=annotations)
        service["spec"]["selector"] = {"slipway.dev/model": "sentiment"}
        pods = [objects.pod("new", B), objects.pod("old", A)]
        slices = [objects.endpoint_slice("sentiment", new=True, old=True)]
        found = traffic(service, slices=slices, pods=pods)
        assert (found.revision, found.wide, bool(found.foreign)) == (None, wide, not wide)


def test_the_preview_is_the_models_and_no_revisions() -> None:
    mine = objects.stable_service(A)
    mine["metadata"]["name"] = "sentiment-preview"
    seen = look(services=[mine])
    assert (seen.preview, seen.foreign) == (observed.PreviewService(revision=A, resource_version="41"), ())


def test_a_preview_of_somebody_else_is_named() -> None:
    theirs = objects.stable_service(A, ownerReferences=[])
    theirs["metadata"]["name"] = "sentiment-preview"
    seen = look(services=[theirs])
    assert (seen.preview, [f.name for f in seen.foreign]) == (None, ["sentiment-preview"])


def test_it_is_known_since_when_a_revision_falls_short() -> None:
    fell = objects.pod("x", A, ready=False)
    leaving = objects.pod("y", A, ready=False, terminating=True)
    leaving["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-02T09:00:00Z"
    made = objects.pod("z", A, ready=False)
    made["status"]["conditions"] = []
    made["metadata"]["creationTimestamp"] = "2026-01-02T03:04:09Z"
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    for pods, since in (([fell, leaving], at), ([fell, made], at.replace(second=9)), ([leaving], None)):
        assert look(deployments=[objects.deployment(A)], pods=pods).revisions[0].short_since == since


def test_a_revisions_service_belongs_to_its_deployment() -> None:
    seen = look(
        deployments=[objects.deployment(A), objects.deployment(B)], services=[objects.revision_service(A)]
    )
    assert [revision.has_service for revision in seen.revisions] == [True, False]
    assert seen.foreign == ()
