"""The model's NetworkPolicy is as the administrator's settings have it."""

import dataclasses

import pytest

from slipway_operator.domain import observed
from slipway_operator.planning import access, actions
from tests.planning.situations import a_model

ABSENT, OUTDATED, CURRENT = observed.Access


@pytest.mark.parametrize(
    ("restricted", "found", "wanted"),
    [
        pytest.param(True, ABSENT, (actions.ApplyAccess(),), id="it is made"),
        pytest.param(True, OUTDATED, (actions.ApplyAccess(),), id="it follows the settings"),
        pytest.param(True, CURRENT, (), id="it is as it should be"),
        pytest.param(False, ABSENT, (), id="nobody wants it"),
        pytest.param(False, CURRENT, (actions.DeleteAccess(),), id="nobody wants it any more"),
        pytest.param(False, OUTDATED, (actions.DeleteAccess(),), id="nor as it was once"),
    ],
)
def test_the_policy(restricted: bool, found: observed.Access, wanted: tuple[actions.Action, ...]) -> None:  # noqa: FBT001
    scene = a_model(restricted=restricted).with_live("v1").situation
    seen = dataclasses.replace(scene.seen, access=found)
    assert access.provide(dataclasses.replace(scene, seen=seen)).actions == wanted
