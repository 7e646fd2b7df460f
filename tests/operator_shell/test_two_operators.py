"""Of two operators one acts: the other takes over when it has gone, and what wakes up late writes nothing.

Processes against a real API server, with Kubernetes' own controllers and pods that are ready at once.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import OperatorProcess, started, until
from tests.operator_shell.proxy import Proxy

pytestmark = pytest.mark.cluster


@contextlib.contextmanager
def _pair(place: Place, folder: Path, first: Path) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """A leader that goes by the kubeconfig `first`, and one that stands by."""
    with contextlib.ExitStack() as stack:
        leader = stack.enter_context(started("one", first, folder, **place.settings))
        until(leader.leads, "the first operator leads", leader)
        second = stack.enter_context(started("two", place.plane.kubeconfig, folder, **place.settings))
        until(second.stands_by, "the second operator stands by", second)
        yield leader, second


def test_the_second_waits_and_leads_as_soon_as_the_first_is_told_to_end(place: Place, folder: Path) -> None:
    with _pair(place, folder, place.plane.kubeconfig) as (first, second):
        status, words = second.probe("/livez")
        assert (status, words.strip()) == (200, f"standing by: the Lease is held by {_holder(place)}")
        assert _holder(place).startswith("one_")

        first.send(signal.SIGTERM)
        assert first.ended() == 0
        assert "the Lease is released" in first.words()

        until(second.leads, "the second operator leads", second)
        assert _holder(place).startswith("two_")
        assert second.metrics()["slipway_leader"] == 1


def test_when_the_leader_is_killed_the_other_finishes_its_rollout(place: Place, folder: Path) -> None:
    with _pair(place, folder, place.plane.kubeconfig) as (first, second):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", first)
        place.ask("2", minReadySeconds=15)
        until(lambda: _step(place) == "WaitingForReadyPods", "version 2 is on its way", first)

        first.send(signal.SIGKILL)

        until(lambda: place.arrived_at("2"), "version 2 is there", second)
        assert second.leads()
        assert _revisions(place) == 2


def test_a_leader_that_wakes_up_after_its_lease_writes_nothing(place: Place, folder: Path) -> None:
    with (
        Proxy(place.rest).listening() as proxy,
        _pair(place, folder, proxy.kubeconfig(folder)) as (first, second),
    ):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", first)

        first.send(signal.SIGSTOP)
        before = len(proxy.writes)
        until(second.leads, "the second operator leads", second)
        place.ask("2")  # the first one will hear of that too
        until(lambda: place.arrived_at("2"), "version 2 is there", second)
        first.send(signal.SIGCONT)

        assert first.ended() == 1
        assert proxy.writes[before:] == []
        assert "no longer the leader" in first.words()
        assert second.leads()


def test_it_ends_at_once_when_it_is_told_so_in_its_first_moment(place: Place, folder: Path) -> None:
    with started("brief", place.plane.kubeconfig, folder, **place.settings) as operator:
        until(lambda: _catches_sigterm(operator.process.pid), "its handler is there", operator)
        operator.send(signal.SIGTERM)
        assert operator.ended() == 0


def _catches_sigterm(pid: int) -> bool:
    """As the kernel knows it: long before anything could be asked."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def _holder(place: Place) -> str:
    return str(place.lease().get("holderIdentity", ""))


def _step(place: Place) -> str:
    return str((place.model() or {}).get("status", {}).get("rollout", {}).get("step", ""))


def _revisions(place: Place) -> int:
    return len(place.rest.items(f"/apis/apps/v1/namespaces/{place.models}/deployments"))
