"""What the tests of all rings share: the cluster with Slipway on it, and a namespace for each test.

Nothing of the harness is imported before a test asks for it: pure tests start at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cluster.kubectl import Kubectl
    from tests.cluster.stack import Installed

# Shared pieces assert too: what differs is said as in a test.
pytest.register_assert_rewrite("tests.rollout", "tests.scenario", "tests.matrix")

# Early failures first, and the clusters that the harness's own tests start beside this one last.
_RINGS = ("s3", "cluster")
_LAST = "tests/harness/"
_LONGEST = 50  # characters of a namespace; "-load" is added to it


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")
    items.sort(key=_ring)


def _ring(item: pytest.Item) -> tuple[int, bool]:
    marked = [number for number, mark in enumerate(_RINGS, start=1) if item.get_closest_marker(mark)]
    return max(marked, default=0), item.nodeid.startswith(_LAST)


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Installed:
    """Slipway, S3 and the example bundles on a cluster. Without one: a skip, and in CI a failure."""
    from tests.cluster import selection
    from tests.cluster.errors import ClusterError
    from tests.cluster.stack import Stack

    try:
        cluster = selection.choose()
    except ClusterError as failure:
        _cannot_run(str(failure))
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():  # it may take minutes, and says what it is doing
        return Stack(cluster=cluster).ensure()


@pytest.fixture(scope="session")
def kubectl(stack: Installed) -> Kubectl:
    """kubectl as an administrator of the stack's cluster."""
    return stack.kubectl


@pytest.fixture
def namespace(stack: Installed, request: pytest.FixtureRequest) -> Iterator[str]:
    """The test's own namespace, where models find their Secret."""
    from tests.scenario import namespaces

    with namespaces.lent(stack, _name(request.node.name)) as name:
        yield name


@pytest.fixture(scope="module")
def module_namespace(stack: Installed, request: pytest.FixtureRequest) -> Iterator[str]:
    """The same, for all tests of a module."""
    from tests.scenario import namespaces

    with namespaces.lent(stack, _name(request.node.path.stem)) as name:
        yield name


def _name(test: str) -> str:
    """A short name that says which test it is."""
    words = re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_")).strip("-")
    return f"t-{words}"[:_LONGEST].rstrip("-")


def _cannot_run(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must not skip what needs a cluster. {why}", pytrace=False)
    pytest.skip(why)
