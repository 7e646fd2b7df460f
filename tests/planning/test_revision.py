"""A revision is a hash of what shapes a pod: one that changes by itself would restart every model."""

import json
import pathlib
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from slipway_operator.api import spec as api
from slipway_operator.domain import revision

GOLDEN = pathlib.Path(__file__).parent / "golden" / "revisions.json"
CORPUS: dict[str, dict[str, Any]] = json.loads(GOLDEN.read_text())
SPEC: dict[str, Any] = {"version": "1", "source": {"uri": "s3://models/sentiment/1"}}

# Fields of spec that shape no pod; of `rollout`, all but drain and verification are its pace.
SHAPES_NO_POD = {("replicas",), ("rollout",)}


def _of(**fields: Any) -> str:
    return revision.revision_of(SPEC | fields)


@pytest.mark.parametrize("case", CORPUS)
def test_the_revision_is_the_one_that_earlier_operators_computed(case: str) -> None:
    assert revision.revision_of(CORPUS[case]["spec"]) == CORPUS[case]["revision"]


def test_different_pods_have_different_revisions() -> None:
    revisions = [CORPUS[case]["revision"] for case in CORPUS if case != "pace and size are no part of it"]
    assert len(set(revisions)) == len(revisions)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            {"resources": {"limits": {"memory": "1Gi"}}},
            {"resources": {"limits": {"memory": "1024Mi"}}},
            id="spellings of memory",
        ),
        pytest.param(
            {"resources": {"limits": {"cpu": "500m"}}},
            {"resources": {"limits": {"cpu": "0.5"}}},
            id="spellings of processors",
        ),
        pytest.param(
            {"resources": {"limits": {"nvidia.com/gpu": 1}}},
            {"resources": {"limits": {"nvidia.com/gpu": "1"}}},
            id="a number and its text",
        ),
        pytest.param(
            {"runtime": {"executionProvider": "cpu", "maxTextsPerRequest": 5}},
            {"runtime": {"maxTextsPerRequest": 5, "executionProvider": "cpu"}},
            id="the order of keys",
        ),
        pytest.param({"restartToken": None}, {}, id="a null and nothing"),
        pytest.param({"resources": {"limits": {"cpu": None}}}, {}, id="a quantity that is null and nothing"),
        pytest.param({"runtime": {"batching": {}}}, {}, id="an empty map and nothing"),
        pytest.param({"tolerations": []}, {}, id="an empty list and nothing"),
        pytest.param({"rollout": {"drain": {}}}, {"rollout": None}, id="an empty drain and no rollout"),
        pytest.param({"replicas": 1}, {"replicas": 64}, id="numbers of replicas"),
        pytest.param({"rollout": {"keepWarmSeconds": 0}}, {"rollout": {"retryToken": "x"}}, id="paces"),
        pytest.param({"aFieldOfALaterVersion": 1}, {}, id="a field that this operator does not know"),
    ],
)
def test_the_same_pods_have_the_same_revision(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert _of(**one) == _of(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"version": "1"}, {"version": "1.0"}, id="versions that look alike"),
        pytest.param({"restartToken": "a"}, {"restartToken": "b"}, id="a restart on purpose"),
        pytest.param(
            {"tolerations": [{"key": "a"}, {"key": "b"}]},
            {"tolerations": [{"key": "b"}, {"key": "a"}]},
            id="the order of a list",
        ),
        pytest.param(
            {"resources": {"limits": {"cpu": 1}}},
            {"resources": {"requests": {"cpu": 1}}},
            id="limit and request",
        ),
        pytest.param({"resources": "odd"}, {}, id="resources that are no map: the API server will tell"),
    ],
)
def test_other_pods_have_another_revision(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert _of(**one) != _of(**other)


def test_every_field_of_the_spec_is_known_to_shape_pods_or_not_to() -> None:
    fields = {(to_camel(name),) for name in api.Spec.model_fields} - SHAPES_NO_POD
    assert fields <= set(revision.POD_SHAPING)


def test_a_child_is_named_after_model_and_revision() -> None:
    name = revision.child_name("sentiment", _of())
    assert name == f"sentiment-{_of()}"
    assert len(_of()) == revision.LENGTH
