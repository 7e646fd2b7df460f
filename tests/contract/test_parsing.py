"""How an InferenceModel is read and its status written: tolerant of the new, exact about the wrong."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway_operator.api import model, reasons, status
from tests.contract import crd

BODY: dict[str, Any] = {
    "apiVersion": model.API_VERSION,
    "kind": model.KIND,
    "metadata": {
        "name": "sentiment",
        "namespace": "default",
        "uid": "5f0c",
        "generation": 3,
        "resourceVersion": "17",
        "managedFields": [{"manager": "kubectl"}],
    },
    "spec": {"version": "1", "source": {"uri": "s3://models/sentiment/1"}},
}


def _parsed(**changes: Any) -> model.InferenceModel:
    return model.InferenceModel.parse(copy.deepcopy(BODY) | changes)


def test_a_field_of_a_newer_crd_is_ignored() -> None:
    newer = BODY["spec"] | {"paused": True, "source": BODY["spec"]["source"] | {"region": "north"}}
    assert _parsed(spec=newer).spec == _parsed().spec


def test_the_users_word_is_an_annotation_of_the_model() -> None:
    annotated = BODY["metadata"] | {"annotations": {"slipway.dev/promote": "0123456789"}}
    assert (_parsed().approved, _parsed(metadata=annotated).approved) == ("", "0123456789")


def test_a_bucket_and_a_prefix_are_read_from_the_uri() -> None:
    source = _parsed().spec.source
    assert (source.bucket, source.prefix) == ("models", "sentiment/1")


def test_a_field_that_shapes_a_pod_is_none_when_it_is_not_set() -> None:
    spec = _parsed().spec
    assert (spec.resources, spec.runtime, spec.rollout.drain, spec.restart_token) == (None, None, None, None)


def test_a_status_that_cannot_be_read_counts_as_empty() -> None:
    assert _parsed(status={"replicas": "many"}).status == status.Status()
    assert _parsed(status=None).status == status.Status()


def test_a_status_is_read_back_as_it_was_written() -> None:
    assert _parsed(status=_status().body()).status == _status()


def test_a_status_that_is_written_fits_the_crd() -> None:
    body = _status().body()
    assert list(crd.unknown(crd.schema()["properties"]["status"], body)) == []
    assert body["conditions"][0]["lastTransitionTime"] == "2026-01-02T03:04:05Z"
    assert body["rollout"] == {"step": "Switching"}


def test_a_message_that_is_too_long_is_cut_and_not_refused() -> None:
    message = status.RolloutStatus(message="x" * 5000).message
    assert message is not None
    assert len(message) == status.MESSAGE_LIMIT
    assert message.endswith("…")


def test_a_deletion_that_has_begun_is_seen() -> None:
    deleted = BODY["metadata"] | {"deletionTimestamp": "2026-01-02T03:04:05Z"}
    assert _parsed(metadata=deleted).deleted
    assert not _parsed().deleted


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param(None, "spec: ", id="no spec at all"),
        pytest.param([], "spec: ", id="a list in place of the spec"),
        pytest.param(
            BODY["spec"] | {"tolerations": [{}, {"effect": "Never"}]},
            "spec.tolerations[1].effect: ",
            id="a word that is not known, in a list",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path(spec: object, message: str) -> None:
    with pytest.raises(model.InvalidModel) as caught:
        _parsed(spec=spec)
    assert message in str(caught.value)


def test_many_problems_are_counted_and_not_listed() -> None:
    examples = [{"text": "", "label": ""} for _ in range(20)]
    with pytest.raises(model.InvalidModel, match=r"; and 35 more$"):
        _parsed(spec=BODY["spec"] | {"rollout": {"verification": {"examples": examples}}})


def _status() -> status.Status:
    return status.Status(
        observed_generation=3,
        active_version="1",
        versions=(
            status.VersionStatus(
                version="1", revision="0123456789", state=reasons.VersionState.LIVE, ready=2
            ),
        ),
        rollout=status.RolloutStatus(step=reasons.RolloutStep.SWITCHING),
        conditions=(
            status.Condition(
                type=reasons.ConditionType.READY,
                status="False",
                reason=reasons.ConditionReason.SWITCHING,
                message="",
                observed_generation=3,
                last_transition_time=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
            ),
        ),
    )
