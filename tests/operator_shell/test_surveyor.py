"""Who holds what is lacking is asked seldom, and only of what the operator may see."""

import asyncio
from typing import Any

from slipway_operator.domain import scarcity
from slipway_operator.kube import errors, surveyor
from tests.operator_shell import test_scarcity as cluster

EVERYTHING = {
    "/api/v1/nodes": [cluster.node(gpus=1)],
    "/api/v1/pods": [cluster.pod("x", namespace="shop")],
    "/api/v1/namespaces/default/pods": [],
}


class Server:
    """Answers lists from a table, and notes what it was asked; what is not in it is forbidden."""

    def __init__(self, table: dict[str, list[Any]]) -> None:
        self.table, self.asked = table, list[str]()

    async def list(self, path: str, *, selector: str) -> list[Any]:
        assert selector == ""
        self.asked.append(path)
        if path not in self.table:
            raise errors.Refused(path)
        return self.table[path]


def ask(server: Server, *, cluster_wide: bool = True, quota: bool = False) -> scarcity.Shortage | None:
    asker = surveyor.Surveyor(server, cluster_wide=cluster_wide)  # type: ignore[arg-type]
    return again(asker, quota=quota)


def again(asker: surveyor.Surveyor, *, quota: bool = False) -> scarcity.Shortage | None:
    made = cluster.deployment(refusal=cluster.QUOTA if quota else "")
    return asyncio.run(asker.shortage(made, [] if quota else [cluster.pending()]))


def test_the_holder_in_another_namespace_is_found() -> None:
    shortage = ask(Server(EVERYTHING))
    assert shortage is not None
    assert (shortage.free, [holder.name for holder in shortage.holders]) == (0, ["shop/x"])


def test_in_named_namespaces_nothing_beyond_them_is_asked() -> None:
    server = Server(EVERYTHING)
    shortage = ask(server, cluster_wide=False)
    assert shortage is not None
    assert shortage.free is None
    assert server.asked == ["/api/v1/namespaces/default/pods"]


def test_a_right_that_was_taken_away_costs_the_numbers_and_not_the_look() -> None:
    shortage = ask(Server({"/api/v1/namespaces/default/pods": [cluster.old()]}))
    assert shortage is not None
    assert (shortage.free, [holder.name for holder in shortage.holders]) == (None, ["default/old"])


def test_a_quota_is_no_business_of_the_nodes() -> None:
    server = Server(EVERYTHING)
    shortage = ask(server, quota=True)
    assert shortage is not None
    assert shortage.quota == "gpus"
    assert server.asked == ["/api/v1/namespaces/default/pods"]


def test_an_answer_is_kept_for_some_seconds() -> None:
    server, seconds = Server(EVERYTHING), [0.0]
    asker = surveyor.Surveyor(server, cluster_wide=True, clock=lambda: seconds[0])  # type: ignore[arg-type]
    for now, asked in ((0.0, 3), (9.0, 3), (11.0, 6)):
        seconds[0] = now
        again(asker)
        assert len(server.asked) == asked
