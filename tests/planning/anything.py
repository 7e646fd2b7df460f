"""Observations that no sane cluster shows: hypothesis draws every field on its own."""

from __future__ import annotations

import dataclasses
import datetime

from hypothesis import strategies as st

from slipway_operator.api import reasons
from slipway_operator.domain import fleet, observed, resolution, target, unowned
from tests.planning import world

NAMES = ("a", "b", "c", "d")
NAME = st.sampled_from(NAMES)
COUNT = st.integers(0, 4)
MOMENT = st.integers(-7200, 7200).map(lambda seconds: world.START + datetime.timedelta(seconds=seconds))
REASON = st.sampled_from(reasons.ConditionReason)
TOKEN = st.sampled_from(["", "again"])

PROBLEM = st.builds(
    observed.Problem,
    reason=REASON,
    message=st.just("it does not work"),
    object=st.just("Pod x"),
    severity=st.sampled_from(observed.Severity),
)
SYMPTOM = st.builds(
    observed.Symptom, fault=st.sampled_from(observed.Fault), at=MOMENT, message=st.just("Pod x failed")
)
VERDICT = st.builds(
    observed.Verdict,
    reason=REASON,
    message=st.just("it did not work"),
    at=MOMENT,
    retry_token=TOKEN,
    attempts=st.integers(0, 40),
)
UID = st.sampled_from([f"{name}-{n}" for name in NAMES for n in range(3)])
READY = st.lists(st.builds(observed.ReadyPod, uid=UID, since=MOMENT), max_size=3).map(tuple)
UIDS = st.frozensets(UID, max_size=4)
SWITCH = st.builds(observed.Switch, origin=st.none() | NAME, to=NAME, at=MOMENT, back=st.booleans())
SERVICE = st.builds(
    observed.TrafficService,
    revision=st.none() | NAME,
    resource_version=st.just("7"),
    switch=st.none() | SWITCH,
    ready=UIDS,
    foreign=UIDS,
    lent=st.booleans(),
    marked=st.booleans(),
    spoilt=st.booleans(),
).map(
    lambda service: dataclasses.replace(service, wide=service.revision is None and service.switch is not None)
)
PREVIEW = st.builds(observed.PreviewService, revision=st.none() | NAME, resource_version=st.just("3"))
FOREIGN = st.builds(
    observed.Foreign,
    kind=st.just("Service"),
    name=st.just("sentiment"),
    owner=st.just("somebody else"),
    child=st.sampled_from(observed.Child),
    revision=NAME,
).map(lambda found: found if "revision" in found.child.value else dataclasses.replace(found, revision=""))


@st.composite
def _revisions(draw: st.DrawFn) -> tuple[observed.Revision, ...]:
    names = draw(st.lists(NAME, unique=True, max_size=4))
    return tuple(draw(_revision(name)) for name in names)


def _revision(name: str) -> st.SearchStrategy[observed.Revision]:
    return st.builds(
        observed.Revision,
        id=st.just(name),
        version=st.just(name),
        desired=COUNT,
        pods=COUNT,
        ready=READY,
        has_service=st.booleans(),
        attempt_started_at=MOMENT,
        attempt_number=COUNT,
        latched=COUNT,
        beside=st.none() | COUNT,
        promoted_at=st.none() | MOMENT,
        rejected=st.none() | VERDICT,
        released=st.none() | VERDICT,
        problems=st.lists(PROBLEM, max_size=2).map(tuple),
        symptoms=st.lists(SYMPTOM, max_size=2).map(tuple),
        answers=st.none() | st.builds(observed.Answers, failed=st.integers(0, 40), total=st.integers(0, 100)),
        answers_lately=st.none()
        | st.builds(observed.Answers, failed=st.integers(0, 40), total=st.integers(0, 100)),
        pace=st.builds(observed.Pace, answers=st.integers(0, 40), seconds=st.sampled_from([0.0, 0.1, 9.0])),
        slower=st.sampled_from(["", "it is slow"]),
        short_since=st.none() | MOMENT,
        has_budget=st.booleans(),
        spoilt_service=st.booleans(),
        spoilt_budget=st.booleans(),
        edited_by=st.sampled_from(["", "kubectl-edit"]),
    )


RESOLVER = st.builds(
    observed.Resolver,
    name=st.just("a-resolver-1"),
    revision=NAME,
    number=st.integers(1, 4),
    attempt=COUNT,
    retry_token=TOKEN,
    made_at=MOMENT,
    ended_at=st.none() | MOMENT,
    source=st.none() | st.just(resolution.Resolved("s3://models/a")),
    problem=st.none() | PROBLEM,
    leaving=st.booleans(),
)
OBSERVED = st.builds(
    observed.Observed,
    service=st.none() | SERVICE,
    revisions=_revisions(),
    foreign=st.lists(FOREIGN, max_size=2).map(tuple),
    preview=st.none() | PREVIEW,
    watched_since=st.none() | MOMENT,
    turn=st.none() | st.just(fleet.Place(2, ("default/b",), ("default/a",))),
    access=st.sampled_from(observed.Access),
    resolvers=st.lists(RESOLVER, max_size=2).map(tuple),
    unowned=st.sampled_from([(), (), (), (unowned.Unowned("Deployment", "sentiment-a"),)]),
    elsewhere=st.none() | SERVICE,
)
TARGET = st.builds(
    target.Target,
    revision=NAME,
    version=st.just("v"),
    replicas=COUNT,
    strategy=st.sampled_from(target.Strategy),
    max_surge=COUNT,
    max_unavailable=COUNT,
    allow_downtime=st.booleans(),
    progress_deadline=st.sampled_from([1, 60, 600, 86_400]),
    min_ready=st.sampled_from([0, 5, 3600]),
    bake=st.sampled_from([0, 60, 86_400]),
    keep_warm=st.sampled_from([0, 60, 86_400]),
    history_limit=COUNT,
    retry_token=TOKEN,
    paused=st.booleans(),
    manual=st.booleans(),
    approved=NAME,
    hands_off=st.booleans(),
    restricted=st.booleans(),
    obstacle=st.none()
    | st.just(target.Obstacle(reasons.ConditionReason.IMAGE_NOT_ALLOWED, "the image is not on the list")),
)
