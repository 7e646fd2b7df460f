"""What is refused, by a real API server: the rules' costs, order and wording as users meet them."""

import json
from typing import Any

import pytest

from tests.cluster.kubectl import Kubectl
from tests.contract import crd, refusals

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", autouse=True)
def _definition(kubectl: Kubectl) -> None:
    """The CRD of this tree, where the cluster has none; one that is installed is left as it is."""
    if kubectl.find("crd", "inferencemodels.slipway.dev") is None:
        kubectl.run("apply", "-f", str(crd.FILE))
    kubectl.run("wait", "--for=condition=Established", "crd/inferencemodels.slipway.dev", "--timeout=60s")


def _answer(kubectl: Kubectl, manifest: dict[str, Any]) -> tuple[bool, str]:
    """Whether the API server would take it, and what kubectl says."""
    done = kubectl.attempt("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("refusal", [pytest.param(each, id=each.what) for each in refusals.REFUSALS])
def test_a_rule_refuses_with_its_sentence(kubectl: Kubectl, refusal: refusals.Refusal) -> None:
    taken, said = _answer(kubectl, refusal.manifest)
    assert not taken
    assert refusal.sentence in said


@pytest.mark.parametrize("misfit", [pytest.param(each, id=each.what) for each in refusals.MISFITS])
def test_the_schema_refuses_and_names_the_field(kubectl: Kubectl, misfit: refusals.Misfit) -> None:
    taken, said = _answer(kubectl, misfit.manifest)
    assert not taken
    assert misfit.field in said
    assert misfit.says in said


@pytest.mark.parametrize("welcome", [pytest.param(each, id=each.what) for each in refusals.WELCOME])
def test_what_is_legitimate_is_taken(kubectl: Kubectl, welcome: refusals.Welcome) -> None:
    taken, said = _answer(kubectl, welcome.manifest)
    assert taken, said


def test_an_unknown_field_is_refused_rather_than_dropped(kubectl: Kubectl) -> None:
    manifest = refusals.WELCOME[0].manifest
    taken, said = _answer(kubectl, manifest | {"spec": manifest["spec"] | {"paused": True}})
    assert not taken
    assert 'unknown field "spec.paused"' in said
