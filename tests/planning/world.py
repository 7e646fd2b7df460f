"""A cluster in miniature, as far as one model is concerned.

It holds the API's objects, and it plays everybody but the operator: users, the Deployment controller, the
kubelet, the EndpointSlice controller, and people with kubectl. EndpointSlices lag: they show what was true
when they last caught up. It knows nothing of what is planned.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Any

from slipway_operator.domain import observed, resolution, target, unowned
from tests.planning import versions

BAKE = 40
START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def seconds(count: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=count)


class Phase(enum.Enum):
    STARTING = "starting"
    READY = "ready"
    FAILING = "failing"
    LEAVING = "leaving"


UNREADY = (Phase.STARTING, Phase.FAILING)


@dataclasses.dataclass(slots=True)
class Pod:
    uid: str
    revision: str
    since: datetime.datetime
    phase: Phase = Phase.STARTING
    problem: observed.Problem | None = None
    symptoms: dict[observed.Fault, observed.Symptom] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Deployment:
    """A revision's Deployment with its annotations, and whether its own Service exists."""

    revision: str
    desired: int
    attempt_started_at: datetime.datetime
    latched: int
    beside: int | None = None
    attempt_number: int = 1
    has_service: bool = False
    promoted_at: datetime.datetime | None = None
    rejected: observed.Verdict | None = None
    released: observed.Verdict | None = None
    answers: observed.Answers | None = None
    pace: observed.Pace = dataclasses.field(default_factory=observed.Pace)
    slower: str = ""
    has_budget: bool = False
    spoilt_budget: bool = False
    refused_since: datetime.datetime | None = None  # a pod, by the quota


@dataclasses.dataclass(slots=True)
class ResolverPod:
    """It runs until it has found what the source leads to, or says why not; one that hangs never does."""

    name: str
    revision: str
    number: int
    attempt: int
    retry_token: str
    made_at: datetime.datetime
    ended_at: datetime.datetime | None = None
    source: resolution.Resolved | None = None
    problem: observed.Problem | None = None
    leaving: bool = False


@dataclasses.dataclass(slots=True)
class StableService:
    revision: str | None
    resource_version: int
    switch: observed.Switch | None = None
    wide: bool = False
    lent: bool = False
    marked: bool = False


