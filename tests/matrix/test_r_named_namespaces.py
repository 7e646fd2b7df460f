"""R. The operator is installed for named namespaces: it has no right beyond them, and needs none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.release import NAME as RELEASE
from tests.cluster.stack import Installed
from tests.matrix.load import MODEST
from tests.scenario import installation
from tests.scenario.observation import observed

pytestmark = [pytest.mark.cluster, pytest.mark.long]

SOME = 100


@pytest.fixture
def for_this_namespace(stack: Installed, namespace: str) -> Iterator[Installed]:
    with installation.with_values(stack, watch={"namespaces": [namespace]}):
        yield stack


@pytest.mark.case("R1")
def test_a_namespaced_operator_rolls_a_model(
    for_this_namespace: Installed, namespace: str, tmp_path: Path
) -> None:
    with observed(for_this_namespace, namespace, tmp_path) as run:
        assert run.kubectl.find("clusterrolebinding", RELEASE) is None
        assert run.kubectl.find("role", RELEASE, namespace=namespace) is not None
        first = run.apply("1")
        run.wait_complete("1")
        run.send(MODEST)
        run.send_more(SOME)
        run.apply("2")
        run.wait_complete("2")
        run.wait_gone(first)
        run.send_more(SOME)
    assert run.outcome.complaints == []
