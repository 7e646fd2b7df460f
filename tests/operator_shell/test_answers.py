"""What pods say of their own answers, asked over real HTTP, and what is made of it."""

import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from slipway_operator.domain import observed
from slipway_operator.kube import answers
from tests.operator_shell import objects

A = "aaaaaaaaaa"
pytestmark = pytest.mark.anyio


def page(**statuses: int) -> str:
    lines = [f'requests_total{{endpoint="/v1/predict",status="{s[1:]}"}} {n}.0' for s, n in statuses.items()]
    return "\n".join(["# TYPE requests_total counter", *lines, "slipway_draining 0.0", ""])


@contextlib.asynccontextmanager
async def served(handler: Callable[[], web.StreamResponse]) -> AsyncIterator[int]:
    """A pod's probe port on the loopback address, answering /metrics."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return handler()

    application = web.Application()
    application.router.add_get("/metrics", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def pod(uid: str = "x", *, ip: str = "127.0.0.1", **fields: Any) -> objects.Object:
    made = objects.pod(uid, A, **fields)
    made["status"]["podIP"] = ip
    return made


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        pytest.param(page(s200=70, s500=30), (30, 100), id="errors of the server's own among all answers"),
        pytest.param(page(s200=70, s503=3), (3, 73), id="a pod that is not ready and is asked all the same"),
        pytest.param(page(s200=70, s504=30, s429=9), (0, 70), id="no refusals for lack of time or room"),
        pytest.param(page(s200=70, s422=30, s499=9), (0, 70), id="nothing that the client did"),
        pytest.param(page(sOK=7, sINTERNAL=2, sCANCELLED=9), (2, 9), id="calls of gRPC, too"),
        pytest.param('requests_total{endpoint="/health",status="200"} 9.0', (0, 0), id="no probes"),
        pytest.param("<html>", (0, 0), id="nothing on a page of somebody else"),
        pytest.param("", (0, 0), id="nothing on an empty page"),
        pytest.param(
            'requests_total{status="200"} 1e999\nrequests_total{status="200"} 1.2.3',
            (0, 0),
            id="no number that is none",
        ),
    ],
)
def test_of_what_a_pod_tells_is_counted(text: str, counted: tuple[int, int]) -> None:
    assert answers.count(text) == counted


def test_what_the_runtime_exports_is_understood() -> None:
    from slipway_runtime.telemetry import metrics

    exported = metrics.Metrics()
    exported.requests.labels("/v1/predict", "200").inc(3)
    exported.requests.labels("/v1/predict", "500").inc()
    assert answers.count(exported.render().decode()) == (1, 4)


def test_the_pace_that_the_runtime_exports_is_understood() -> None:
    from slipway_runtime.telemetry import metrics

    exported = metrics.Metrics()
    for seconds in (0.25, 0.5):
        exported.inference_seconds.observe(seconds)
    page = exported.render().decode()
    assert answers.pace([page, page, "<html>"]) == observed.Pace(4, 1.5)


@pytest.mark.parametrize("number", ["1e999", "NaN", "-1", "1.2.3", "+Inf"])
def test_a_pace_that_is_none_counts_for_nothing(number: str) -> None:
    assert answers.pace([f"inference_duration_seconds_sum {number}"]) == observed.Pace()


async def test_pods_are_asked_for_their_pace_alone() -> None:
    page = "inference_duration_seconds_count 20.0\ninference_duration_seconds_sum 1e-1"
    async with served(lambda: web.Response(text=page)) as port:
        listener = answers.Listener(port=port)
        assert await listener.pace([pod("a"), pod("b"), pod("away", ip="127.0.0.99")]) == observed.Pace(
            40, 0.2
        )
        assert await listener.pace([]) == observed.Pace()


async def test_answers_count_from_the_first_time_that_a_pod_is_asked() -> None:
    pages = iter([page(s200=1000, s500=500), page(s200=1070, s500=530)])
    async with served(lambda: web.Response(text=next(pages))) as port:
        listener = answers.Listener(port=port)
        assert await listener.ask([pod()]) == answers.Heard(observed.Answers(0, 0), observed.Answers(0, 0))
        heard = await listener.ask([pod()])
    assert heard == answers.Heard(observed.Answers(30, 100), observed.Answers(30, 100))


async def test_the_last_seconds_are_told_apart_from_the_whole() -> None:
    said, clock = {"good": 0, "bad": 0}, Clock()
    async with served(lambda: web.Response(text=page(s200=said["good"], s500=said["bad"]))) as port:
        listener = answers.Listener(port=port, clock=clock)
        for second in range(60):
            clock.now, said["good"] = float(second), second * 100
            await listener.ask([pod()])
        clock.now, said["bad"] = 60.0, 300
        heard = await listener.ask([pod()])
    assert heard == answers.Heard(observed.Answers(300, 6200), observed.Answers(300, 1200))


async def test_a_process_that_was_replaced_counts_anew() -> None:
    pages = iter([page(s200=1000), page(s200=7, s500=3)])
    async with served(lambda: web.Response(text=next(pages))) as port:
        listener = answers.Listener(port=port)
        await listener.ask([pod()])
        heard = await listener.ask([pod()])
    assert heard is not None
    assert heard.whole == observed.Answers(3, 10)


async def test_pods_that_do_not_answer_are_left_out_and_without_any_nothing_is_known() -> None:
    async with served(lambda: web.Response(text=page(s200=1))) as port:
        listener = answers.Listener(port=port)
        away = pod("away", ip="127.0.0.99")
        assert await listener.ask([away]) is None
        assert await listener.ask([pod(), away]) is not None
        assert await listener.ask([]) is None


@pytest.mark.parametrize(
    "absent",
    [
        pytest.param(pod(terminating=True), id="a pod that is leaving"),
        pytest.param(objects.pod("x", A), id="a pod without an address"),
    ],
)
async def test_is_not_asked(absent: objects.Object) -> None:
    async with served(lambda: web.Response(text=page(s200=1))) as port:
        assert await answers.Listener(port=port).ask([absent]) is None


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(lambda: web.Response(status=404), id="another page"),
        pytest.param(
            lambda: web.Response(status=302, headers={"location": "http://127.0.0.1:1/"}), id="a redirection"
        ),
    ],
)
async def test_counts_for_nothing(handler: Callable[[], web.StreamResponse]) -> None:
    async with served(handler) as port:
        assert await answers.Listener(port=port).ask([pod()]) is None


async def test_a_page_without_end_is_read_no_further_than_it_may_be() -> None:
    padding = "#" * answers.LONGEST_PAGE
    async with served(lambda: web.Response(text=f"{padding}\n{page(s200=5)}")) as port:
        listener = answers.Listener(port=port)
        await listener.ask([pod()])
        heard = await listener.ask([pod()])
    assert heard is None or heard.whole == observed.Answers(0, 0)


async def test_a_pod_that_hangs_is_given_up_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert await answers.Listener(port=deaf.getsockname()[1]).ask([pod()]) is None


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with served(lambda: web.Response(text=page(s200=1))) as port:
        assert await answers.Listener(port=port).ask([pod()]) is not None
