"""From answers to switches: connections opened before a switch may go on answering with the old version."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.records import Outcome
from tests.ledger.switches import Switch, switches
from tests.ledger_tests.books import outcome


def new_clients(versions: str, *, start: float = 0.0, clients: int = 4) -> list[Outcome]:
    """An answer each 100 ms, each on a new connection; one letter a version."""
    return [
        outcome(
            1 + index // clients,
            client=f"g/new-{index % clients}",
            at=start + index / 10,
            version=version,
            connection=f"g/new-{index % clients}#{index}",
        )
        for index, version in enumerate(versions)
    ]


def kept_connection(client: str, versions: str, *, opened: float, every: float) -> list[Outcome]:
    """Answers on one connection."""
    return [
        outcome(
            1 + index,
            client=client,
            at=opened + index * every,
            version=version,
            opened=opened,
            connection=f"{client}#{opened}",
        )
        for index, version in enumerate(versions)
    ]


def turns(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{switch.old}>{switch.new}" for switch in switches(outcomes)]


def only(outcomes: Sequence[Outcome]) -> Switch:
    (switch,) = switches(outcomes)
    return switch


def test_one_version_alone_is_no_switch() -> None:
    assert turns(new_clients("1" * 50)) == []


def test_a_sharp_cut_has_no_overlap() -> None:
    switch = only(new_clients("1" * 20 + "2" * 20))
    assert (switch.old, switch.new, switch.seen.overlap) == ("1", "2", 0.0)
    assert switch.seen.first_new == 2.01
    assert switch.seen.last_old is not None
    assert round(switch.seen.last_old, 6) == 1.91


def test_nodes_that_learn_at_different_times_make_one_switch() -> None:
    switch = only(new_clients("1" * 20 + "2112122122" + "2" * 20))
    assert (switch.old, switch.new) == ("1", "2")
    assert round(switch.seen.overlap, 6) == 0.7


def test_a_kept_connection_stays_on_the_old_version_without_being_a_switch_back() -> None:
    keeper = kept_connection("g/slow-0", "1" * 10, opened=0.5, every=1.0)
    switch = only(sorted(new_clients("1" * 20 + "2" * 80) + keeper, key=lambda one: one.sent_at))
    assert (switch.old, switch.new) == ("1", "2")
    assert round(switch.by_class["slow"].last_old or 0, 6) == 9.51
    assert switch.by_class["slow"].first_new is None
    assert switch.by_class["new"].overlap == 0.0
    assert round(switch.seen.overlap, 6) == round(9.51 - 2.01, 6)


def test_a_flip_back_is_a_second_switch() -> None:
    assert turns(new_clients("1" * 20 + "2" * 20 + "1" * 20)) == ["1>2", "2>1"]


def test_a_quick_flip_back_under_old_connections_is_still_two_switches() -> None:
    answers = new_clients("1" * 40 + "22122" + "1" * 40, clients=20)
    first, second = switches(answers)
    assert (first.old, first.new, second.old, second.new) == ("1", "2", "2", "1")
    assert round(first.seen.overlap, 6) == 0.2
    assert second.seen.overlap == 0.0


def test_answers_after_a_flip_back_do_not_count_for_the_switch_before() -> None:
    keeper = kept_connection("g/slow-0", "1" * 4, opened=1.0, every=1.0)
    answers = new_clients("1" * 20 + "2" * 40 + "1" * 40) + keeper
    first, second = switches(sorted(answers, key=lambda one: one.sent_at))
    assert round(first.seen.last_old or 0, 6) == 4.01
    assert round(second.seen.first_new or 0, 6) == 6.01


def test_three_versions_in_a_row() -> None:
    assert turns(new_clients("1" * 20 + "2" * 20 + "3" * 20)) == ["1>2", "2>3"]


def test_a_version_changed_under_a_living_connection_is_seen() -> None:
    answers = [
        one
        for number in range(6)
        for one in kept_connection(f"g/fast-{number}", "11112222", opened=number / 100, every=1.0)
    ]
    assert turns(answers) == ["1>2"]


def test_a_slow_mixture_is_one_switch() -> None:
    mixture = "".join("2" if index % 4 < index // 40 else "1" for index in range(160))
    assert turns(new_clients("1" * 40 + mixture + "2" * 40, clients=20)) == ["1>2"]


def test_failures_show_no_version() -> None:
    failed = [outcome(seq, reason="timeout", at=float(seq)) for seq in range(1, 9)]
    assert turns(failed) == []


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.integers(8, 30), min_size=1, max_size=6))
def test_as_many_switches_are_seen_as_there_were(lengths: list[int]) -> None:
    versions = [str(1 + number % 2) for number in range(len(lengths))]
    answers = new_clients(
        "".join(version * length for version, length in zip(versions, lengths, strict=True))
    )
    assert turns(answers) == [f"{old}>{new}" for old, new in itertools.pairwise(versions)]