class World:
    """Everything that exists. The methods are events: each leaves a state that a cluster could be in."""

    def __init__(self, *, version: str = "v1", replicas: int = 1, history_limit: int = 2) -> None:
        self.now = START
        self.asked = target.Target(version, version, replicas, bake=BAKE, history_limit=history_limit)
        self.watched_since = START
        self.deployments: dict[str, Deployment] = {}
        self.pods: dict[str, Pod] = {}
        self.service: StableService | None = None
        self.preview: observed.PreviewService | None = None
        self.access = observed.Access.ABSENT
        self.owners_pods: frozenset[str] = frozenset()
        self._own_slices: dict[str, frozenset[str]] = {}
        self._stable_slices: frozenset[str] = frozenset()
        self._counter = 0
        self.resolvers: dict[str, ResolverPod] = {}
        self.resolvers_take_time = False  # else each ends in the moment in which it is made
        self.others_come_first = False  # as many rollouts of other models are under way as may be
        self.controllers_lag = False  # pods are made only when `pods_are_made` says so
        self.quota: int | None = None  # pods that may exist
        self.spoilt: set[str] = set()  # revisions whose Service somebody has edited; "" is the stable one
        self.unowned: set[tuple[str, str]] = set()  # children by kind and name, which have lost their owner
        self.moved_by_hand = 0  # how often somebody but the operator has decided where requests go

    # -- what the users do --

    def somebody_lends_a_service(self, pods: frozenset[str]) -> None:
        """It leads to his pods until its selector is moved for the first time."""
        self.service = StableService(None, self._next(), lent=True)
        self.owners_pods = pods
        self.slices_catch_up()

    def user_asks_for(self, version: str) -> None:
        self.asked = dataclasses.replace(self.asked, revision=version, version=version)

    def user_wants_replicas(self, replicas: int) -> None:
        self.asked = dataclasses.replace(self.asked, replicas=replicas)

    def user_pauses(self, *, paused: bool) -> None:
        self.asked = dataclasses.replace(self.asked, paused=paused)

    def user_wants_the_last_word(self, *, manual: bool) -> None:
        self.asked = dataclasses.replace(self.asked, manual=manual)

    def user_promotes(self) -> None:
        self.asked = dataclasses.replace(self.asked, approved=self.asked.revision)

    def user_chooses(self, strategy: target.Strategy, **rules: Any) -> None:
        self.asked = dataclasses.replace(self.asked, strategy=strategy, **rules)

    def user_wants_a_retry(self) -> None:
        self.asked = dataclasses.replace(self.asked, retry_token=f"token-{self._next()}")

    def administrator_restricts_access(self, *, restricted: bool) -> None:
        self.asked = dataclasses.replace(self.asked, restricted=restricted)
        if self.access is not observed.Access.ABSENT:
            self.access = observed.Access.OUTDATED

    # -- what the cluster does --

    def time_passes(self, seconds: float) -> None:
        self.now += datetime.timedelta(seconds=seconds)

    def slices_catch_up(self) -> None:
        self._stable_slices = self._lent_out() | frozenset(
            pod.uid for pod in self.pods.values() if pod.phase is Phase.READY and self._is_selected(pod)
        )
        self._own_slices = {
            revision: frozenset(pod.uid for pod in self._ready(revision))
            for revision, deployment in self.deployments.items()
            if deployment.has_service
        }

    def _lent_out(self) -> frozenset[str]:
        """What the Service leads to before its first move."""
        service = self.service
        first = service is not None and service.lent and service.switch is None and service.revision is None
        return self.owners_pods if first else frozenset()

    def _is_selected(self, pod: Pod) -> bool:
        return self.service is not None and (self.service.wide or self.service.revision == pod.revision)

    def pods_are_made(self) -> None:
        """What the Deployments lack, as far as the quota allows."""
        for revision in self.deployments:
            self._make_pods(revision)

    def pod_starts(self, uid: str) -> None:
        """A pod comes up, or comes up again, and ends as its version's nature has it."""
        pod = self.pods[uid]
        if versions.is_good(pod.revision):
            self._becomes(pod, Phase.READY, None)
            pod.symptoms.pop(observed.Fault.UNREADY, None)
        else:
            self._becomes(pod, Phase.FAILING, versions.finding(pod.revision, uid))

    def pod_crashes(self, uid: str, severity: observed.Severity) -> None:
        self._becomes(self.pods[uid], Phase.FAILING, versions.crash(uid, severity))
        self._shows(uid, observed.Fault.CRASHED)

    def pods_find_no_room(self, revision: str) -> None:
        for pod in self.standing(revision):
            if pod.phase is Phase.STARTING:
                self._becomes(pod, Phase.FAILING, versions.no_room(pod.uid))

    def pod_ceases_to_be_ready(self, uid: str) -> None:
        self._becomes(self.pods[uid], Phase.FAILING, None)
        self._shows(uid, observed.Fault.UNREADY)

    def pods_answer(self, revision: str, *, failed: int, total: int) -> None:
        """As the pods of a revision count it."""
        self.deployments[revision].answers = observed.Answers(failed, total)

    def pods_take(self, revision: str, seconds: float) -> None:
        """For each of a hundred answers."""
        self.deployments[revision].pace = observed.Pace(100, 100 * seconds)

    def node_is_lost(self, number: int) -> None:
        """Every second pod ceases to be ready, and that is no fault of its own."""
        for pod in list(self.pods.values())[number::2]:
            if pod.phase is Phase.READY:
                self._becomes(pod, Phase.FAILING, None)

    def pod_is_gone(self, uid: str) -> None:
        """Evicted, drained, or lost with its node: its Deployment makes another."""
        revision = self.pods.pop(uid).revision
        self._notice(revision)

    def resolver_ends(self, name: str) -> None:
        """As its version's nature has it."""
        pod = self.resolvers[name]
        if pod.ended_at is None and not pod.leaving:
            pod.ended_at, pod.problem = self.now, versions.source_problem(pod.revision, name)
            digest = "0123456789abcdef" * 4
            found = resolution.Resolved(f"s3://models/{pod.revision}", digest)
            pod.source = found if pod.problem is None else None

    def resolver_is_cut_off(self, name: str) -> None:
        """Evicted, or killed: it ends and has said nothing."""
        pod = self.resolvers[name]
        if pod.ended_at is None:
            pod.ended_at, pod.problem = self.now, versions.cut_off(name)

    def resolver_hangs(self, name: str) -> None:
        """Its Secret is not there: the kubelet waits for it."""
        pod = self.resolvers[name]
        if pod.ended_at is None:
            pod.problem = versions.no_secret(name)

    def resolver_is_gone(self, name: str) -> None:
        """By the operator's hand, by somebody else's, or with its node."""
        del self.resolvers[name]

    def settles(self) -> bool:
        """What is under way comes to its end: first pods start and slices catch up, then leaving pods end.

        Whether anything changed by it.
        """
        before = self.as_seen()
        self.pods_are_made()
        for pod in self.pods.values():
            if pod.phase in UNREADY:
                self.pod_starts(pod.uid)
        for name in self.resolvers:
            self.resolver_ends(name)
        self.slices_catch_up()
        if self.as_seen() != before:
            return True
        self.pods = {uid: pod for uid, pod in self.pods.items() if pod.phase is not Phase.LEAVING}
        self.resolvers = {name: pod for name, pod in self.resolvers.items() if not pod.leaving}
        return self.as_seen() != before

    # -- what people do with kubectl --

    def model_is_made_anew_without_its_children(self, *, from_a_backup: bool) -> None:
        """They are still there, and nobody's: what a Deployment owns only after a restore, with new uids."""
        owned_by_a_deployment = ("Service of", "PodDisruptionBudget")
        lost = {c for c in self.children() if from_a_backup or c[0] not in owned_by_a_deployment}
        self.unowned |= lost
        if self.service is not None and ("Service", "stable") in lost:
            self.service.resource_version = self._next()
        if self.preview is not None:
            self.preview = dataclasses.replace(self.preview, resource_version=str(self._next()))

    def children(self) -> set[tuple[str, str]]:
        """All that has an owner: a Service that is lent has none."""
        found = {("Deployment", revision) for revision in self.deployments}
        found |= {("Service of", d.revision) for d in self.deployments.values() if d.has_service}
        found |= {("PodDisruptionBudget", d.revision) for d in self.deployments.values() if d.has_budget}
        if self.service is not None and not self.service.lent:
            found.add(("Service", "stable"))
        if self.preview is not None:
            found.add(("Service", "preview"))
        if self.access is not observed.Access.ABSENT:
            found.add(("NetworkPolicy", "runtime"))
        return found

    def take_over(self, kind: str, name: str) -> None:
        self.unowned.remove((kind, name))
        if self.service is not None and name == "stable":
            self.service.resource_version = self._next()

    def service_is_deleted(self) -> None:
        self.service = None
        self.spoilt.discard("")
        self.moved_by_hand += 1

    def selector_is_edited(self, revision: str | None) -> None:
        if self.service is not None:
            self.service.revision, self.service.wide = revision, False
            self.service.resource_version = self._next()
            self.moved_by_hand += 1

    def deployment_is_deleted(self, revision: str) -> None:
        """By hand or by the operator. Its own Service and its pods follow, the pods by draining."""
        del self.deployments[revision]
        self.spoilt.discard(revision)
        for pod in self.standing(revision):
            self._becomes(pod, Phase.LEAVING, None)

    def budget_is_deleted(self, revision: str) -> None:
        self.deployments[revision].has_budget = False

    def budget_is_edited(self, revision: str) -> None:
        self.deployments[revision].spoilt_budget = self.deployments[revision].has_budget

    def service_is_edited(self, revision: str) -> None:
        """Its labels or ports; "" is the stable one."""
        self.spoilt.add(revision)

    def own_service_is_deleted(self, revision: str) -> None:
        self.spoilt.discard(revision)
        self.deployments[revision].has_service = False

    # -- what the operator writes; the rules of its writes are `executor`'s --

    def create_resolver(self, revision: str, number: int, attempt: int) -> None:
        name = resolver_name(revision, number)
        token = self.asked.retry_token
        self.resolvers[name] = ResolverPod(name, revision, number, attempt, token, self.now)
        if not self.resolvers_take_time:
            self.resolver_ends(name)

    def delete_resolver(self, name: str) -> None:
        """One that has ended is gone at once, one that runs is told to end."""
        if self.resolvers[name].ended_at is not None:
            self.resolver_is_gone(name)
        else:
            self.resolvers[name].leaving = True

    def create_deployment(
        self, revision: str, replicas: int, at: datetime.datetime, beside: int | None
    ) -> None:
        self.deployments[revision] = Deployment(revision, replicas, at, replicas, beside=beside)
        self._notice(revision)

    def create_service(self, revision: str) -> None:
        self.service = StableService(revision, self._next())

    def move_selector(self, switch: observed.Switch) -> None:
        assert self.service is not None
        self.service.wide = switch.to == observed.EVERY_POD
        self.service.revision = None if self.service.wide else switch.to
        self.service.switch = switch
        self.service.resource_version = self._next()

    def mark_service(self) -> None:
        assert self.service is not None
        self.service.marked = True
        self.service.resource_version = self._next()

    def point_preview(self, to: str) -> None:
        """Creates it, too."""
        self.preview = observed.PreviewService(to, str(self._next()))

    def scale(self, revision: str, replicas: int) -> None:
        """The Deployment controller takes pods that are not ready first."""
        self.deployments[revision].desired = replicas
        if replicas == 0:
            self.deployments[revision].answers = None
            self.deployments[revision].pace = observed.Pace()
        by_worth = sorted(self.standing(revision), key=lambda pod: pod.phase is Phase.READY, reverse=True)
        for pod in by_worth[replicas:]:
            self._becomes(pod, Phase.LEAVING, None)
        self._notice(revision)

    # -- what can be seen --

    def standing(self, revision: str | None) -> list[Pod]:
        """The pods of a revision that are not ending."""
        return [p for p in self.pods.values() if p.revision == revision and p.phase is not Phase.LEAVING]

    def answering(self) -> frozenset[str]:
        """The pods that get requests and can answer them: a pod that is ending still drains."""
        able = {uid for uid, pod in self.pods.items() if pod.phase in (Phase.READY, Phase.LEAVING)}
        return self._stable_slices & able

    def as_seen(self) -> observed.Observed:
        """What a look at the API finds: slices as of their last catching up, pods as of now."""
        self.unowned &= self.children()
        return observed.Observed(
            service=self._observed_service(),
            revisions=tuple(self._observed_revision(d) for d in self.deployments.values()),
            preview=self.preview,
            access=self.access,
            watched_since=self.watched_since,
            resolvers=tuple(
                observed.Resolver(**{f.name: getattr(pod, f.name) for f in dataclasses.fields(pod)})
                for pod in self.resolvers.values()
            ),
            unowned=tuple(unowned.Unowned(kind, name) for kind, name in sorted(self.unowned)),
        )

    def _observed_service(self) -> observed.TrafficService | None:
        service = self.service
        if service is None:
            return None
        own = {uid for uid, pod in self.pods.items() if self._is_selected(pod)}
        return observed.TrafficService(
            revision=service.revision,
            resource_version=str(service.resource_version),
            switch=service.switch,
            ready=self._stable_slices,
            foreign=self._stable_slices - own,
            wide=service.wide,
            lent=service.lent,
            marked=service.marked,
            spoilt="" in self.spoilt and not service.lent,
        )

    def _observed_revision(self, deployment: Deployment) -> observed.Revision:
        revision = deployment.revision
        pods = [pod for pod in self.pods.values() if pod.revision == revision]
        listed = self._own_slices.get(revision, frozenset()) if deployment.has_service else frozenset()
        ready = [pod for pod in self._ready(revision) if pod.uid in listed]
        return observed.Revision(
            id=revision,
            version=revision,
            desired=deployment.desired,
            pods=len(pods),
            ready=tuple(observed.ReadyPod(pod.uid, pod.since) for pod in ready),
            has_service=deployment.has_service,
            spoilt_service=deployment.has_service and revision in self.spoilt,
            attempt_started_at=deployment.attempt_started_at,
            attempt_number=deployment.attempt_number,
            latched=deployment.latched,
            beside=deployment.beside,
            promoted_at=deployment.promoted_at,
            rejected=deployment.rejected,
            released=deployment.released,
            problems=self._problems(deployment, pods),
            symptoms=tuple(
                symptom for pod in pods if pod.phase is not Phase.LEAVING for symptom in pod.symptoms.values()
            ),
            answers=deployment.answers,
            pace=deployment.pace,
            slower=deployment.slower,
            has_budget=deployment.has_budget,
            spoilt_budget=deployment.spoilt_budget,
            short_since=self._short_since(deployment, ready),
        )

    def _problems(self, deployment: Deployment, pods: list[Pod]) -> tuple[observed.Problem, ...]:
        refused = (versions.no_quota(deployment.revision),) if self._lacks_quota(deployment) else ()
        return (*refused, *(pod.problem for pod in pods if pod.problem is not None))

    def _short_since(self, deployment: Deployment, ready: list[Pod]) -> datetime.datetime | None:
        """Of the pods that are not seen ready, and of those that are refused: the last."""
        moments = [pod.since for pod in self.standing(deployment.revision) if pod not in ready]
        if self._lacks_quota(deployment) and deployment.refused_since is not None:
            moments.append(deployment.refused_since)
        return max(moments, default=None)

    def _lacks_quota(self, deployment: Deployment) -> bool:
        lacking = len(self.standing(deployment.revision)) < deployment.desired
        return lacking and deployment.refused_since is not None

    def _ready(self, revision: str | None) -> list[Pod]:
        return [pod for pod in self.standing(revision) if pod.phase is Phase.READY]

    def _shows(self, uid: str, fault: observed.Fault) -> None:
        self.pods[uid].symptoms[fault] = observed.Symptom(fault, self.now, f"{uid} {fault.value}")

    def _becomes(self, pod: Pod, phase: Phase, problem: observed.Problem | None) -> None:
        if pod.phase is not Phase.LEAVING:
            pod.phase, pod.problem, pod.since = phase, problem, self.now

    def _notice(self, revision: str) -> None:
        """The controllers see that a Deployment lacks pods: at once, or later."""
        if not self.controllers_lag:
            self._make_pods(revision)

    def _make_pods(self, revision: str) -> None:
        deployment = self.deployments.get(revision)
        if deployment is None:
            return
        for _ in range(deployment.desired - len(self.standing(revision))):
            if self.quota is not None and len(self.pods) >= self.quota:
                deployment.refused_since = deployment.refused_since or self.now
                return
            uid = f"{revision}-{self._next()}"
            self.pods[uid] = Pod(uid, revision, self.now)
        deployment.refused_since = None

    def _next(self) -> int:
        self._counter += 1
        return self._counter


def resolver_name(revision: str, number: int) -> str:
    return f"{revision}-resolver-{number}"
