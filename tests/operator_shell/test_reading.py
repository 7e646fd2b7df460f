"""What the operator makes of what it reads: who is ready, who has the traffic, what is not ours."""

import datetime
import json
from typing import Any

import pytest

from slipway_operator.api import model as api
from slipway_operator.domain import observed
from slipway_operator.kube import reading
from slipway_operator.rendering import access, disruption, service
from tests.operator_shell import objects
from tests.rendering import models

MODEL = models.model(models.LEAST, uid=objects.MODEL_UID)
MANUAL = models.model({**models.LEAST, "rollout": {"promotion": "Manual"}}, uid=objects.MODEL_UID)
SEVERAL = models.model({**models.LEAST, "replicas": 2}, uid=objects.MODEL_UID)
A, B = "aaaaaaaaaa", "bbbbbbbbbb"


def look(**seen: list[dict[str, Any]]) -> observed.Observed:
    return look_at(MODEL, **seen)


def look_at(model: api.InferenceModel, **seen: list[dict[str, Any]]) -> observed.Observed:
    kinds: dict[str, Any] = {"deployments": [], "services": [], "slices": [], "pods": []}
    return reading.observe(model, reading.Cluster(**{**kinds, **seen}, asked=A))


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
        "slipway.dev/rejected": '{"reason": "Nonsense", "message": "", "at": "yesterday"}',
    }
    revision = look(deployments=[objects.deployment(A, annotations=spoilt)]).revisions[0]
    assert revision.attempt_started_at == datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert (revision.latched, revision.rejected) == (2, None)


def test_a_reason_that_this_operator_does_not_know_keeps_the_version_rejected() -> None:
    """A newer one has written it, and was taken back."""
    note = '{"reason": "LicenceRevoked", "message": "it may not run", "at": "2026-01-02T03:04:05Z"}'
    rejected = objects.deployment(A, annotations={"slipway.dev/rejected": note}, replicas=0)
    seen = look(deployments=[rejected])
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert seen.revisions[0].rejected == observed.Verdict("LicenceRevoked", "it may not run", at)


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


def test_what_a_deleted_namesake_left_and_is_not_as_we_made_it_is_neither_ours_nor_in_the_way() -> None:
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
    seen = look_at(MANUAL, services=[theirs])
    assert (seen.preview, [f.name for f in seen.foreign]) == (None, ["sentiment-preview"])
    assert look(services=[theirs]).foreign == (), "nobody needs a preview"


def test_a_service_that_copied_our_label_is_in_nobodys_way() -> None:
    public = objects.stable_service(A, ownerReferences=[])
    public["metadata"] |= {"name": "sentiment-public", "labels": {"slipway.dev/model": "sentiment"}}
    copied = objects.deployment(B)
    copied["metadata"]["ownerReferences"] = []
    assert look(services=[public], deployments=[copied]).foreign == ()


def test_the_names_of_what_stands_are_needed_and_those_of_what_has_retired_are_not() -> None:
    theirs = {"metadata": {"name": f"sentiment-{B}"}, "spec": {}}
    for replicas, taken in ((1, [(observed.Child.PROOF, B)]), (0, [])):
        seen = look(deployments=[objects.deployment(B, replicas=replicas)], services=[theirs])
        assert [(f.child, f.revision) for f in seen.foreign] == taken


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


REFUSED = {"type": "ReplicaFailure", "status": "True", "lastTransitionTime": "2026-01-02T03:05:00Z"}


@pytest.mark.parametrize(
    ("pods", "conditions", "since"),
    [
        pytest.param([], [], None, id="none exists yet: it is about to be made"),
        pytest.param([objects.pod("x", A)], [], 5, id="one is ready, and its slice does not show it yet"),
        pytest.param([], [REFUSED], 60, id="they are refused"),
        pytest.param([objects.pod("x", A, ready=False)], [REFUSED], 60, id="the second one is refused"),
        pytest.param([], [REFUSED | {"status": "False"}], None, id="they are refused no more"),
        pytest.param([], [{"type": "Progressing", "status": "True"}], None, id="something else is said"),
        pytest.param(
            [objects.pod("x", A, ready=False), objects.pod("y", A, ready=False)],
            [REFUSED],
            5,
            id="all exist, and the refusal is an old one",
        ),
    ],
)
def test_it_is_known_since_when_pods_are_lacking_that(
    pods: list[objects.Object], conditions: list[objects.Object], since: int | None
) -> None:
    deployment = objects.deployment(A, replicas=2)
    deployment["status"]["conditions"] = conditions
    at = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
    wanted = at + datetime.timedelta(seconds=since) if since is not None else None
    assert look(deployments=[deployment], pods=pods).revisions[0].short_since == wanted


