"""The words in statuses and events: the CRD allows them, and each failure of a runtime has its place."""

import enum
import re

import pytest

from slipway_operator.api import reasons
from tests.contract import crd


def test_a_failure_of_the_runtime_is_rejected_or_blocked() -> None:
    placed = reasons.REJECTED_REASONS | reasons.BLOCKED_REASONS
    assert {failure.value for failure in reasons.RuntimeFailure} <= {reason.value for reason in placed}


def test_no_reason_is_both_rejected_and_blocked() -> None:
    assert not reasons.REJECTED_REASONS & reasons.BLOCKED_REASONS


@pytest.mark.parametrize("words", [reasons.ConditionType, reasons.ConditionReason, reasons.EventReason])
def test_a_word_is_one_that_kubernetes_takes(words: type[reasons.ConditionReason]) -> None:
    assert all(word.value.isalnum() and word.value[0].isupper() and len(word.value) <= 64 for word in words)


@pytest.mark.parametrize(
    "words",
    [
        reasons.ConditionType,
        reasons.ConditionReason,
        reasons.EventReason,
        reasons.RolloutStep,
        reasons.VersionState,
        reasons.HolderKind,
    ],
)
def test_every_word_is_said_somewhere(words: type[enum.Enum]) -> None:
    operator = crd.ROOT / "operator" / "slipway_operator"
    sources = (f.read_text() for f in operator.rglob("*.py") if f.name != "reasons.py")
    named = set(re.findall(r"\.([A-Z][A-Z_]+)\b", "".join(sources)))
    said = named | {failure.name for failure in reasons.RuntimeFailure}  # the runtime's are passed on
    assert [word.name for word in words if word.name not in said] == []


def test_the_diagram_in_the_docs_shows_every_step() -> None:
    text = (crd.ROOT / "docs" / "architecture.md").read_text()
    diagram = text.partition("stateDiagram-v2")[2].partition("```")[0]
    shown = set(re.findall(r"\w+", diagram))
    assert {step.value for step in reasons.RolloutStep} <= shown


def test_the_crd_describes_every_condition() -> None:
    described = dict(crd.nodes(crd.schema()))["status.conditions"]["description"]
    assert [word.value for word in reasons.ConditionType if word.value not in described] == []
