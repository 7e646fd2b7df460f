"""The text form of a load: what the driver writes, the generator reads."""

from __future__ import annotations

import random

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.generator import settings
from tests.ledger.generator.load import (
    ClientClass,
    Load,
    Pace,
    Rate,
    Think,
    parse_clients,
    parse_pace,
    parse_paces,
)

numbers = st.integers(1, 4000).map(lambda hundredths: hundredths / 100)
paces = st.one_of(
    numbers.map(Rate), st.tuples(numbers, numbers).map(lambda pair: Think(min(pair), max(pair)))
)


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(ClientClass), st.integers(1, 99), min_size=1))
def test_clients_survive_the_way_through_text(clients: dict[ClientClass, int]) -> None:
    assert parse_clients(Load(clients=clients).clients_text()) == clients


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from(ClientClass), paces))
def test_paces_survive_the_way_through_text(given_paces: dict[ClientClass, Pace]) -> None:
    assert parse_paces(Load(paces=given_paces).paces_text()) == given_paces


@hypothesis.settings(deadline=None)  # a busy machine is no failure
@given(paces, st.floats(0, 10), st.integers())
def test_no_pause_is_negative(pace: Pace, elapsed: float, seed: int) -> None:
    assert pace.pause(random.Random(seed), elapsed) >= 0  # noqa: S311


@pytest.mark.parametrize("text", ["20", "0/s", "-1/s", "4-1s", "-1-2s", "1-2", "quick"])
def test_a_pace_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_pace(text)


@pytest.mark.parametrize("text", ["", "fast=0", "fast=-1", "fast", "racing=2"])
def test_clients_that_prove_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_clients(text)


def test_a_flag_wins_over_the_environment() -> None:
    environment = {
        "LEDGER_TARGET": "http://sentiment.default/v1/predict",
        "LEDGER_SEED": "7",
        "LEDGER_NAME": "g",
    }
    read = settings.read(["--seed", "8", "--clients", "new=1"], environment)
    assert (read.load.seed, read.name, read.load.clients) == (8, "g", {ClientClass.NEW: 1})
    assert read.target.url == "http://sentiment.default:80/v1/predict"


@pytest.mark.parametrize("url", ["https://sentiment/v1/predict", "sentiment", "http://"])
def test_a_target_that_cannot_be_spoken_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected an address"):
        settings.parse_target(url)
