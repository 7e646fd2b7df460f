"""Records as a test writes them: a client's requests one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from tests.ledger.records import End, Intent, Outcome, Record, Start

START = Start("g", 0.0, 0.0)


def outcome(
    seq: int,
    *,
    client: str = "g/fast-0",
    at: float = 0.0,
    version: str = "1",
    reason: str = "",
    opened: float | None = None,
    connection: str = "",
) -> Outcome:
    """One request sent at `at` and answered 10 ms later, on a connection opened at `opened`."""
    age = 0.0 if opened is None else at - opened
    return Outcome(
        id=f"{client}/{seq}",
        client=client,
        client_class=client.partition("/")[2].partition("-")[0],
        seq=seq,
        sent_at=at,
        done_at=at + 0.01,
        served=not reason,
        reason=reason,
        status=200 if not reason else None,
        version=version if not reason else "",
        pod=f"pod-{version}",
        size=100,
        connection=connection or f"{client}#{seq}",
        age=age,
        reused=opened is not None,
    )


def pair(seq: int, client: str = "g/fast-0") -> list[Record]:
    return [Intent(client, seq, float(seq)), outcome(seq, client=client, at=float(seq))]


def whole(requests: int, client: str = "g/fast-0") -> list[Record]:
    """A ledger without fault."""
    lines = [record for seq in range(1, requests + 1) for record in pair(seq, client)]
    return [START, *lines, End("g", 99.0, {client: requests})]


def with_intents(outcomes: Sequence[Outcome]) -> list[Record]:
    """A whole ledger around these outcomes."""
    lines: list[Record] = [START]
    sent: dict[str, int] = {}
    for one in outcomes:
        lines += [Intent(one.client, one.seq, one.sent_at), one]
        sent[one.client] = one.seq
    return [*lines, End("g", 99.0, sent)]
