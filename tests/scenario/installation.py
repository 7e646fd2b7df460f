"""The chart with other values for a while, as an administrator would upgrade it.

Must not know what they are for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster import stack as stacks
from tests.cluster.stack import Installed


@contextmanager
def with_values(installed: Installed, **other: Any) -> Iterator[None]:
    """In the body an operator of these values is ready; afterwards one of the stack's own."""
    release, usual = installed.release(), stacks.values(installed.references)
    try:
        release.install({**usual, **other})
        yield
    finally:
        release.install(usual)
