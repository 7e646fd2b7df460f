"""Kubernetes' own rules for names and labels, as regular expressions over the whole text.

They stand here, and in the CRD, because a name that only the Deployment's own validation would refuse
is refused too late: its author has gone.
"""

import re
from typing import Final

SUBDOMAIN: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""A DNS-1123 subdomain: an object's name, and what stands before the slash in a label's key."""

_LOCAL: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

LABEL_KEY: Final = rf"({SUBDOMAIN}/)?{_LOCAL}"
"""The key of a label or a taint."""

LABEL_VALUE: Final = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
"""The value of a label or a taint; it may be empty."""

LONGEST_LABEL_VALUE: Final = 63

DEVICE: Final = rf"{SUBDOMAIN}/{_LOCAL}"
"""An extended resource, such as nvidia.com/gpu."""

QUANTITY: Final = r"[0-9]+([.][0-9]+)?([numkMGTPE]|[KMGTPE]i|[eE][0-9]{1,2})?"
"""An amount of a resource, not negative."""


def is_label_value(text: str) -> bool:
    """Whether Kubernetes takes it as the value of a label."""
    return len(text) <= LONGEST_LABEL_VALUE and re.fullmatch(LABEL_VALUE, text) is not None
