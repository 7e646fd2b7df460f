"""What is read of a resolver pod: an answer, a reason, or that it was ended before it could give one."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.domain import observed, resolution, revision, target
from slipway_operator.kube import problems, reading, resolvers
from slipway_operator.planning import actions, plan
from tests.operator_shell import objects
from tests.rendering import models

REASON, SEVERITY = reasons.ConditionReason, observed.Severity
DIGEST = "0123456789abcdef" * 4
ENDED = "2026-01-02T03:05:00Z"
ANSWER = {"uri": "s3://models/1", "digest": DIGEST, "etag": "e", "size": 12, "files": 2}
NOT_FOUND = {"reason": "SourceNotFound", "message": "there is no bucket s3://x", "object": "s3://x"}
FORGED = {"reason": "DigestMismatch", "message": "its sha256 is another", "object": "s3://x/slipway.yaml"}


def pod(
    phase: str,
    state: dict[str, Any] | None = None,
    *,
    name: str = "sentiment-abc-resolver-2",
    beside: list[objects.Object] | None = None,
    **status: Any,
) -> objects.Object:
    """`beside` are the statuses of injected containers, which the kubelet lists first here."""
    own = {"name": "resolver", "image": "runtime:1", "restartCount": 0, "state": state or {}}
    containers = [*(beside or []), own]
    return {
        "metadata": {
            "name": name,
            "uid": "pod-uid",
            "creationTimestamp": objects.NOW,
            "labels": {"slipway.dev/resolves": "sentiment", "slipway.dev/resolves-revision": "abc"},
            "annotations": {"slipway.dev/attempt": "3", "slipway.dev/retry-token": "again"},
            "ownerReferences": objects.owned_by("InferenceModel", "sentiment", objects.MODEL_UID),
        },
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": message, "reason": reason, "finishedAt": ENDED}}


def found(body: objects.Object) -> tuple[reasons.ConditionReason, observed.Severity] | None:
    problem = resolvers.of_pod(body).problem
    return (problem.reason, problem.severity) if problem else None


def test_who_asks_for_what() -> None:
    read = resolvers.of_pod(pod("Pending"))
    assert (read.revision, read.number, read.attempt, read.retry_token) == ("abc", 2, 3, "again")
    assert read.made_at == datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert (read.ended_at, read.source, read.problem, read.leaving) == (None, None, None, False)


def test_an_answer() -> None:
    read = resolvers.of_pod(pod("Succeeded", ended(0, json.dumps(ANSWER), "Completed")))
    assert read.source == resolution.Resolved("s3://models/1", DIGEST, etag="e")
    assert read.ended_at == datetime.datetime(2026, 1, 2, 3, 5, tzinfo=datetime.UTC)
    assert read.problem is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(
            pod("Failed", ended(1, json.dumps(NOT_FOUND))),
            (REASON.SOURCE_NOT_FOUND, SEVERITY.BLOCKING),
            id="what the runtime says may mend itself",
        ),
        pytest.param(
            pod("Failed", ended(1, json.dumps(FORGED))),
            (REASON.DIGEST_MISMATCH, SEVERITY.REJECTING),
            id="what the runtime says is refused",
        ),
        pytest.param(
            pod("Failed", ended(137, "", "OOMKilled")),
            (REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
            id="it was killed",
        ),
        pytest.param(
            pod("Succeeded", ended(0, "{}")),
            (REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
            id="it ended well and said nothing that can be read",
        ),
        pytest.param(
            pod("Failed", reason="Evicted", message="The node was low on memory"),
            (REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
            id="it was evicted",
        ),
        pytest.param(
            pod("Failed", reason="DeadlineExceeded"),
            (REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
            id="the kubelet's patience is over",
        ),
        pytest.param(
            pod("Failed", containerStatuses=[]),
            (REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
            id="nobody knows why",
        ),
        pytest.param(
            pod("Pending", {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}),
            (REASON.IMAGE_PULL_FAILED, SEVERITY.BLOCKING),
            id="its image cannot be pulled",
        ),
        pytest.param(
            pod(
                "Pending",
                {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "s3" not found'}},
            ),
            (REASON.SECRET_NOT_FOUND, SEVERITY.BLOCKING),
            id="its Secret is not there",
        ),
        pytest.param(
            pod(
                "Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
            ),
            (REASON.UNSCHEDULABLE, SEVERITY.BLOCKING),
            id="no node takes it",
        ),
        pytest.param(pod("Running", {"running": {}}), None, id="it runs"),
    ],
)
def test_why_there_is_no_answer(
    body: objects.Object, problem: tuple[reasons.ConditionReason, observed.Severity] | None
) -> None:
    assert found(body) == problem
    assert resolvers.of_pod(body).source is None


# -- other containers than ours --

NOTES = json.dumps({"uri": "s3://forged/1", "digest": DIGEST})
PULLING = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
WAITS = {"waiting": {"reason": "PodInitializing"}}


def injected(state: dict[str, Any], **fields: Any) -> objects.Object:
    return {
        "name": "istio-proxy",
        "image": "proxy:1",
        "ready": False,
        "restartCount": 0,
        "state": state,
    } | fields


RUNS = injected({"running": {"startedAt": objects.NOW}}, ready=True)
KILLED = injected(ended(137))
IN_PEACE = injected(ended(0, NOTES, "Completed"))


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed", "Unknown"])
@pytest.mark.parametrize("other", [RUNS, KILLED, IN_PEACE], ids=["runs on", "was killed", "ended in peace"])
def test_an_answer_is_ours_whatever_becomes_of_a_sidecar(phase: str, other: objects.Object) -> None:
    read = resolvers.of_pod(pod(phase, ended(0, json.dumps(ANSWER), "Completed"), beside=[other]))
    assert read.source == resolution.Resolved("s3://models/1", DIGEST, etag="e")
    assert read.ended_at == datetime.datetime(2026, 1, 2, 3, 5, tzinfo=datetime.UTC)
    assert read.problem is None


def test_an_answer_outlives_the_deadline_of_a_pod_whose_sidecar_ran_on() -> None:
    said = ended(0, json.dumps(ANSWER), "Completed")
    read = resolvers.of_pod(pod("Failed", said, beside=[KILLED], reason="DeadlineExceeded"))
    assert read.source is not None
    assert read.problem is None


@pytest.mark.parametrize("other", [RUNS, KILLED, IN_PEACE], ids=["runs on", "was killed", "ended in peace"])
@pytest.mark.parametrize(
    ("state", "reason", "severity"),
    [
        (ended(1, json.dumps(NOT_FOUND)), REASON.SOURCE_NOT_FOUND, SEVERITY.BLOCKING),
        (ended(1, json.dumps(FORGED)), REASON.DIGEST_MISMATCH, SEVERITY.REJECTING),
        (ended(137, "", "OOMKilled"), REASON.RESOLVER_INTERRUPTED, SEVERITY.BLOCKING),
    ],
)
def test_a_refusal_is_ours_whatever_becomes_of_a_sidecar(
    state: dict[str, Any], reason: reasons.ConditionReason, severity: observed.Severity, other: objects.Object
) -> None:
    body = pod("Running", state, beside=[other])
    assert resolvers.of_pod(body).ended_at is not None
    assert found(body) == (reason, severity)


@pytest.mark.parametrize(
    "other", [RUNS, KILLED, IN_PEACE, injected(PULLING)], ids=lambda each: str(each["state"])
)
def test_while_ours_runs_it_has_not_ended_and_nothing_is_wrong(other: objects.Object) -> None:
    read = resolvers.of_pod(pod("Running", {"running": {}}, beside=[other]))
    assert (read.ended_at, read.source, read.problem) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        pytest.param(
            pod("Pending", WAITS, initContainerStatuses=[injected(PULLING, name="istio-init")]),
            REASON.IMAGE_PULL_FAILED,
            "container istio-init (not Slipway's): image proxy:1: not found",
            id="its image cannot be pulled",
        ),
        pytest.param(
            pod("Failed", WAITS, initContainerStatuses=[injected(ended(2), name="istio-init")]),
            REASON.RESOLVER_INTERRUPTED,
            "container istio-init (not Slipway's) ended with exit code 2 (Error), 0 restarts",
            id="it fails, and the pod with it",
        ),
        pytest.param(
            pod("Pending", WAITS, beside=[injected(PULLING)]),
            REASON.IMAGE_PULL_FAILED,
            "container istio-proxy (not Slipway's): image proxy:1: not found",
            id="a sidecar's image cannot be pulled",
        ),
    ],
)
def test_an_injected_container_that_keeps_ours_from_starting_is_named(
    body: objects.Object, reason: reasons.ConditionReason, words: str
) -> None:
    problem = resolvers.of_pod(body).problem
    assert problem is not None
    assert (problem.reason, problem.message, problem.severity) == (reason, words, SEVERITY.BLOCKING)


def test_one_that_has_answered_is_deleted_with_its_sidecar_once_the_answer_is_frozen() -> None:
    model = models.model(models.LEAST)
    asked = target.Target(revision.revision_of(models.LEAST), "2.1", 1)
    answering = pod("Running", ended(0, json.dumps(ANSWER), "Completed"), beside=[RUNS])
    answering["metadata"]["labels"]["slipway.dev/resolves-revision"] = asked.revision
    at = datetime.datetime(2026, 1, 2, 3, 6, tzinfo=datetime.UTC)

    def planned(*deployments: objects.Object) -> list[actions.Action]:
        cluster = reading.Cluster(list(deployments), [], [], [], resolvers=[answering], asked=asked.revision)
        seen = reading.observe(model, cluster)
        return list(plan.plan(asked, seen, now=at, model="sentiment", namespace="default").actions)

    before = planned()
    assert [type(action) for action in before if isinstance(action, actions.CreateDeployment)]
    assert actions.DeleteResolver(answering["metadata"]["name"]) not in before
    frozen = {"slipway.dev/resolved-source": json.dumps(ANSWER)}
    after = planned(objects.deployment(asked.revision, annotations=frozen))
    assert actions.DeleteResolver(answering["metadata"]["name"]) in after


def test_the_last_answer_about_a_revision_counts() -> None:
    def answering(number: int, uri: str) -> objects.Object:
        name = f"sentiment-abc-resolver-{number}"
        return pod("Succeeded", ended(0, json.dumps({**ANSWER, "uri": uri})), name=name)

    pods = [answering(10, "s3://models/later"), answering(9, "s3://models/earlier"), pod("Running")]
    last = resolvers.answer_of(pods, "abc")
    assert last is not None
    assert last.uri == "s3://models/later"
    assert resolvers.answer_of(pods, "other") is None


def test_only_our_own_are_seen_and_none_is_a_pod_of_the_revision() -> None:
    stranger = pod("Running")
    stranger["metadata"]["ownerReferences"] = objects.owned_by("InferenceModel", "sentiment", "another")
    cluster = reading.Cluster([objects.deployment("abc")], [], [], [], resolvers=[pod("Running"), stranger])
    seen = reading.observe(models.model(models.LEAST), cluster)
    assert [r.name for r in seen.resolvers] == ["sentiment-abc-resolver-2"]
    assert seen.revisions[0].pods == 0


# -- what a Deployment remembers --

FROZEN = {"slipway.dev/resolved-source": json.dumps({"uri": "s3://models/1", "digest": DIGEST})}
SERVED = {"slipway.dev/promoted-at": objects.NOW}


def says(word: dict[str, str]) -> dict[str, Any]:
    return {"ready": False, "restartCount": 1, "state": ended(1, json.dumps(word))}


@pytest.mark.parametrize(
    ("noted", "word", "reason"),
    [
        pytest.param(FROZEN | SERVED, FORGED, REASON.SOURCE_DRIFTED, id="it has served these bytes before"),
        pytest.param(FROZEN, FORGED, REASON.DIGEST_MISMATCH, id="it has never served"),
        pytest.param(SERVED, FORGED, REASON.DIGEST_MISMATCH, id="it was made before sources were frozen"),
        pytest.param(FROZEN | SERVED, NOT_FOUND, REASON.SOURCE_NOT_FOUND, id="its source is not there"),
    ],
)
def test_other_bytes_than_were_frozen_are_a_drift(
    noted: dict[str, str], word: dict[str, str], reason: reasons.ConditionReason
) -> None:
    deployment = objects.deployment("abc", annotations=noted)
    told = problems.of_revision(deployment, [objects.pod("a", "abc", ready=False, container=says(word))])
    assert [problem.reason for problem in told] == [reason]
    assert word["message"] in told[0].message


def test_the_digest_that_was_frozen_is_read() -> None:
    cluster = reading.Cluster([objects.deployment("abc", annotations=FROZEN)], [], [], [])
    assert reading.observe(models.model(models.LEAST), cluster).revisions[0].digest == DIGEST