def test_what_is_ready_and_shown_lacks_nothing() -> None:
    piece = objects.endpoint_slice(f"sentiment-{A}", x=True)
    deployment = objects.deployment(A, replicas=1)
    seen = look(deployments=[deployment], slices=[piece], pods=[objects.pod("x", A)])
    assert seen.revisions[0].short_since is None


def as_made(body: dict[str, Any]) -> dict[str, Any]:
    """A Service as the API server holds it."""
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "7"}}


def test_what_somebody_has_edited_of_our_services_is_seen() -> None:
    stable = as_made(service.stable(MODEL, revision=A))
    own = as_made(service.of_revision(MODEL, revision=A, version="1", deployment_uid=f"uid-{A}"))
    for spoilt in (False, True):
        if spoilt:
            del stable["metadata"]["labels"], own["metadata"]["labels"]
        seen = look(deployments=[objects.deployment(A)], services=[stable, own])
        assert seen.service is not None
        assert (seen.service.spoilt, seen.revisions[0].spoilt_service) == (spoilt, spoilt)
        assert (seen.foreign, seen.revisions[0].has_service) == ((), True)


@pytest.mark.parametrize(
    ("edit", "spoilt"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"maxUnavailable": "50%"}, True, id="more may go at a time"),
        pytest.param({"maxUnavailable": None, "minAvailable": 1}, True, id="it counts otherwise"),
        pytest.param({"selector": {"matchLabels": {"app": "mine"}}}, True, id="it protects others"),
        pytest.param({"unhealthyPodEvictionPolicy": "IfHealthyBudget"}, True, id="broken pods hold a drain"),
        pytest.param({"unhealthyPodEvictionPolicy": None}, False, id="the server knows no such field"),
    ],
)
def test_what_somebody_has_edited_of_a_budget_is_seen(edit: dict[str, Any], spoilt: bool) -> None:  # noqa: FBT001
    made = disruption.of_revision(SEVERAL, revision=A, version="1", deployment_uid=f"uid-{A}")
    edited = {key: value for key, value in {**made["spec"], **edit}.items() if value is not None}
    seen = look_at(SEVERAL, deployments=[objects.deployment(A)], budgets=[{**made, "spec": edited}])
    assert (seen.revisions[0].has_budget, seen.revisions[0].spoilt_budget) == (True, spoilt)


def test_a_service_that_is_lent_is_its_owners_however_it_looks() -> None:
    assert not traffic(somebodys_service()).spoilt


def test_a_revisions_service_belongs_to_its_deployment() -> None:
    seen = look(
        deployments=[objects.deployment(A), objects.deployment(B)], services=[objects.revision_service(A)]
    )
    assert [revision.has_service for revision in seen.revisions] == [True, False]
    assert seen.foreign == ()


VISITORS = access.Visitors("slipway-system")


def policy(**changes: Any) -> dict[str, Any]:
    """The model's own NetworkPolicy, as the API server gives it back."""
    made = access.of_model(MODEL, VISITORS)
    return {**made, "spec": {**made["spec"], **changes}}


def seen_access(found: dict[str, Any] | None, visitors: access.Visitors | None) -> observed.Access:
    cluster = reading.Cluster([], [], [], [], access=found)
    return reading.observe(MODEL, cluster, visitors=visitors).access


def test_a_policy_is_compared_with_what_the_administrator_wants_now() -> None:
    assert seen_access(policy(), VISITORS) is observed.Access.CURRENT
    assert seen_access(policy(ingress=[]), VISITORS) is observed.Access.OUTDATED
    assert seen_access(policy(), access.Visitors("elsewhere")) is observed.Access.OUTDATED
    assert seen_access(policy(), None) is observed.Access.OUTDATED
    assert seen_access(None, VISITORS) is observed.Access.ABSENT


