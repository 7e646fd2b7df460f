"""What is refused, without a cluster: the CRD's rules and the operator's view say the same sentences."""

from typing import Any

import pytest

from slipway_operator.api import model
from tests.contract import cel, crd, refusals


def _refusals() -> list[Any]:
    return [pytest.param(refusal, id=refusal.what) for refusal in refusals.REFUSALS]


def _stored(manifest: dict[str, Any]) -> dict[str, Any]:
    """As the API server would give it to the operator."""
    metadata = manifest["metadata"] | {"uid": "5f0c", "generation": 1, "resourceVersion": "1"}
    return manifest | {"metadata": metadata}


@pytest.mark.parametrize("refusal", _refusals())
def test_the_rules_of_the_crd_refuse_with_one_sentence(refusal: refusals.Refusal) -> None:
    assert cel.broken(refusal.manifest) == [refusal.sentence]


@pytest.mark.parametrize("refusal", _refusals())
def test_the_operator_refuses_with_the_same_sentence(refusal: refusals.Refusal) -> None:
    with pytest.raises(model.InvalidModel) as caught:
        model.InferenceModel.parse(_stored(refusal.manifest))
    assert str(caught.value) == refusal.sentence


@pytest.mark.parametrize("misfit", [pytest.param(misfit, id=misfit.what) for misfit in refusals.MISFITS])
def test_the_operator_names_the_field_that_does_not_fit(misfit: refusals.Misfit) -> None:
    with pytest.raises(model.InvalidModel) as caught:
        model.InferenceModel.parse(_stored(misfit.manifest))
    assert misfit.field in str(caught.value)


@pytest.mark.parametrize("welcome", [pytest.param(each, id=each.what) for each in refusals.WELCOME])
def test_what_looks_odd_and_is_legitimate_is_taken(welcome: refusals.Welcome) -> None:
    assert cel.broken(welcome.manifest) == []
    model.InferenceModel.parse(_stored(welcome.manifest))


def test_every_rule_of_the_crd_has_a_manifest_that_it_refuses() -> None:
    assert {rule.message for rule in crd.rules()} == {refusal.sentence for refusal in refusals.REFUSALS}


def test_every_rule_names_its_field() -> None:
    for rule in crd.rules():
        assert rule.path.replace("[]", "") in rule.message or rule.path in {"", "spec"}, rule
        assert "metadata." in rule.message or "spec." in rule.message
