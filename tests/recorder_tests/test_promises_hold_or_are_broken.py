"""Each invariant on histories that keep it and that break it: every check must be able to fail."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.recorder import invariants, switches
from tests.recorder.invariants import Circumstances
from tests.recorder.metadata import Key
from tests.recorder.silence import QuietWindow
from tests.recorder.switches import Turn
from tests.recorder_tests.story import (
    CONTROLLER,
    NAME,
    NAMESPACE,
    OPERATOR,
    OWNER,
    TRAFFIC,
    USER,
    A,
    B,
    C,
    LateStory,
    Story,
    labels_of,
)

Told = Callable[[Story], object]


def _broken(story: Story, circumstances: Circumstances = invariants.PLAIN) -> set[str]:
    return {v.invariant for v in invariants.check(story.history(), circumstances=circumstances)}


OWN = {
    "metadata": {"labels": {"slipway.dev/model": NAME}, "ownerReferences": [{**OWNER, "controller": True}]}
}
LENT = {"metadata": {"annotations": {"slipway.dev/adopt": "true"}}, "spec": {"selector": {"app": "other"}}}


def _made_anew(story: Story, uid: str) -> Story:
    """The model is deleted without its children, and applied again; the operator gives them that owner."""
    story.first_version().delete("InferenceModel", NAME)
    children = (("Deployment", f"{NAME}-{A}"), ("Service", NAME))
    for child in children:
        story.write(*child, {"metadata": {"ownerReferences": None}}, by=CONTROLLER)
    anew = {"metadata": {"uid": "uid-of-today", "generation": 1}, "spec": {"version": "1", "replicas": 2}}
    story.wait(3).write("InferenceModel", NAME, anew, by=USER)
    for child in children:
        owner = {**OWNER, "uid": uid, "controller": True}
        story.wait(2).write(*child, {"metadata": {"ownerReferences": [owner]}}, by=OPERATOR)
    return story.report(activeVersion="1", activeRevision=A, ready="True")


GOOD: dict[str, Told] = {
    "children that have lost their owner are taken over": lambda s: _made_anew(s, "uid-of-today"),
    "a whole rollout": lambda s: s.rollout(),
    "a rollout to fewer replicas, asked for in the middle": lambda s: (
        s.first_version(replicas=3)
        .second_version_ready(replicas=3)
        .ask("2", replicas=1)
        .ready(B, 1)
        .select(B)
        .traffic(B, 1)
    ),
    "the live version is scaled down because the user asked": lambda s: (
        s.first_version(replicas=3).ask("1", replicas=1).scale(A, 1).both(A, 1)
    ),
    "the live version scaled down a moment after the user asked for more again": lambda s: (
        s.first_version(replicas=3).ask("1", replicas=2).ask("1", replicas=3).scale(A, 2).scale(A, 3)
    ),
    "a pod of the live version dies and comes back": lambda s: s.first_version().both(A, 1).both(A, 2),
    "all pods of the live version die, and one ready pod of the next will do": lambda s: (
        s.first_version().ask("2").deploy(B).ready(B, 1).both(A, 0).wait(5).select(B).traffic(B, 1)
    ),
    "the old version is dying while the new one takes over": lambda s: (
        s.first_version(replicas=3).second_version_ready(replicas=3).both(A, 1).select(B).traffic(B, 3)
    ),
    "a pod of the new version dies right before the switch, within the age of a reading": lambda s: (
        s.first_version().second_version_ready().ready(B, 1).select(B).traffic(B, 1)
    ),
    "a flip-back to the old version": lambda s: (
        s.first_version().second_version_ready().switched().both(B, 0).select(A, origin=B).traffic(A, 2)
    ),
    "a flip-back to the one pod that the old version still has": lambda s: (
        s.first_version()
        .second_version_ready()
        .switched()
        .ready(A, 1)
        .both(B, 0)
        .wait(5)
        .select(A)
        .traffic(A, 1)
    ),
    "back and forth, each time as a new attempt": lambda s: (
        s.first_version()
        .second_version_ready()
        .switched()
        .ask("1")
        .annotate(A, attempt_started_at="again")
        .select(A)
        .traffic(A, 2)
        .ask("2")
        .annotate(B, attempt_started_at="again")
        .select(B)
        .traffic(B, 2)
    ),
    "the selector was moved by hand, and is repaired": lambda s: (
        s.first_version().deploy(B).select(B, by=USER).traffic(B, 0).select(A, by=TRAFFIC).traffic(A, 2)
    ),
    "the stable Service was deleted by hand and comes back where it was": lambda s: (
        s.first_version().delete("Service", NAME).select(A)
    ),
    "hibernation": lambda s: s.first_version().ask("1", replicas=0).scale(A, 0).both(A, 0),
    "the model is deleted, and the garbage collector takes the rest": lambda s: (
        s.first_version()
        .delete("InferenceModel", NAME)
        .delete("Deployment", f"{NAME}-{A}")
        .traffic(A, 0)
        .delete("Service", NAME)
    ),
    "replicas that go down to nothing and up again before the pods have gone": lambda s: (
        s.first_version().ask("1", replicas=0).scale(A, 0).ask("1", replicas=2).both(A, 0).scale(A, 2)
    ),
    "a Service that was deleted before any version was ready comes back on what is asked for": lambda s: (
        s.ask("1").deploy(A).select(A).ask("2").deploy(B).delete("Service", NAME).select(B)
    ),
    "a revision's own Service, owned by its Deployment": lambda s: (
        s.first_version().prove(B).prove(B, by=OPERATOR)
    ),
    "a rejected version whose retry token was newer than the verdict": lambda s: (
        s.first_version()
        .second_version_ready()
        .ask("2", retryToken="again")
        .annotate(B, rejected='{"retryToken": ""}')
        .annotate(B, rejected=None, attempt_started_at="again")
    ),
    "a history without pods goes": lambda s: s.rollout().delete("Deployment", f"{NAME}-{A}"),
    "a rejected version that was trimmed after going back is asked for once more": lambda s: (
        s.first_version()
        .second_version_ready()
        .annotate(B, rejected="{}")
        .scale(B, 0)
        .ready(B, 0)
        .ask("1")
        .report(activeVersion="1", activeRevision=A, targetRevision=A, ready="True")
        .delete("Deployment", f"{NAME}-{B}")
        .ask("2")
        .deploy(B)
    ),
    "a rejected version is tried again with a new retry token": lambda s: (
        s.first_version()
        .second_version_ready()
        .annotate(B, rejected="{}")
        .scale(B, 0)
        .ask("2", retryToken="again")
        .annotate(B, rejected=None, attempt_started_at="again")
        .scale(B, 2)
    ),
    "somebody else's objects change by themselves": lambda s: (
        s.first_version()
        .write("Service", "other", {"spec": {"selector": {"app": "other"}}}, by=USER)
        .write("Service", "other", {"spec": {"selector": {"app": "x"}}}, by=CONTROLLER)
    ),
    "the status speaks of a generation that is no longer the newest": lambda s: (
        s.first_version()
        .ask("2")
        .report(activeVersion="1", activeRevision=A, ready="True", observedGeneration=1)
    ),
    "the status follows the switch two seconds later": lambda s: (
        s.first_version().second_version_ready().select(B).wait(2).report(activeRevision=A, ready="False")
    ),
    "Rolling goes down to what it may": lambda s: (
        s.first_version(strategy="Rolling", maxUnavailable=1, replicas=3).select(None).scale(A, 2).both(A, 2)
    ),
    "Recreate with a downtime that was allowed": lambda s: (
        s.first_version(strategy="Recreate", allowDowntime=True).scale(A, 0).both(A, 0)
    ),
    "a user gives the operator a Service": lambda s: (
        s.ask("1")
        .write("Service", NAME, {"metadata": {"annotations": {"slipway.dev/adopt": "yes"}}}, by=USER)
        .select(A)
    ),
    "pods that a Service led to before it was lent are its owner's": lambda s: (
        s.ask("1").write("Service", NAME, LENT, by=USER).traffic(C, 2).traffic(C, 1)
    ),
    "a version can be tried before it is promoted": lambda s: (
        s.first_version().second_version_ready().write("Service", f"{NAME}-preview", OWN, by=OPERATOR)
    ),
}

BAD: dict[str, tuple[str, Told]] = {
    # I1
    "the traffic goes to fewer ready pods": (
        "I1 I3",
        lambda s: s.first_version().second_version_ready(replicas=2).ready(B, 1).wait(5).select(B),
    ),
    "the old pods leave before the EndpointSlices have followed the switch": (
        "I1 I2",
        lambda s: s.first_version().second_version_ready().scale(A, 0).traffic(A, 0),
    ),
    "the live Deployment is gone and its pods with it": (
        "I1 I2",
        lambda s: s.first_version().delete("Deployment", f"{NAME}-{A}").traffic(A, 0),
    ),
    "Rolling takes more than it may": (
        "I1",
        lambda s: s.first_version(strategy="Rolling", maxUnavailable=1, replicas=3).select(None).both(A, 1),
    ),
    # I2
    "the live version is scaled to zero": ("I2", lambda s: s.first_version().scale(A, 0)),
    "the live version is scaled below what was asked for": (
        "I2",
        lambda s: s.first_version(replicas=3).scale(A, 2),
    ),
    "the live version is deleted": ("I2", lambda s: s.first_version().delete("Deployment", f"{NAME}-{A}")),
    "the live version is being deleted": (
        "I2",
        lambda s: s.first_version().write(
            "Deployment", f"{NAME}-{A}", {"metadata": {"deletionTimestamp": "now"}}, by=OPERATOR
        ),
    ),
    "the new version is taken away right after the switch": (
        "I2",
        lambda s: s.first_version().second_version_ready().switched().scale(B, 0),
    ),
    # I3
    "a switch to a version without ready pods": (
        "I1 I3",
        lambda s: s.first_version().ask("2").deploy(B).select(B),
    ),
    "a switch to one ready pod where two were latched": (
        "I3",
        lambda s: s.first_version().ask("2").deploy(B).ready(B, 1).both(A, 1).wait(5).select(B),
    ),
    "pods that became ready right after the switch": (
        "I1 I3",
        lambda s: s.first_version().ask("2").deploy(B).select(B).ready(B, 2),
    ),
    "a promotion of one attempt for the second time": (
        "I3",
        lambda s: (
            s.first_version().second_version_ready().switched().select(A).traffic(A, 2).wait(5).select(B)
        ),
    ),
    "a flip-back of one attempt for the second time": (
        "I3",
        lambda s: (
            s.first_version().second_version_ready().switched().select(A).wait(5).select(B).wait(5).select(A)
        ),
    ),
    "a flip-back to an old version without a ready pod": (
        "I1 I3",
        lambda s: s.rollout().wait(5).select(A),
    ),
    "a promotion while the model hibernates": (
        "I3",
        lambda s: s.first_version().second_version_ready().ask("2", replicas=0).select(B),
    ),
    "a switch whose note says something else": (
        "I3",
        lambda s: s.first_version().second_version_ready().select(B, noted=C),
    ),
    "a deleted Service comes back on a version that was never promoted": (
        "I3",
        lambda s: s.first_version().second_version_ready().delete("Service", NAME).select(B),
    ),
    # I4
    "a Deployment under another name": (
        "I4",
        lambda s: s.first_version().write(
            "Deployment",
            "sentiment-next",
            {"metadata": {"labels": labels_of(B)}, "spec": {"replicas": 1}},
            by=OPERATOR,
        ),
    ),
    "a Deployment without an owner": (
        "I4",
        lambda s: s.first_version().deploy(B, metadata={"ownerReferences": None}),
    ),
    "a Deployment owned by a model of that name that is gone": (
        "I4",
        lambda s: s.first_version().deploy(
            B,
            metadata={
                "ownerReferences": [
                    {"kind": "InferenceModel", "name": NAME, "uid": "before", "controller": True}
                ]
            },
        ),
    ),
    "children that have lost their owner are given to one that is no more": (
        "I4",
        lambda s: _made_anew(s, "uid-of-old"),
    ),
    "a revision's own Service without an owner": (
        "I4",
        lambda s: s.first_version().prove(A, owned=False),
    ),
    "two Deployments of one revision": (
        "I4",
        lambda s: s.first_version().write(
            "Deployment",
            f"{NAME}-{C}",
            {"metadata": {"labels": labels_of(A)}, "spec": {"replicas": 1}},
            by=OPERATOR,
        ),
    ),
    "a foreign Deployment with a revision's name is written to": (
        "I4 I11",
        lambda s: (
            s.first_version()
            .write("Deployment", f"{NAME}-{B}", {"spec": {"replicas": 1}}, by=USER)
            .write("Deployment", f"{NAME}-{B}", {"spec": {"replicas": 2}}, by=OPERATOR)
        ),
    ),
    "a foreign Service is taken over by labelling it": (
        "I4 I11",
        lambda s: (
            s.ask("1").write("Service", NAME, {"spec": {"selector": {"app": "theirs"}}}, by=USER).select(A)
        ),
    ),
    # I5
    "observedGeneration goes back": (
        "I5",
        lambda s: s.first_version().ask("1").report(observedGeneration=2).report(observedGeneration=1),
    ),
    "observedGeneration is ahead of the spec": (
        "I5",
        lambda s: s.first_version().report(observedGeneration=7),
    ),
    "the status names a revision before the switch": (
        "I5",
        lambda s: s.first_version().second_version_ready().report(activeRevision=B),
    ),
    "the status names a revision long after the switch away from it": (
        "I5",
        lambda s: s.first_version().second_version_ready().switched().report(activeRevision=A, ready="False"),
    ),
    "the status names a version that does not serve": (
        "I5",
        lambda s: s.first_version().second_version_ready().report(activeVersion="2", ready="False"),
    ),
    "Ready is True for the new spec while the old version serves": (
        "I5",
        lambda s: (
            s.first_version().second_version_ready().report(activeRevision=A, activeVersion="1", ready="True")
        ),
    ),
    "Ready is True without a Service": ("I5", lambda s: s.ask("1").report(ready="True")),
    # I11
    "somebody else's Service is changed": (
        "I11",
        lambda s: (
            s.first_version()
            .write("Service", "other", {"spec": {"selector": {"app": "other"}}}, by=USER)
            .wait(5)
            .write("Service", "other", {"spec": {"selector": {"app": "x"}}}, by=TRAFFIC)
        ),
    ),
    "somebody else's Service is labelled as the operator's own": (
        "I4 I11",
        lambda s: (
            s.first_version()
            .write("Service", "other", {"spec": {"selector": {"app": "other"}}}, by=USER)
            .wait(5)
            .write("Service", "other", {"metadata": {"labels": {"slipway.dev/model": NAME}}}, by=OPERATOR)
        ),
    ),
    "somebody else's Deployment is deleted": (
        "I11",
        lambda s: s.write("Deployment", "other", {"spec": {}}, by=USER).delete("Deployment", "other"),
    ),
    "the operator writes to the spec of a model": ("I11", lambda s: s.first_version().ask("1", by=OPERATOR)),
    "the operator makes an object without its labels": (
        "I11",
        lambda s: s.write("PodDisruptionBudget", "stray", {"spec": {}}, by=OPERATOR),
    ),
    # I12
    "the template of a Deployment changes": (
        "I12",
        lambda s: s.first_version().write(
            "Deployment", f"{NAME}-{A}", {"spec": {"template": {"spec": {"image": "new"}}}}, by=OPERATOR
        ),
    ),
    # I13
    "the new version has lost all its pods and the old one is not used": (
        "I13",
        lambda s: (
            s.first_version(bakeSeconds=600)
            .second_version_ready()
            .switched()
            .both(B, 0)
            .wait(40)
            .report(activeRevision=B, ready="False")
        ),
    ),
    # I14
    "a rejected version is given pods again": (
        "I14",
        lambda s: s.first_version().second_version_ready().annotate(B, rejected="{}").scale(B, 0).scale(B, 2),
    ),
    "a rejected version begins a new attempt": (
        "I14",
        lambda s: (
            s.first_version()
            .second_version_ready()
            .annotate(B, rejected="{}")
            .annotate(B, rejected=None, attempt_started_at="again")
        ),
    ),
    "a rejected version loses its rejection": (
        "I14",
        lambda s: (
            s.first_version().second_version_ready().annotate(B, rejected="{}").annotate(B, rejected=None)
        ),
    ),
    "a rejected version is deleted and created again": (
        "I14",
        lambda s: (
            s.first_version()
            .second_version_ready()
            .annotate(B, rejected="{}")
            .delete("Deployment", f"{NAME}-{B}")
            .deploy(B)
        ),
    ),
    "a rejected version gets the traffic": (
        "I14",
        lambda s: s.first_version().second_version_ready().annotate(B, rejected="{}").select(B),
    ),
}


RECORDED = pytest.mark.parametrize(
    "kind", [Story, LateStory], ids=["recorded whole", "recorded from the first version"]
)


@pytest.mark.parametrize("told", GOOD.values(), ids=GOOD.keys())
@RECORDED
def test_nothing_is_found_in(told: Told, kind: type[Story]) -> None:
    story = kind()
    told(story)
    assert [str(v) for v in invariants.check(story.history())] == []


@pytest.mark.parametrize(("broken", "told"), BAD.values(), ids=BAD.keys())
@RECORDED
def test_a_broken_promise_is_found_when(broken: str, told: Told, kind: type[Story]) -> None:
    story = kind()
    told(story)
    assert _broken(story) == set(broken.split())


def test_every_invariant_of_a_history_has_a_case_that_breaks_it() -> None:
    covered = {invariant for broken, _ in BAD.values() for invariant in broken.split()}
    assert covered == {"I1", "I2", "I3", "I4", "I5", "I11", "I12", "I13", "I14"}


@pytest.mark.parametrize(
    ("told", "turns"),
    [
        (lambda s: s.rollout(), [Turn.FORWARD]),
        (lambda s: s.rollout().select(A), [Turn.FORWARD, Turn.FLIP_BACK]),
        (
            lambda s: s.rollout().annotate(A, attempt_started_at="again").select(A),
            [Turn.FORWARD, Turn.FORWARD],
        ),
        (lambda s: s.first_version().select(B, by=USER).select(A), [Turn.HAND, Turn.REPAIR]),
        (lambda s: s.rollout().select(C), [Turn.FORWARD, Turn.FORWARD]),
    ],
    ids=["forward", "back in the same attempt", "back as a new attempt", "by hand and repaired", "onwards"],
)
def test_a_move_of_the_traffic_is_told_by_what_it_is(told: Told, turns: list[Turn]) -> None:
    story = Story()
    told(story)
    assert [switch.turn for switch in switches.of(story.history())] == turns


def test_a_switch_is_confirmed_when_the_slices_hold_the_new_pods_only() -> None:
    story = Story().first_version().second_version_ready()
    story.select(B)
    (open_,) = switches.of(story.history())
    story.traffic(B, 2)
    (confirmed,) = switches.of(story.history())

    assert open_.confirmed_at is None
    assert confirmed.confirmed_at == story.now
    assert (confirmed.origin_ready, confirmed.target_ready, confirmed.latched) == (2, 2, 2)


def test_a_quiet_time_with_a_status_write_is_reported() -> None:
    story = Story().rollout()
    begin = story.now
    story.wait(60)
    quiet = Circumstances(quiet=(QuietWindow(begin, story.now + timedelta(minutes=1)),))
    assert "I10" not in _broken(story, quiet)

    story.report(activeRevision=B, readyReplicas=1)
    assert "I10" in _broken(story, quiet)


def test_a_quiet_time_knows_whose_write_it_was() -> None:
    story = Story().rollout()
    quiet = Circumstances(quiet=(QuietWindow(story.now, story.now + timedelta(minutes=1)),))
    story.wait(10).ready(B, 1).ready(B, 2)
    assert "I10" not in _broken(story, quiet)

    story.delete("Deployment", f"{NAME}-{A}")
    assert "I10" in _broken(story, quiet)


def test_a_write_outside_of_the_quiet_time_or_to_an_exempt_object_is_none() -> None:
    story = Story().rollout()
    window = QuietWindow(story.now + timedelta(minutes=5), story.now + timedelta(minutes=9))
    story.report(readyReplicas=1)
    assert "I10" not in _broken(story, Circumstances(quiet=(window,)))

    story.wait(360).write("Service", "heartbeat", {"metadata": {"labels": labels_of(A)}}, by=OPERATOR)
    heartbeat = frozenset({Key("Service", NAMESPACE, "heartbeat")})
    assert "I10" in _broken(story, Circumstances(quiet=(window,)))
    assert "I10" not in _broken(story, Circumstances(quiet=(window,), exempt=heartbeat))


def test_a_second_write_within_the_same_second_is_still_the_operators() -> None:
    story = Story().rollout().wait(0.1)
    story.now = story.now.replace(microsecond=0)
    begin = story.now
    story.report(readyReplicas=1).report(readyReplicas=2)
    quiet = Circumstances(quiet=(QuietWindow(begin + timedelta(milliseconds=300), story.now),))
    assert "I10" in _broken(story, quiet)


LOGS: dict[str, tuple[bool, str]] = {
    "an empty log": (True, ""),
    "JSON lines of level info and warning": (
        True,
        '{"level": "info"}\n{"level": "warning", "event": "an error"}',
    ),
    "a plain line that speaks of errors": (True, "[INFO    ] no error was found"),
    "an error that the test allows": (True, '{"level": "error", "event": "watch broken by the test"}'),
    "a JSON line of level error": (False, '{"level": "error", "event": "x"}'),
    "a JSON line with an exception": (False, '{"level": "info", "exception": "Traceback…"}'),
    "a plain traceback": (False, "Traceback (most recent call last):"),
    "kopf's plain error line": (False, "[2026-03-01 12:00:00] kopf.objects [ERROR   ] it failed"),
    "logging's plain error line": (False, "ERROR:asyncio:Task exception was never retrieved"),
    "a coroutine that was never awaited": (False, "RuntimeWarning: coroutine 'x' was never awaited"),
}


@pytest.mark.parametrize(("clean", "log"), LOGS.values(), ids=LOGS.keys())
def test_the_operators_log_is_judged(clean: bool, log: str) -> None:  # noqa: FBT001
    told = Circumstances(log=log, allowed_errors=("broken by the test",))
    assert ("I9" not in _broken(Story(), told)) is clean


def test_at_rest_the_status_must_have_followed_the_selector() -> None:
    behind = Story().first_version().second_version_ready().select(B).traffic(B, 2).wait(60)
    settled = Story().rollout()

    assert "I5" not in _broken(behind)
    assert "I5" in _broken(behind, Circumstances(at_rest=True))
    assert "I5" not in _broken(settled, Circumstances(at_rest=True))


def test_with_the_operators_hash_specs_of_one_version_are_told_apart() -> None:
    story = Story().first_version()
    lying = Circumstances(revision_of=lambda _: B)
    honest = Circumstances(revision_of=lambda spec: A if '"version": "1"' in spec else B)

    assert "I5" in _broken(story, lying)
    assert "I5" not in _broken(story, honest)


def test_what_a_test_does_by_hand_is_excused_and_nothing_else() -> None:
    story = Story().first_version().scale(A, 1, by=USER)
    live = Key("Deployment", NAMESPACE, f"{NAME}-{A}")
    other = Key("Deployment", NAMESPACE, f"{NAME}-{B}")

    assert "I2" in _broken(story, Circumstances(excused=(invariants.excuse("I2", other),)))
    assert _broken(story, Circumstances(excused=(invariants.excuse("I2", live),))) == set()


def test_a_deletion_that_the_test_names_is_no_violation() -> None:
    story = Story().write("Deployment", "other", {"spec": {}}, by=USER).delete("Deployment", "other")
    named = frozenset({Key("Deployment", NAMESPACE, "other")})
    assert _broken(story, Circumstances(deletions=named)) == set()
