"""A namespace for one model: restricted pods only, and the Secret that models read S3 with.

Must not know what happens in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.s3_manifests import restricted_namespace
from tests.cluster.stack import CREDENTIALS, Installed


@contextmanager
def lent(installed: Installed, name: str) -> Iterator[str]:
    """The namespace, empty; it goes afterwards, with that of the requests that were sent to it."""
    _remove(installed, name, wait=True)  # what an interrupted run has left
    installed.kubectl.apply(restricted_namespace(name))
    installed.s3.give_reader(CREDENTIALS, name)
    try:
        yield name
    finally:
        _remove(installed, name, wait=False)


def _remove(installed: Installed, name: str, *, wait: bool) -> None:
    for used in (name, f"{name}-load"):
        installed.kubectl.delete("namespace", used, wait=wait)
