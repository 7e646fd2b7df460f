"""Every revision that may get requests has a Service that proves its ready pods."""

import pytest

from slipway_operator.planning import actions
from tests.planning.situations import Scene, a_model, ago

NEEDED = [
    pytest.param(a_model().with_live("v1", has_service=False), "v1", id="the live revision"),
    pytest.param(
        a_model(asking="v2").with_live("v1").with_revision("v2", has_service=False), "v2", id="the coming one"
    ),
    pytest.param(
        a_model(asking="v2").with_live("v1", has_service=False).with_revision("v2"),
        "v1",
        id="the live one while another is coming",
    ),
    pytest.param(
        a_model(asking="v2")
        .with_revision("v1", ready=1, has_service=False, promoted_at=ago(99))
        .with_live("v2")
        .switched("v1", seconds_ago=5),
        "v1",
        id="the warm predecessor",
    ),
]


@pytest.mark.parametrize(("scene", "revision"), NEEDED)
def test_a_service_is_created_for(scene: Scene, revision: str) -> None:
    assert scene.actions == (actions.CreateRevisionService(revision),)


def test_what_has_no_pods_needs_no_service() -> None:
    assert a_model().with_live("v1").with_retired("v0", has_service=False).actions == ()


def test_what_was_overtaken_needs_no_service() -> None:
    scene = a_model(asking="v3").with_live("v1").with_revision("v2", has_service=False).with_revision("v3")
    assert scene.actions == (actions.Scale("v2", 0),)
