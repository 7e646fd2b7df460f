"""Who has the last word before the requests move: nobody (`Automatic`), or the user (`Manual`).

The user's word names a revision, so that nothing is promoted that has not been looked at. It takes none to
begin with a first version, nor to go back to the one that was left last.
"""

from __future__ import annotations

from slipway_operator.planning import situation


def awaited(s: situation.Situation) -> bool:
    """The target may not have the traffic yet, however ready it is."""
    if not s.asked.manual or s.asked.approved == s.asked.revision:
        return False
    if s.adopting:  # what answers now has been chosen by somebody
        return True
    return s.live is not None and s.live.promoted_at is not None and not s.returning
