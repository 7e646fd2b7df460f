"""The printed columns against synthetic histories: what was true within the tolerance passes, no more."""

from datetime import datetime, timedelta

import pytest

from slipway_operator.api.reasons import RolloutStep
from tests.recorder import columns
from tests.recorder.columns import Sample, Sampler
from tests.recorder.metadata import Key
from tests.recorder_tests.story import BEGIN, NAME, NAMESPACE, USER, A, B, C, Story

KEY = Key("InferenceModel", NAMESPACE, NAME)
SERVING_1 = {
    "VERSION": "1",
    "ACTIVE": "1",
    "TARGET": "1",
    "READY": "True",
    "REPLICAS": "2",
    "STEP": "Complete",
}
WAITING = SERVING_1 | {"VERSION": "2", "TARGET": "2", "READY": "False", "STEP": "WaitingForReadyPods"}
SERVING_2 = {"VERSION": "2", "ACTIVE": "2", "TARGET": "2", "READY": "True", "REPLICAS": "2"}
WARM = SERVING_2 | {"STEP": "KeepingWarm"}
DONE = SERVING_2 | {"STEP": "Complete"}

TABLE = """\
NAME        VERSION   ACTIVE   TARGET   READY   REPLICAS   STEP                  AGE
sentiment   2         1                 False   2          WaitingForReadyPods   12s
other       1.0       1.0      1.0      True               Complete              3d
"""


def _found(story: Story, row: dict[str, str], at: datetime) -> list[str]:
    sample = Sample(at, at, row)
    return [v.sentence.split()[0] for v in columns.check([sample], story.history(), KEY)]


def test_empty_cells_are_read_by_their_place() -> None:
    first, second = columns.parse(TABLE)
    assert (first["ACTIVE"], first["TARGET"], first["STEP"]) == ("1", "", "WaitingForReadyPods")
    assert (second["REPLICAS"], second["STEP"], second["AGE"]) == ("", "Complete", "3d")


def test_a_table_without_rows_has_none() -> None:
    assert columns.parse("") == []
    assert columns.parse("NAME   VERSION\n") == []


def test_a_whole_rollout_is_printed_as_it_was() -> None:
    story = Story().first_version()
    points = [(story.now, SERVING_1)]
    story.second_version_ready()
    points.append((story.now - timedelta(seconds=5), WAITING))
    story.switched()
    points.append((story.now, WARM))
    story.old_version_leaves()
    points.append((story.now, DONE))

    samples = [Sample(at, at, row) for at, row in points]
    assert list(columns.check(samples, story.history(), KEY)) == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("VERSION", "1"),
        ("ACTIVE", "1"),
        ("ACTIVE", ""),
        ("TARGET", "3"),
        ("REPLICAS", "1"),
        ("STEP", "WaitingForReadyPods"),
        ("STEP", "Complete"),
        ("STEP", "Rejected"),
        ("STEP", "Hibernated"),
        ("STEP", "Blocked"),
        ("STEP", "Dreaming"),
        ("STEP", ""),
    ],
    ids=lambda text: text or "nothing",
)
def test_a_false_cell_is_reported_by_its_name(cell: str, text: str) -> None:
    story = Story().first_version().second_version_ready().switched()
    assert _found(story, WARM, story.now) == []
    assert _found(story, WARM | {cell: text}, story.now) == [cell]


def test_ready_may_not_be_printed_before_the_new_version_serves() -> None:
    story = Story().first_version().second_version_ready()
    assert _found(story, WAITING | {"READY": "True", "STEP": "Switching"}, story.now) == ["READY"]


def test_a_step_that_switches_before_the_pods_are_ready_is_false() -> None:
    story = Story().first_version().ask("2").deploy(B).ready(B, 1).wait(10)
    assert _found(story, WAITING, story.now) == []
    assert _found(story, WAITING | {"STEP": "Switching"}, story.now) == ["STEP"]


def test_a_cell_may_be_as_old_as_the_tolerance_and_no_older() -> None:
    story = Story().first_version().second_version_ready()
    moved = story.now
    story.switched()

    assert _found(story, WAITING | {"STEP": "Switching"}, moved + timedelta(seconds=1.9)) == []
    assert "ACTIVE" in _found(story, WAITING | {"STEP": "Switching"}, moved + timedelta(seconds=9))


