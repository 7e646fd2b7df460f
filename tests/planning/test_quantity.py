"""Kubernetes quantities: one amount, one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_operator.domain import quantity


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "1"),
        (1, "1"),
        (1.5, "1.5"),
        ("1.0", "1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("+3", "3"),
        ("-3", "-3"),
        ("0", "0"),
        ("0.000", "0"),
        (" 1 ", "1"),
        ("100", "100"),
        ("1000m", "1"),
        ("500m", "0.5"),
        ("1n", "0.000000001"),
        ("1u", "0.000001"),
        ("2k", "2000"),
        ("1Ki", "1024"),
        ("1Gi", "1073741824"),
        ("1024Mi", "1073741824"),
        ("1.5Gi", "1610612736"),
        ("1G", "1000000000"),
        ("1Ei", "1152921504606846976"),
        ("1E", "1000000000000000000"),
        ("1E3", "1000"),
        ("1e-3", "0.001"),
        ("12e2", "1200"),
    ],
)
def test_an_amount_has_one_spelling(text: object, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@pytest.mark.parametrize("text", ["", "1 Gi", "1gi", "Gi", "1GiB", "one", "0x10", "1e", "1\n2"])
def test_what_is_no_quantity_stays_as_it_is(text: str) -> None:
    assert quantity.canonical(text) == text


@given(st.integers(0, 10**15))
def test_a_thousand_thousandths_are_one(amount: int) -> None:
    assert quantity.canonical(f"{amount}000m") == quantity.canonical(amount)
    assert quantity.canonical(f"{amount * 1024}Mi") == quantity.canonical(f"{amount}Gi")


@given(st.text())
def test_the_canonical_spelling_is_its_own(text: str) -> None:
    once = quantity.canonical(text)
    assert quantity.canonical(once) == once
