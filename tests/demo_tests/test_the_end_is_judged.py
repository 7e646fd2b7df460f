"""The verdict on a run, its file, and what a person is told to try."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cluster import paths
from tests.demo import manifests, shell, summary
from tests.demo_tests import scenes
from tests.ledger.report import ClassCount, Report
from tests.ledger.switches import Sight, Switch

SWITCHES = tuple(Switch(old, new, Sight(1.0, 1.0), {}) for old, new in (("1", "2"), ("2", "1")))


def report(
    requests: int = 20_000,
    *,
    failed: int = 0,
    unaccounted: int = 0,
    switches: tuple[Switch, ...] = SWITCHES,
    findings: tuple[str, ...] = (),
) -> Report:
    classes = (ClassCount("fast", requests, failed, {"1": requests - failed - 5, "2": 5}, None),)
    return Report(requests, failed, unaccounted, 0.0, 60.0, classes, (), switches, findings)


@pytest.mark.parametrize(
    ("run", "complaint"),
    [
        pytest.param(report(0), "No request was made.", id="no requests"),
        pytest.param(report(failed=3), "3 of 20,000 requests failed.", id="failures"),
        pytest.param(report(findings=("cut off",)), "nothing is proved", id="books that are not whole"),
        pytest.param(report(switches=SWITCHES[:1]), "saw 1 switches of version, not 2", id="one switch"),
    ],
)
def test_a_run_is_no_success(run: Report, complaint: str) -> None:
    assert complaint in " ".join(summary.complaints(run))
    assert summary.document(run, (), 90.0)["passed"] is False


def test_a_run_is_a_success() -> None:
    assert summary.complaints(report()) == []


def test_the_file_says_it_all() -> None:
    document = json.loads(json.dumps(summary.document(report(), scenes.steps(9), 90.04)))
    assert document["requests"] == 20_000
    assert document["failed"] == 0
    assert document["switches"] == 2
    assert document["versions"] == ["1", "2"]
    assert document["passed"] is True
    assert document["seconds"] == 90.0
    assert [step["title"] for step in document["steps"]] == list(scenes.TITLES)


def test_every_command_to_try_is_one_line_of_shell() -> None:
    said = summary.suggestions(["export KUBECONFIG=.cluster/kubeconfig"], description="local nodes")
    commands = [line.strip() for line in said.splitlines()[1:] if line.strip() and "#" not in line]
    assert {shlex.split(command)[0] for command in commands} == {"export", "kubectl", "curl", "make"}


def test_every_file_to_try_is_there() -> None:
    said = summary.suggestions([], description="local nodes")
    files = [word for word in said.split() if word.startswith("examples/")]
    assert files
    assert all((paths.ROOT / file).is_file() for file in files)


def test_a_file_is_named_as_a_person_would() -> None:
    assert shell.path(paths.ROOT / ".cluster" / "kubeconfig") == ".cluster/kubeconfig"
    assert shell.path(Path.home() / "a b" / "kubectl") == "~/'a b/kubectl'"
    assert shell.path(Path("/nowhere/kubectl")) == "/nowhere/kubectl"


def test_the_demos_models_are_the_examples_but_for_their_waits(tmp_path: Path) -> None:
    for version, file in manifests.write(tmp_path).items():
        ours = yaml.safe_load(file.read_text())
        example = yaml.safe_load(
            (paths.ROOT / f"examples/inferencemodels/sentiment-v{version}.yaml").read_text()
        )
        assert ours["metadata"]["name"] == example["metadata"]["name"]
        assert ours["spec"]["rollout"].items() >= example["spec"].get("rollout", {}).items()
        assert {**ours["spec"], "rollout": None} == {**example["spec"], "rollout": None}
