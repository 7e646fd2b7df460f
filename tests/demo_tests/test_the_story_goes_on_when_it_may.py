"""When a step of the story is over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.demo import story
from tests.demo.snapshot import Facts, PodState
from tests.demo_tests.scenes import model, pod, traffic

BOTH = traffic({"1": 5}, {"1": 4, "2": 1})
ONLY_2 = traffic({"1": 5}, {"2": 5}, {"2": 5})
ON_2 = model(active="2", version="2")

CASES = [
    ("nothing is there", story.is_empty, Facts(), True),
    ("a pod still drains", story.is_empty, Facts(pods=(pod("1", PodState.DRAINING),)), False),
    ("the version is active and ready", story.takes("1"), Facts(model()), True),
    ("another version is active", story.takes("2"), Facts(model(version="2")), False),
    ("the operator has not seen the spec", story.takes("1"), Facts(model(observed=False)), False),
    ("it is active, and not ready", story.takes("1"), Facts(model(ready=False)), False),
    ("clients see the new version", story.answers("2"), Facts(ON_2, traffic=BOTH), True),
    ("clients see only the old one", story.answers("2"), Facts(ON_2, traffic=traffic({"1": 5})), False),
    ("only one version is left", story.is_alone("2"), Facts(ON_2, (pod("2"),), ONLY_2), True),
    ("both versions answer", story.is_alone("2"), Facts(ON_2, (pod("2"),), BOTH), False),
    (
        "a pod of the old version drains",
        story.is_alone("2"),
        Facts(ON_2, (pod("1", PodState.DRAINING), pod("2")), ONLY_2),
        False,
    ),
    ("there is no pod at all", story.is_alone("2"), Facts(ON_2, (), ONLY_2), False),
    ("no client has begun", story.has_begun, Facts(), False),
    ("too few requests", story.has_sent(20), Facts(traffic=ONLY_2), False),
    ("enough requests", story.has_sent(15), Facts(traffic=ONLY_2), True),
]


@pytest.mark.parametrize(
    ("condition", "facts", "over"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_a_step_is_over(condition: story.Condition, facts: Facts, *, over: bool) -> None:
    assert condition(facts) is over


def test_the_story_goes_to_the_second_version_and_back_under_requests() -> None:
    actions = [step.action for step in story.story("1", "2")]
    assert [action for action in actions if isinstance(action, story.Apply)] == [
        story.Apply("1"),
        story.Apply("2"),
        story.Apply("1"),
    ]
    assert actions.index(story.StartTraffic()) < actions.index(story.Apply("2"))
    assert actions[-1] == story.StopTraffic()


@pytest.mark.parametrize("step", ["Rejected", "Stopped"])
def test_a_rollout_that_the_operator_gave_up_is_not_waited_for(step: str) -> None:
    assert not story.is_hopeless(Facts(model()))
    assert story.is_hopeless(Facts(replace(model(), step=step)))
