"""Kubernetes quantities as numbers, so that `1`, `1000m` and `"1.0"` are one amount.

Grammar: apimachinery's `resource.Quantity` (suffixes n u m k M G T P E and Ki Mi Gi Ti Pi Ei, exponents).
Knows nothing of what is measured.
"""

from __future__ import annotations

import decimal
import re

_FORM = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?$")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def canonical(value: object) -> str:
    """The one spelling of an amount: `canonical("1Gi") == canonical("1024Mi")`.

    What is no quantity is returned as text: the API server refuses it later, with its own words.
    """
    text = str(value).strip()
    match = _FORM.match(text)
    if match is None:
        return text
    number, suffix = decimal.Decimal(match[1]), match[2] or ""
    return format((number * _factor(suffix)).normalize(), "f")


def _factor(suffix: str) -> decimal.Decimal:
    if suffix in _BINARY:
        return decimal.Decimal(1024) ** _BINARY[suffix]
    if suffix in _DECIMAL:
        return decimal.Decimal(10) ** _DECIMAL[suffix]
    if suffix:
        return decimal.Decimal(10) ** int(suffix[1:])
    return decimal.Decimal(1)
