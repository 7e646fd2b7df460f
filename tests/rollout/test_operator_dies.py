"""The operator is killed right before and right after each write that carries a rollout on.

The one that comes after it ends what was begun: no request fails, and what is left is what a run without a
fault leaves.
"""

from pathlib import Path

import pytest

from tests.cluster.stack import Installed
from tests.recorder.history import History
from tests.rollout import deaths
from tests.rollout.deaths import Death, Turning
from tests.scenario import turning

pytestmark = pytest.mark.cluster

WITHOUT_HISTORY = {"historyLimit": 0}
TURNS: dict[str, Turning] = {
    "the new Deployment is created": lambda _, new: turning.created(new),
    "the traffic moves": lambda _, new: turning.selected(new),
    "the old version is scaled down": lambda old, _: turning.scaled(old, 0),
    "the old version leaves the history": lambda old, _: turning.trimmed(old),
}


@pytest.fixture(scope="module")
def undisturbed(stack: Installed, module_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The same rollout, with an operator that lives."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return deaths.roll(stack, module_namespace, folder, None, rollout=WITHOUT_HISTORY).history


@pytest.mark.parametrize("death", deaths.table(TURNS, first=1, quick="before the traffic moves"))
def test_the_rollout_ends_as_if_nothing_had_been(
    stack: Installed, namespace: str, tmp_path: Path, undisturbed: History, death: Death
) -> None:
    outcome = deaths.roll(stack, namespace, tmp_path, death, rollout=WITHOUT_HISTORY)
    deaths.assert_nothing_shows(outcome, undisturbed)
