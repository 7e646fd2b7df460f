"""Everything that can happen to a model, in any order: hypothesis chooses, the auditor watches."""

from __future__ import annotations

import sys

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from slipway_operator.domain import observed, target
from tests.planning import convergence, simulated_operator, versions, world

VERSIONS = st.sampled_from([*versions.NATURES, *versions.GOOD])
STRATEGIES = st.sampled_from(target.Strategy)
PAUSES = st.sampled_from([0.5, 4, 5, 30, 60, 61, 300, 600, 3600])
CRASHES = st.sampled_from([observed.Severity.PASSING, observed.Severity.PASSING, observed.Severity.REJECTING])
ANY = st.integers(min_value=0, max_value=11)


class Rollouts(RuleBasedStateMachine):
    """Users, cluster, people with kubectl, and an operator that may be slow or die."""

    @initialize(
        version=VERSIONS,
        replicas=st.integers(1, 3),
        history_limit=st.integers(0, 2),
        at_rest=st.booleans(),
    )
    def a_model_is_applied(self, version: str, replicas: int, history_limit: int, at_rest: bool) -> None:  # noqa: FBT001
        self.world = world.World(version=version, replicas=replicas, history_limit=history_limit)
        self.operator = simulated_operator.Operator(self.world)
        if at_rest:
            self.everything_comes_to_its_end()

    # -- users --

    @rule(version=VERSIONS)
    def user_asks_for(self, version: str) -> None:
        self.world.user_asks_for(version)

    @rule(replicas=st.integers(0, 4))
    def user_wants_replicas(self, replicas: int) -> None:
        self.world.user_wants_replicas(replicas)

    @rule()
    def user_wants_a_retry(self) -> None:
        self.world.user_wants_a_retry()

    @rule(strategy=STRATEGIES, surge=st.integers(0, 2), unavailable=st.integers(0, 2), downtime=st.booleans())
    def user_chooses_a_strategy(
        self,
        strategy: target.Strategy,
        surge: int,
        unavailable: int,
        downtime: bool,  # noqa: FBT001
    ) -> None:
        surge = max(surge, 1) if unavailable == 0 else surge  # as the CRD has it
        self.world.user_chooses(
            strategy, max_surge=surge, max_unavailable=unavailable, allow_downtime=downtime
        )

    @rule(paused=st.sampled_from([False, False, True]))
    def user_pauses_or_resumes(self, paused: bool) -> None:  # noqa: FBT001
        self.world.user_pauses(paused=paused)

    @rule(manual=st.booleans())
    def user_wants_the_last_word_or_not(self, manual: bool) -> None:  # noqa: FBT001
        self.world.user_wants_the_last_word(manual=manual)

    @rule()
    def user_promotes(self) -> None:
        self.world.user_promotes()

    # -- the cluster --

    @rule(seconds=PAUSES)
    def time_passes(self, seconds: float) -> None:
        self.world.time_passes(seconds)

    @rule(lag=st.sampled_from([True, False, False]))
    def controllers_lag_or_not(self, lag: bool) -> None:  # noqa: FBT001
        self.world.controllers_lag = lag

    @rule(more=st.sampled_from([None, None, 0, 1]))
    def a_quota_forbids(self, more: int | None) -> None:
        self.world.quota = None if more is None else len(self.world.pods) + more

    @rule()
    def pods_are_made(self) -> None:
        self.world.pods_are_made()

    @rule()
    def slices_catch_up(self) -> None:
        self.world.slices_catch_up()

    @precondition(lambda self: self._pods(world.Phase.STARTING, world.Phase.FAILING))
    @rule(which=ANY, seen=st.booleans(), after=st.sampled_from([0, 5]))
    def a_pod_starts(self, which: int, seen: bool, after: int) -> None:  # noqa: FBT001
        self.world.pod_starts(self._pick(which, world.Phase.STARTING, world.Phase.FAILING))
        if seen:
            self.world.slices_catch_up()
        self.world.time_passes(after)

    @rule()
    def all_pods_start_and_are_seen(self) -> None:
        for uid in self._pods(world.Phase.STARTING):
            self.world.pod_starts(uid)
        self.world.slices_catch_up()

    @precondition(lambda self: self._pods(world.Phase.STARTING, world.Phase.READY))
    @rule(which=ANY, severity=CRASHES)
    def a_pod_crashes(self, which: int, severity: observed.Severity) -> None:
        self.world.pod_crashes(self._pick(which, world.Phase.STARTING, world.Phase.READY), severity)

    @rule(version=st.sampled_from(versions.GOOD))
    def what_is_asked_for_finds_no_room(self, version: str) -> None:
        self.world.user_pauses(paused=False)
        self.world.user_asks_for(version)
        self.operator.works_until_rest()
        self.world.pods_find_no_room(version)
        self.operator.works_until_rest()

    @precondition(lambda self: self._pods(world.Phase.READY))
    @rule(which=ANY)
    def a_pod_ceases_to_be_ready(self, which: int) -> None:
        self.world.pod_ceases_to_be_ready(self._pick(which, world.Phase.READY))

    @precondition(lambda self: self.world.deployments)
    @rule(which=ANY, failed=st.sampled_from([0, 0, 1, 30]))
    def pods_answer(self, which: int, failed: int) -> None:
        """Where one fails, each takes long, too."""
        self.world.pods_answer(self._revision(which), failed=failed, total=100)
        self.world.pods_take(self._revision(which), 0.5 if failed == 1 else 0.01)

    @precondition(lambda self: self._pods(*world.Phase))
    @rule(which=ANY)
    def a_pod_is_gone(self, which: int) -> None:
        self.world.pod_is_gone(self._pick(which, *world.Phase))

    @precondition(lambda self: self._pods(world.Phase.READY))
    @rule(number=st.integers(0, 1), seen=st.booleans())
    def a_node_is_lost(self, number: int, seen: bool) -> None:  # noqa: FBT001
        self.world.node_is_lost(number)
        if seen:
            self.world.slices_catch_up()

    @rule(slow=st.booleans())
    def resolvers_take_their_time_or_not(self, slow: bool) -> None:  # noqa: FBT001
        self.world.resolvers_take_time = slow

    @precondition(lambda self: self.world.resolvers)
    @rule(which=ANY, fate=st.sampled_from(["ends", "is cut off", "hangs", "is gone"]))
    def a_resolver(self, which: int, fate: str) -> None:
        names = list(self.world.resolvers)
        happens = {
            "ends": self.world.resolver_ends,
            "is cut off": self.world.resolver_is_cut_off,
            "hangs": self.world.resolver_hangs,
            "is gone": self.world.resolver_is_gone,
        }
        happens[fate](names[which % len(names)])

    @rule(version=st.sampled_from(versions.GOOD))
    def an_outage_is_asked_for_while_others_come_first(self, version: str) -> None:
        self.world.user_pauses(paused=False)
        self.world.user_chooses(target.Strategy.RECREATE, max_surge=1, allow_downtime=True)
        self.world.others_come_first = True
        self.world.user_asks_for(version)
        self.operator.works_until_rest()

    @rule(first=st.sampled_from([True, False, False]))
    def others_come_first_or_not(self, first: bool) -> None:  # noqa: FBT001
        self.world.others_come_first = first

    @rule()
    def leaving_pods_end(self) -> None:
        for uid in self._pods(world.Phase.LEAVING):
            self.world.pod_is_gone(uid)

    # -- people with kubectl --

    @rule()
    def the_service_is_deleted(self) -> None:
        self.world.service_is_deleted()

    @rule(which=ANY)
    def the_selector_is_edited(self, which: int) -> None:
        revisions = [*self.world.deployments, None]
        self.world.selector_is_edited(revisions[which % len(revisions)])

    @precondition(lambda self: self.world.deployments)
    @rule(which=ANY)
    def a_deployment_is_deleted(self, which: int) -> None:
        self.world.moved_by_hand += 1
        self.world.deployment_is_deleted(self._revision(which))

    @precondition(lambda self: self.world.deployments)
    @rule(which=ANY)
    def an_own_service_is_deleted(self, which: int) -> None:
        self.world.own_service_is_deleted(self._revision(which))

    @precondition(lambda self: self.world.deployments)
    @rule(which=ANY)
    def a_budget_is_deleted(self, which: int) -> None:
        self.world.budget_is_deleted(self._revision(which))

    @rule(from_a_backup=st.booleans())
    def the_model_is_made_anew_without_its_children(self, from_a_backup: bool) -> None:  # noqa: FBT001
        self.world.model_is_made_anew_without_its_children(from_a_backup=from_a_backup)

    @rule(restricted=st.booleans())
    def the_administrator_restricts_access_or_not(self, restricted: bool) -> None:  # noqa: FBT001
        self.world.administrator_restricts_access(restricted=restricted)

    @precondition(lambda self: self.world.deployments)
    @rule(which=ANY, replicas=st.integers(0, 4))
    def a_deployment_is_scaled(self, which: int, replicas: int) -> None:
        self.world.scale(self._revision(which), replicas)

    # -- the operator --

    @rule(seconds=st.sampled_from([0, 0, 30, 100, 3600]))
    def operator_is_away(self, seconds: int) -> None:
        self.world.time_passes(seconds)
        self.operator.is_replaced()
        self.operator.works_until_rest()

    @rule()
    def operator_looks(self) -> None:
        self.operator.looks()

    @rule(count=st.sampled_from([None, 0, 1, 1, 2]))
    def operator_writes_what_it_planned(self, count: int | None) -> None:
        self.operator.writes_at_most(count)

    @rule()
    def operator_looks_and_writes(self) -> None:
        self.operator.looks()
        self.operator.writes_at_most()

    @rule(which=ANY)
    def the_selector_is_edited_between_look_and_write(self, which: int) -> None:
        self.operator.looks()
        self.the_selector_is_edited(which)
        self.operator.writes_at_most()

    @rule(version=st.sampled_from(versions.GOOD), manual=st.sampled_from([False, False, True]))
    def a_rollout_begins(self, version: str, manual: bool) -> None:  # noqa: FBT001
        self.world.user_pauses(paused=False)
        self.world.user_wants_the_last_word(manual=manual)
        self.world.user_asks_for(version)
        self.operator.works_until_rest()
        self.all_pods_start_and_are_seen()

    @rule(version=st.sampled_from(versions.GOOD))
    def a_rollout_arrives(self, version: str) -> None:
        self.world.user_promotes()
        self.a_rollout_begins(version=version, manual=False)
        self.what_has_started_proves_itself()
        self.world.slices_catch_up()
        self.operator.works_until_rest()

    @rule()
    def what_has_started_proves_itself(self) -> None:
        self.all_pods_start_and_are_seen()
        self.world.time_passes(5)
        self.operator.works_until_rest()

    @rule(which=ANY, back=st.booleans())
    def the_live_version_fails(self, which: int, back: bool) -> None:  # noqa: FBT001
        self.what_has_started_proves_itself()
        live = self.world.service.revision if self.world.service else None
        ready = [p.uid for p in self.world.standing(live) if p.phase is world.Phase.READY]
        if ready:
            self.world.pod_crashes(ready[which % len(ready)], observed.Severity.PASSING)
        if back:
            self.operator.works_until_rest()

    @rule()
    def operator_works_until_rest(self) -> None:
        self.operator.works_until_rest()

    @rule()
    def everything_comes_to_its_end(self) -> None:
        self.world.user_pauses(paused=False)
        self.world.others_come_first = self.world.controllers_lag = False
        self.world.quota = None
        self.world.user_promotes()
        self.world.user_chooses(
            self.world.asked.strategy, max_surge=2
        )  # who forbids every turn waits for ever
        convergence.check_end(self.world, convergence.converge(self.world, self.operator))

    def teardown(self) -> None:
        if sys.exc_info()[0] is None and hasattr(self, "world"):
            self.everything_comes_to_its_end()

    # -- choices --

    def _pods(self, *phases: world.Phase) -> list[str]:
        return [uid for uid, pod in self.world.pods.items() if pod.phase in phases]

    def _pick(self, which: int, *phases: world.Phase) -> str:
        pods = self._pods(*phases)
        return pods[which % len(pods)]

    def _revision(self, which: int) -> str:
        revisions = list(self.world.deployments)
        return revisions[which % len(revisions)]
