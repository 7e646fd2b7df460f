"""What tools that wait for a model make of its status: kstatus (kubectl, Flux, Helm) and Argo CD.

kstatus' rules are stated anew from its documentation. Argo CD runs the chart's Lua script; its table of rules
is read from the file and applied here.
"""

import re
from typing import Any

import pytest

from slipway_operator.api import status as api
from slipway_operator.domain import observed
from slipway_operator.rendering import status as rendered
from tests.contract import crd
from tests.planning.situations import NOW, Scene, a_model, a_problem, a_verdict

SCRIPT = crd.ROOT / "charts" / "slipway" / "files" / "argocd-health.lua"
GENERATION = 3
ONE, TWO = "1" * 10, "2" * 10
COMING = a_model(asking=TWO).with_live(ONE)

STATES = [
    pytest.param(a_model(asking=ONE), "InProgress", "Progressing", id="just applied"),
    pytest.param(a_model(asking=ONE).with_live(ONE), "Current", "Healthy", id="at rest"),
    pytest.param(COMING.with_revision(TWO), "InProgress", "Progressing", id="a new version warms up"),
    pytest.param(
        a_model(asking=TWO, manual=True).with_live(ONE).with_revision(TWO, ready=1),
        "InProgress",
        "Suspended",
        id="it waits for somebody's word",
    ),
    pytest.param(
        a_model(asking=TWO, paused=True).with_live(ONE).with_revision(TWO),
        "InProgress",
        "Suspended",
        id="somebody has paused it",
    ),
    pytest.param(
        a_model(asking=TWO, bake=60).with_revision(ONE, ready=1).with_live(TWO).switched(ONE, seconds_ago=20),
        "InProgress",
        "Progressing",
        id="the new version is watched",
    ),
    pytest.param(
        a_model(asking=TWO).with_revision(ONE, ready=1).with_live(TWO).switched(ONE, seconds_ago=20),
        "Current",
        "Healthy",
        id="the old version is kept warm",
    ),
    pytest.param(
        COMING.with_revision(TWO, desired=0, rejected=a_verdict()), "Failed", "Degraded", id="rejected"
    ),
    pytest.param(
        COMING.with_revision(TWO, desired=0, released=a_verdict()), "Failed", "Degraded", id="blocked"
    ),
    pytest.param(
        COMING.with_revision(TWO, problems=(a_problem(observed.Severity.BLOCKING),)),
        "Failed",
        "Degraded",
        id="it finds no room",
    ),
    pytest.param(
        a_model(asking=ONE).with_live(ONE).with_somebody_elses("Service", observed.Child.STABLE),
        "Failed",
        "Degraded",
        id="a name is taken",
    ),
    pytest.param(
        a_model(asking=ONE).with_live(ONE, ready=0), "InProgress", "Progressing", id="all pods were lost"
    ),
    pytest.param(
        a_model(asking=ONE, replicas=0).with_live(ONE, ready=0, desired=1),
        "InProgress",
        "Progressing",
        id="it falls asleep",
    ),
    pytest.param(
        a_model(asking=ONE, replicas=0).with_live(ONE, ready=0), "Current", "Healthy", id="it sleeps"
    ),
]


@pytest.mark.parametrize(("scene", "by_kstatus", "by_argo"), STATES)
def test_tools_that_wait_see(scene: Scene, by_kstatus: str, by_argo: str) -> None:
    model = _written(scene)
    assert (_kstatus(model), _argo(model)) == (by_kstatus, by_argo)


@pytest.mark.parametrize("scene", [a_model(asking=ONE).with_live(ONE), a_model(asking=ONE, replicas=0)])
def test_a_generation_that_nobody_has_seen_is_waited_for(scene: Scene) -> None:
    model = _written(scene)
    model["metadata"]["generation"] += 1
    assert (_kstatus(model), _argo(model)) == ("InProgress", "Progressing")


def test_a_model_without_a_status_is_waited_for() -> None:
    assert _argo({"metadata": {"generation": 1}}) == "Progressing"


def _written(scene: Scene) -> dict[str, Any]:
    says = rendered.body(scene.plan.status, previous=api.Status(), generation=GENERATION, now=NOW)
    return {"metadata": {"generation": GENERATION}, "status": says}


def _kstatus(model: dict[str, Any]) -> str:
    """The generic rules for a kind that kstatus does not know."""
    status = model["status"]
    held = {condition["type"]: condition["status"] for condition in status["conditions"]}
    if status["observedGeneration"] < model["metadata"]["generation"] or held.get("Reconciling") == "True":
        return "InProgress"
    if held.get("Stalled") == "True":
        return "Failed"
    return "Current" if held.get("Ready", "True") == "True" else "InProgress"


def _argo(model: dict[str, Any]) -> str:
    """As the script has it: the first of its rules that holds."""
    status, rules = model.get("status", {}), _rules()
    if status.get("observedGeneration", 0) < model["metadata"]["generation"]:
        return "Progressing"
    for kind, reason, health in rules:
        for condition in status["conditions"]:
            fits = condition["type"] == kind and reason in ("", condition["reason"])
            if fits and condition["status"] == "True":
                return health
    return "Progressing"


def _rules() -> list[tuple[str, ...]]:
    rules = re.findall(r'^  \{"(\w+)", "(\w*)", "(\w+)"\},$', SCRIPT.read_text(), re.MULTILINE)
    assert len(rules) == SCRIPT.read_text().count('  {"'), "a rule that this test does not understand"
    return rules
