"""What waits for its promotion can be tried under a stable name."""

import pytest

from slipway_operator.planning import actions, preview
from tests.planning.situations import Scene, a_model

COMING = a_model(asking="v2", manual=True).with_live("v1")
READY = COMING.with_revision("v2", ready=1)


@pytest.mark.parametrize(
    ("scene", "wanted"),
    [
        pytest.param(a_model(asking="v2").with_live("v1"), None, id="nobody wants the last word"),
        pytest.param(a_model(manual=True).with_revision("v1").without_service(), None, id="nothing is live"),
        pytest.param(COMING, actions.CreatePreviewService("v1"), id="a version is coming"),
        pytest.param(READY, actions.CreatePreviewService("v2"), id="a version is ready"),
        pytest.param(
            COMING.with_preview("v1"), None, id="it shows the live version, and the next only starts"
        ),
        pytest.param(READY.with_preview("v1"), actions.PointPreview("v2", "3"), id="the next is ready"),
        pytest.param(READY.with_preview("v2"), None, id="it shows what is ready"),
        pytest.param(
            a_model(asking="v2").with_live("v2").with_preview("v1"),
            actions.PointPreview("v2", "3"),
            id="promotion is automatic again",
        ),
        pytest.param(COMING.with_preview(None), actions.PointPreview("v1", "3"), id="somebody has edited it"),
    ],
)
def test_the_preview_when(scene: Scene, wanted: actions.Action | None) -> None:
    assert preview.provide(scene.situation).actions == ((wanted,) if wanted else ())