def test_somebody_elses_policy_or_budget_of_a_needed_name_is_in_the_way() -> None:
    taken = {"metadata": {"name": "sentiment-runtime"}, "spec": {}}
    seen = reading.observe(MODEL, reading.Cluster([], [], [], [], access=taken), visitors=VISITORS)
    assert [(f.kind, f.name) for f in seen.foreign] == [("NetworkPolicy", "sentiment-runtime")]
    budget = {"metadata": {"name": f"sentiment-{A}"}, "spec": {}}
    seen = look_at(SEVERAL, budgets=[budget])
    assert [(f.kind, f.name) for f in seen.foreign] == [("PodDisruptionBudget", f"sentiment-{A}")]


def test_a_budget_belongs_to_the_deployment_that_it_names_as_its_owner() -> None:
    name = f"sentiment-{A}"
    owned = {"metadata": {"name": name, "ownerReferences": objects.owned_by("Deployment", name, f"uid-{A}")}}
    assert look(deployments=[objects.deployment(A)], budgets=[owned]).revisions[0].has_budget
    assert not look(deployments=[objects.deployment(A)]).revisions[0].has_budget


def written_by(
    manager: str, *, field: str = "f:template", subresource: str = "", time: str = "1"
) -> dict[str, Any]:
    more = {"subresource": subresource} if subresource else {}
    return {"manager": manager, "fieldsV1": {"f:spec": {field: {}}}, "time": time, **more}


@pytest.mark.parametrize(
    ("entries", "editor"),
    [
        pytest.param([written_by("slipway")], "", id="nobody beside us"),
        pytest.param([written_by("slipway"), written_by("kubectl-edit")], "kubectl-edit", id="a person"),
        pytest.param(
            [written_by("kubectl-edit", time="2"), written_by("kubectl-rollout", time="3")],
            "kubectl-rollout",
            id="the last of two",
        ),
        pytest.param([written_by("hpa", field="f:replicas")], "", id="somebody who scales"),
        pytest.param([written_by("kube-controller-manager", subresource="status")], "", id="a controller"),
    ],
)
def test_who_has_edited_the_pods_of_a_revision(entries: list[dict[str, Any]], editor: str) -> None:
    deployment = objects.deployment(A)
    deployment["metadata"]["managedFields"] = entries
    assert look(deployments=[deployment]).revisions[0].edited_by == editor


def somebodys_service(*, port: Any = 8080, adopt: str = "true", **spec: Any) -> dict[str, Any]:
    ports = [{"port": 80, "targetPort": port, "protocol": "TCP"}]
    return {
        "metadata": {
            "name": "sentiment",
            "resourceVersion": "5",
            "annotations": {"slipway.dev/adopt": adopt},
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
        },
        "spec": {"selector": {"app": "old"}, "ports": ports, **spec},
    }


@pytest.mark.parametrize("port", [8080, "http", 9000, "grpc"])
def test_a_service_that_its_owner_lends_is_the_stable_one(port: Any) -> None:
    slices = [objects.endpoint_slice("sentiment", old=True)]
    found = traffic(somebodys_service(port=port), slices=slices)
    assert (found.lent, found.marked, found.revision) == (True, False, None)
    assert (found.ready, found.foreign) == (frozenset({"old"}), frozenset({"old"}))


@pytest.mark.parametrize(
    ("service", "why"),
    [
        pytest.param(somebodys_service(adopt="false"), "Helm", id="it is not lent"),
        pytest.param(somebodys_service(port=5000), "its port 80 leads to 5000", id="another port"),
        pytest.param(somebodys_service(type="ExternalName"), "of type ExternalName", id="no pods at all"),
    ],
)
def test_a_service_that_cannot_be_had_is_in_the_way_and_says_why(service: dict[str, Any], why: str) -> None:
    seen = look(services=[service])
    assert seen.service is None
    (foreign,) = seen.foreign
    assert why in foreign.owner


def test_an_adopted_service_is_known_by_its_mark_and_its_switch() -> None:
    service = somebodys_service()
    service["metadata"]["labels"]["slipway.dev/model"] = "sentiment"
    service["spec"]["selector"] = {"slipway.dev/model": "sentiment", "slipway.dev/revision": A}
    found = traffic(service, slices=[objects.endpoint_slice("sentiment", x=True)], pods=[objects.pod("x", A)])
    assert (found.lent, found.marked, found.revision, found.foreign) == (True, True, A, frozenset())
