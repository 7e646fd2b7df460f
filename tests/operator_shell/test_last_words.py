"""What a pod has logged last, read before it is let go: for people, bounded, of no account when missing."""

import asyncio
from typing import Any

import pytest

from slipway_operator.kube import client, errors, last_words
from tests.operator_shell import objects

A = "aaaaaaaaaa"
pytestmark = pytest.mark.anyio
RUNS = {"ready": False, "state": {"running": {}}}


class Server:
    """The API server, as far as logs go."""

    def __init__(self, told: str | Exception = "", *, after: float = 0) -> None:
        self._told, self._after = told, after
        self.asked: list[str] = []

    async def text(self, path: str, query: client.Query) -> str:
        self.asked.append(f"{path}?{'&'.join('='.join(each) for each in query)}")
        await asyncio.sleep(self._after)
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


def pod(uid: str = "x", *, container: dict[str, Any] = RUNS, **fields: Any) -> objects.Object:
    made = objects.pod(uid, A, ready=False, container=container, **fields)
    made["metadata"]["namespace"] = "team-a"
    return made


async def _said(server: Server, *pods: objects.Object) -> str:
    return await last_words.of_pods(server, pods, container="runtime")  # type: ignore[arg-type]


async def test_the_last_lines_of_one_pod_are_asked_for() -> None:
    server = Server("loading\nstill loading\n")
    assert await _said(server, pod("b"), pod("a")) == "loading\nstill loading"
    path = "/api/v1/namespaces/team-a/pods/pod-a/log"
    assert server.asked == [f"{path}?container=runtime&tailLines=10&limitBytes=65536"]


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(pod(terminating=True), id="it is leaving"),
        pytest.param(pod(container={"ready": True, "state": {"running": {}}}), id="it is ready"),
        pytest.param(pod(container={"state": {"waiting": {}}}), id="it does not run"),
        pytest.param(objects.pod("x", A, ready=False), id="nothing of it has begun"),
        pytest.param(
            pod(container={"state": {"waiting": {}}}, beside=[RUNS | {"name": "istio-proxy"}]),
            id="only a container runs that somebody has injected",
        ),
        pytest.param(
            pod(container={"ready": True, "state": {"running": {}}}, beside=[RUNS | {"name": "istio-proxy"}]),
            id="only a container is not ready that somebody has injected",
        ),
    ],
)
async def test_a_pod_is_not_asked_when(silent: objects.Object) -> None:
    server = Server("never")
    assert await _said(server, silent) == ""
    assert server.asked == []


@pytest.mark.parametrize(
    "error", [errors.NotFound("gone"), errors.Transient("no answer"), TimeoutError()], ids=repr
)
async def test_a_log_that_cannot_be_read_is_left_out(error: Exception) -> None:
    assert await _said(Server(error), pod()) == ""


async def test_a_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_words, "TIMEOUT_SECONDS", 0.05)
    assert await _said(Server("too late", after=30), pod()) == ""


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("\n".join(map(str, range(20))), "\n".join(map(str, range(10, 20))), id="ten lines"),
        pytest.param(
            "\x1b[31mred\x1b[0m\tand\r\n\n\nblue", "[31mred [0m and\nblue", id="no terminal's codes"
        ),
        pytest.param("x" * 5000, "x" * 900, id="of a long line the end"),
    ],
)
def test_of_a_log_is_kept(told: str, kept: str) -> None:
    assert last_words.ending(told) == kept
