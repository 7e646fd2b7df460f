"""The entries, in the order in which they are run. Must not know what any of them does."""

from collections.abc import Mapping, Sequence

from tests.proof.at_rest import AtRest
from tests.proof.entry import Entry


def by_id(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Each under its id; ValueError when two share one, since one verdict would hide the other."""
    found = {entry.id: entry for entry in entries}
    if len(found) < len(entries):
        raise ValueError("two entries share an id")
    return found


ENTRIES = by_id([AtRest()])
