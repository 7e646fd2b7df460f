"""A pod template that somebody has changed is told of, once as an Event, and left as it is."""

from slipway_operator.api import reasons
from slipway_operator.planning import happenings
from tests.planning.situations import a_model, a_verdict

EDITED = a_model().with_live("v1", edited_by="kubectl-edit")


def test_the_status_names_who_has_changed_it() -> None:
    says = EDITED.plan.status
    assert says.message == (
        "version v1 receives the requests; kubectl-edit has changed the pods of version v1: that is let be"
    )
    assert says.step is reasons.RolloutStep.COMPLETE
    assert [version.reason for version in says.versions] == ["TemplateDrifted"]


def test_it_is_left_as_it_is() -> None:
    assert EDITED.actions == ()


def test_why_a_version_has_failed_matters_more() -> None:
    failed = a_model().with_live("v1").with_revision("v0", rejected=a_verdict(), edited_by="x", desired=0)
    assert "TemplateDrifted" not in [version.reason for version in failed.plan.status.versions]


def test_what_has_no_pods_is_not_spoken_of() -> None:
    assert a_model().with_live("v1").with_retired("v0", edited_by="x").plan.status.message.count(";") == 0


def test_an_event_tells_of_it_once() -> None:
    says = EDITED.plan.status
    (event,) = happenings.of_drift((), says)
    assert (event.reason, event.warning) == (reasons.EventReason.TEMPLATE_DRIFTED, True)
    assert "version v1 (revision v1)" in event.note
    assert happenings.of_drift({"v1"}, says) == ()
