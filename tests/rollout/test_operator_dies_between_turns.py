"""The operator is killed right before and right after each write of a rollout by turns.

The one that comes after it ends what was begun, from whatever mixture of versions it finds.
"""

from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.recorder.history import History
from tests.rollout import deaths
from tests.rollout.deaths import Death, Turning
from tests.scenario import turning

pytestmark = pytest.mark.cluster

BY_TURNS = {"strategy": "Rolling"}
TURNS: dict[str, Turning] = {
    "the new Deployment is created": lambda _, new: turning.created(new),
    "the Service selects all pods": lambda *_: turning.widened(),
    "the first new pod is added": lambda _, new: turning.scaled(new, 1),
    "the first old pod is taken": lambda old, _: turning.scaled(old, 1),
    "the second new pod is added": lambda _, new: turning.scaled(new, 2),
    "the last old pod is taken": lambda old, _: turning.scaled(old, 0),
    "the Service selects the new version": lambda _, new: turning.selected(new),
}


@pytest.fixture(scope="module")
def undisturbed(stack: Installed, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The same rollout, with an operator that lives."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return deaths.roll(stack, module_namespace, folder, None, rollout=BY_TURNS).history


@pytest.mark.parametrize("death", deaths.table(TURNS, first=11, quick="after the first old pod is taken"))
def test_the_rollout_ends_as_if_nothing_had_been(
    stack: Installed, namespace: str, tmp_path: Path, undisturbed: History, death: Death
) -> None:
    outcome = deaths.roll(stack, namespace, tmp_path, death, rollout=BY_TURNS)
    deaths.assert_nothing_shows(outcome, undisturbed)
