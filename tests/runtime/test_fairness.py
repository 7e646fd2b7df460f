"""Who is next: rounds and lanes, their promises for any order of events, and a few pictures."""

import math
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from slipway_runtime.scheduling.calls import Lane
from slipway_runtime.scheduling.lanes import BULK_TURN, Lanes, Rounds

# Machines that run tests are busy: what counts is the result, not the time that it takes.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@dataclass(slots=True, eq=False)
class Row:
    owner: str
    length: int = 8
    round: int = field(default=0)


def _request(owner: str, rows: int) -> list[Row]:
    return [Row(owner) for _ in range(rows)]


def _owners(rows: list[Row]) -> list[str]:
    return [row.owner for row in rows]


def test_a_single_text_waits_for_a_tenth_of_a_request_of_a_hundred() -> None:
    rounds: Rounds[Row] = Rounds()
    rounds.add(_request("large", 100))
    rounds.add(_request("single", 1))

    assert _owners(rounds.first(200)).index("single") == 20


def test_a_request_of_a_hundred_is_not_kept_from_running_by_singles_that_never_end() -> None:
    rounds: Rounds[Row] = Rounds()
    rounds.add(_request("large", 100))
    for _ in range(64):
        rounds.add(_request("single", 1))

    steps = 0
    while "large" in _owners(rounds.first(10_000)):
        batch = rounds.first(8)
        rounds.remove(batch)
        for row in batch:
            if row.owner == "single":  # its client comes back at once
                rounds.add(_request("single", 1))
        steps += 1

    assert steps * 8 <= 10 * (64 + 10) + 64


def test_a_lone_request_is_seen_as_a_whole() -> None:
    rounds: Rounds[Row] = Rounds()
    rounds.add(_request("large", 100))

    assert len(rounds.first(256)) == 100


def test_single_texts_are_served_in_the_order_in_which_they_came() -> None:
    rounds: Rounds[Row] = Rounds()
    for number in range(50):
        rounds.add(_request(str(number), 1))
        if number % 3 == 0:
            rounds.remove(rounds.first(1))

    served = [int(owner) for owner in _owners(rounds.first(100))]
    assert served == sorted(served)


def test_new_clients_wait_no_longer_than_those_that_are_there_already() -> None:
    """64 clients that come back at once with their next text, and 64 new ones with one each."""
    rounds: Rounds[Row] = Rounds()
    for _ in range(64):
        rounds.add(_request("regular", 1))
    for _ in range(64):
        rounds.add(_request("new", 1))

    rows = 0
    while "new" in _owners(rounds.first(1000)):
        (row,) = rounds.first(1)
        rounds.remove([row])
        rows += 1
        if row.owner == "regular":
            rounds.add(_request("regular", 1))

    assert rows <= 2 * 128


def test_interactive_rows_go_first_and_the_bulk_lane_gets_one_batch_in_eight() -> None:
    lanes: Lanes[Row] = Lanes()
    lanes.add(_request("bulk", 100), Lane.BULK)
    lanes.add(_request("interactive", 100), Lane.INTERACTIVE)

    order = []
    for _ in range(2 * BULK_TURN):
        batch = lanes.first(4)
        lanes.take(batch)
        order.append(batch[0].owner)
        assert set(_owners(batch)) == {batch[0].owner}

    assert order == (["interactive"] * (BULK_TURN - 1) + ["bulk"]) * 2


def test_what_is_bulk_does_not_count_against_an_interactive_request() -> None:
    lanes: Lanes[Row] = Lanes()
    lanes.add(_request("bulk", 10), Lane.BULK)
    lanes.add(_request("interactive", 3), Lane.INTERACTIVE)

    assert lanes.waiting(Lane.INTERACTIVE).rows == 3
    assert lanes.waiting(Lane.BULK).rows == 13
    assert lanes.ahead_of(1, Lane.BULK).rows >= 3


@PATIENT
@given(sizes=st.lists(st.integers(1, 200), min_size=1, max_size=20), newcomer=st.integers(1, 100))
def test_what_is_ahead_of_a_request_is_what_is_found_before_its_last_row(
    sizes: list[int], newcomer: int
) -> None:
    rounds: Rounds[Row] = Rounds()
    for size in sizes:
        rounds.add(_request("other", size))
    ahead = rounds.ahead_of(newcomer)

    rounds.add(_request("newcomer", newcomer))
    order = _owners(rounds.first(10_000))
    last = len(order) - 1 - order[::-1].index("newcomer")

    assert ahead.rows == order[:last].count("other")
    assert ahead.tokens == 8 * ahead.rows


class AnyOrder(RuleBasedStateMachine):
    """Requests come, are given up and are run in any order; the lanes are compared with plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes: Lanes[Row] = Lanes()
        self.waiting: dict[Lane, list[Row]] = {lane: [] for lane in Lane}

    @rule(rows=st.integers(1, 120), lane=st.sampled_from(Lane))
    def come(self, rows: int, lane: Lane) -> None:
        request = [Row("a", length=1 + index % 7) for index in range(rows)]
        self.lanes.add(request, lane)
        self.waiting[lane] += request

    @precondition(lambda self: any(self.waiting.values()))
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from([lane for lane, rows in self.waiting.items() if rows]))
        gone = data.draw(st.lists(st.sampled_from(self.waiting[lane]), max_size=20, unique_by=id))
        self.lanes.remove(gone, lane)
        self.lanes.remove(gone, lane)  # a row that is not in is ignored
        self._forget(gone, lane)

    @precondition(lambda self: any(self.waiting.values()))
    @rule(data=st.data(), most=st.integers(1, 32))
    def run(self, data: st.DataObject, most: int) -> None:
        """The first row and any others of the window, as the policy would choose them."""
        window = self.lanes.first(64)
        others = data.draw(st.lists(st.sampled_from(window), max_size=most, unique_by=id))
        batch = [window[0], *(row for row in others if row is not window[0])]
        (lane,) = [lane for lane, rows in self.waiting.items() if window[0] in rows]
        self.lanes.take(batch)
        self._forget(batch, lane)

    @invariant()
    def nothing_is_lost_or_served_twice(self) -> None:
        assert self.lanes.rows == sum(map(len, self.waiting.values()))
        load = self.lanes.waiting(Lane.BULK)
        rows = [row for rows in self.waiting.values() for row in rows]
        assert load.tokens == sum(row.length for row in rows)
        assert load.squares == sum(row.length**2 for row in rows)
        window = self.lanes.first(10_000)
        assert bool(window) == bool(rows)
        assert {*map(id, window)} in [{*map(id, lane)} for lane in self.waiting.values()]
        assert [row.round for row in window] == sorted(row.round for row in window)

    def _forget(self, gone: list[Row], lane: Lane) -> None:
        known = {id(row) for row in gone}
        self.waiting[lane] = [row for row in self.waiting[lane] if id(row) not in known]

    def teardown(self) -> None:
        left = self.lanes.rows
        assert len(self.lanes.clear()) == left
        assert self.lanes.rows == 0


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(PATIENT, max_examples=60, stateful_step_count=25)


@PATIENT
@given(rows=st.integers(1, 10_000))
def test_a_request_is_through_after_as_many_rounds_as_the_root_of_its_rows(rows: int) -> None:
    rounds: Rounds[Row] = Rounds()
    request = _request("one", rows)
    rounds.add(request)

    assert max(row.round for row in request) < math.ceil(math.sqrt(rows))
