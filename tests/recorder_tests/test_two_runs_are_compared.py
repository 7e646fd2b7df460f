"""I7 and I8: equal runs compare as equal whatever differs by nature, and each real difference is named."""

from tests.recorder import endstate
from tests.recorder.journal import Line
from tests.recorder_tests.story import BEGIN, CONTROLLER, NAME, USER, A, B, C, JsonObject, Story, labels_of


def _pod(name: str, uid: str, address: str) -> tuple[str, JsonObject]:
    return name, {"metadata": {"uid": uid, "labels": labels_of(B)}, "status": {"podIP": address}}


def _with_pods(story: Story, letters: str) -> Story:
    for number, letter in enumerate(letters):
        name, body = _pod(f"{NAME}-{B}-7d4b9c-{letter * 5}", f"{letter}-{number}", f"10.1.0.{number}")
        story.write("Pod", name, body, by="kubelet")
    return story


def test_names_times_and_addresses_differ_by_nature() -> None:
    one = _with_pods(Story().rollout(), "xy")
    other = _with_pods(Story().wait(3600).rollout(), "zw")

    assert endstate.end_state(one.history()).differences(endstate.end_state(other.history())) == frozenset()


def test_random_letters_of_names_and_the_text_that_kubectl_keeps_differ_by_nature() -> None:
    def run(letters: str) -> endstate.EndState:
        applied = {"kubectl.kubernetes.io/last-applied-configuration": f"in namespace {letters}"}
        story = (
            Story().rollout().write("InferenceModel", NAME, {"metadata": {"annotations": applied}}, by=USER)
        )
        story.write(
            "EndpointSlice", f"{NAME}-{letters}", {"metadata": {"labels": labels_of(A)}}, by=CONTROLLER
        )
        return endstate.end_state(story.history())

    assert run("m5c8d").differences(run("q9k7w")) == frozenset()


def test_how_fast_the_machine_answered_differs_by_nature() -> None:
    def run(*, reason: str = "", slower: str | None = None) -> endstate.EndState:
        version = {"revision": A} | ({"reason": reason} if reason else {})
        story = Story().rollout().report(versions=[version])
        return endstate.end_state(story.annotate(A, slower=slower).history())

    slow = run(reason="SlowerAfterSwitch", slower="version 1 takes 26.2 ms an answer")
    assert run().differences(slow) == frozenset()
    assert run().differences(run(reason="ModelNotFound"))


def test_what_was_left_behind_is_named() -> None:
    reference = endstate.end_state(Story().rollout().history())
    leaked = Story().rollout().deploy(C, replicas=1)
    sentences = [
        v.sentence for v in endstate.same_end(reference, endstate.end_state(leaked.history()), at=BEGIN)
    ]
    assert any(f"Deployment {NAME}-{C}" in sentence for sentence in sentences)


def test_another_number_of_replicas_is_a_difference() -> None:
    reference = endstate.end_state(Story().rollout().history())
    other = endstate.end_state(Story().rollout().scale(A, 1).history())
    (violation,) = endstate.same_end(reference, other, at=BEGIN)
    assert violation.sentence == f"Deployment {NAME}-{A}/spec/replicas ended as 1, and without faults as 0"


def test_what_two_references_differ_in_is_ignored() -> None:
    one = endstate.end_state(Story().rollout().annotate(A, note="x").history())
    two = endstate.end_state(Story().rollout().annotate(A, note="y").history())
    run = endstate.end_state(Story().rollout().annotate(A, note="z").history())

    assert list(endstate.same_end(one, run, at=BEGIN))
    assert list(endstate.same_end(one, run, ignored=one.differences(two), at=BEGIN)) == []


def test_a_pod_too_many_is_a_difference() -> None:
    two = endstate.end_state(_with_pods(Story().rollout(), "xy").history())
    three = endstate.end_state(_with_pods(Story().rollout(), "xyz").history())
    assert two.differences(three)


def test_objects_of_other_people_are_not_compared() -> None:
    story = Story().rollout().write("Service", "other", {"spec": {}}, by="kubectl")
    state = endstate.end_state(story.history())
    assert not any("other" in path for path in state.values)


def test_each_object_is_counted_by_how_often_it_was_made_and_removed() -> None:
    reference = endstate.lifecycles(Story().rollout().history())
    again = Story().rollout().delete("Deployment", f"{NAME}-{A}").deploy(A)
    run = endstate.lifecycles(again.history())

    assert reference[f"Deployment {NAME}-{A}", Line.ADDED] == 1
    assert list(endstate.no_more_often(reference, reference, at=BEGIN)) == []
    assert [v.sentence for v in endstate.no_more_often(reference, run, at=BEGIN)] == [
        f"Deployment {NAME}-{A} was created 2 times, and 1 times without faults",
        f"Deployment {NAME}-{A} was deleted 1 times, and 0 times without faults",
    ]