def test_before_there_is_a_model_nothing_is_known_and_nothing_is_judged() -> None:
    story = Story().wait(60).first_version()
    assert _found(story, DONE, BEGIN + timedelta(seconds=10)) == []


def test_a_first_version_that_comes_up_need_not_be_called_active() -> None:
    story = Story().ask("1").deploy(A).select(A).wait(9)
    coming = SERVING_1 | {"ACTIVE": "", "READY": "False", "REPLICAS": "0", "STEP": "WaitingForReadyPods"}
    assert _found(story, coming, story.now) == []
    story.both(A, 2).wait(9)
    assert _found(story, coming, story.now) == ["ACTIVE", "REPLICAS", "STEP"]


def test_pods_that_a_lent_service_still_leads_to_are_not_the_models() -> None:
    lent = {
        "metadata": {"annotations": {"slipway.dev/adopt": "true"}},
        "spec": {"selector": {"app": "other"}},
    }
    story = Story().ask("1").write("Service", NAME, lent, by=USER).traffic(C, 2).deploy(A).wait(10)
    coming = SERVING_1 | {"ACTIVE": "", "READY": "False", "REPLICAS": "0", "STEP": "WaitingForReadyPods"}
    assert _found(story, coming, story.now) == []
    assert _found(story, coming | {"REPLICAS": "2"}, story.now) == ["REPLICAS"]


def test_two_revisions_of_one_version_are_told_apart_by_their_attempts() -> None:
    story = Story().first_version()
    story.ask("1").deploy(B, metadata={"labels": {"slipway.dev/version": "1"}}).wait(9)
    assert _found(story, SERVING_1 | {"STEP": "WaitingForReadyPods", "READY": "False"}, story.now) == []
    assert _found(story, SERVING_1 | {"STEP": "KeepingWarm"}, story.now) == ["READY", "STEP"]
    story.ready(B, 2).select(B).wait(9)
    assert _found(story, SERVING_1 | {"STEP": "KeepingWarm"}, story.now) == []


def test_a_column_that_is_missing_is_reported() -> None:
    story = Story().first_version()
    row = {name: cell for name, cell in SERVING_1.items() if name != "STEP"}
    sample = Sample(story.now, story.now, row)
    (violation,) = columns.check([sample], story.history(), KEY)
    assert violation.sentence == "kubectl printed no column STEP"


def test_a_kubectl_that_fails_is_a_violation_and_not_an_end_of_sampling() -> None:
    def kubectl(*arguments: str) -> str:
        raise RuntimeError(f"no answer to {arguments[0]}")

    with Sampler(kubectl, namespace=NAMESPACE, name=NAME, interval=0.01) as sampler:
        pass
    (violation, *_) = columns.check(sampler.samples, Story().history(), KEY)
    assert violation.sentence == "the columns could not be printed: no answer to get"


def test_a_rejected_version_is_printed_as_rejected_while_the_old_one_serves() -> None:
    story = Story().first_version().second_version_ready().annotate(B, rejected="{}").scale(B, 0).wait(9)
    rejected = WAITING | {"STEP": "Rejected"}
    assert _found(story, rejected, story.now) == []
    assert _found(story, rejected | {"ACTIVE": "2"}, story.now) == ["ACTIVE"]


def test_a_version_that_waits_for_its_turn_has_no_pods_yet() -> None:
    story = Story().first_version().ask("2").wait(10)
    queued = WAITING | {"STEP": "Queued"}
    assert _found(story, queued, story.now) == []
    story.deploy(B).wait(10)
    assert _found(story, queued, story.now) == ["STEP"]


def test_every_step_is_known() -> None:
    assert set(columns.STEPS) == {"", *RolloutStep}


def test_a_hibernated_model_is_printed_with_no_ready_pods() -> None:
    story = Story().first_version().ask("1", replicas=0).scale(A, 0).both(A, 0).wait(9)
    asleep = SERVING_1 | {"REPLICAS": "0", "STEP": "Hibernated", "READY": "False"}
    assert _found(story, asleep, story.now) == []
    assert _found(story, asleep | {"REPLICAS": ""}, story.now) == []
