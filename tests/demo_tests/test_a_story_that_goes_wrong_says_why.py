"""On a real cluster: a step that does not come about tells how the model is, and what is quick is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.stack import Installed
from tests.demo import api, manifests
from tests.demo.play import Player, StepError
from tests.demo.progress import Progress
from tests.demo.snapshot import Facts, StepState
from tests.demo.story import Apply, Clear, Step, is_empty
from tests.demo.watching import Watcher
from tests.ledger.driver import Ledger

pytestmark = pytest.mark.cluster


@pytest.fixture
def kubectl(stack: Installed) -> Iterator[api.QuickKubectl]:
    with api.quick(stack.kubectl) as kubectl:
        yield kubectl


def never(_: Facts) -> bool:
    return False


def test_a_step_that_does_not_come_about_tells_how_the_model_is(
    kubectl: api.QuickKubectl, stack: Installed, tmp_path: Path
) -> None:
    story = (
        Step("nothing is left", Clear(), is_empty),
        Step("version 1 flies to the moon", Apply("1"), never, within=8),
    )
    ledger = Ledger(kubectl, image=stack.references["ledger"], output=tmp_path / "ledger")
    progress = Progress([step.title for step in story])
    with Watcher(kubectl.raw, ledger.counts) as watcher:
        player = Player(
            kubectl=kubectl,
            ledger=ledger,
            watcher=watcher,
            progress=progress,
            files=manifests.write(tmp_path),
            may_delete_any=True,
        )
        with pytest.raises(StepError) as failure:
            player.play(story)
    said = str(failure.value)
    assert said.startswith("After 8 s it had not come about: version 1 flies to the moon.")
    assert "Ready=" in said
    assert "RolloutStarted" in said, "the model's events"
    assert [step.state for step in progress.steps()] == [StepState.DONE, StepState.FAILED]
    kubectl.delete("inferencemodel", manifests.NAME, namespace=manifests.NAMESPACE, wait=False)


def test_a_quick_look_sees_what_kubectl_sees(kubectl: api.QuickKubectl, stack: Installed) -> None:
    assert kubectl.raw("/version").split() == stack.kubectl.raw("/version").split()


def test_a_quick_look_at_what_is_not_there_is_refused_in_a_sentence(kubectl: api.QuickKubectl) -> None:
    with pytest.raises(ClusterError, match=r"answers GET /nowhere with 404"):
        kubectl.raw("/nowhere")
