"""What the pods of a version that is being watched have answered, as each counts it on its own probe port.

Asked of the pods themselves, so that no Prometheus is needed; a pod that does not answer within a second is
left out, and without any the fact is absent. It remembers counts, to see what became of them, and forgets
them with their pods. Must not know how many errors are too many.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import aiohttp

from slipway_operator.domain import observed

Body = dict[str, Any]

PROBE_PORT = 8081
TIMEOUT_SECONDS = 1.0
LONGEST_PAGE = 256 * 1024  # bytes; a runtime's own is about 20 kB
LATELY_SECONDS = 10.0
_FORGOTTEN_AFTER_SECONDS = 600.0

_NUMBER = r"([0-9]{1,18}(?:\.[0-9]{1,18})?(?:e[+-]?[0-9]{1,2})?)"
_LINE = re.compile(rf"^requests_total\{{([^}}]*)\}} {_NUMBER}$", re.MULTILINE)
_DURATION = re.compile(rf"^inference_duration_seconds_(sum|count) {_NUMBER}$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_OF_PROBES = {"/health", "/metrics"}  # asked by machines that only look whether it lives

# Errors of the server's own. What it refuses for lack of time (504, DEADLINE_EXCEEDED) or room is slowness.
_FAILED = {"UNKNOWN", "INTERNAL", "DATA_LOSS"}
_LATE = "504"


class Count(NamedTuple):
    """Since a process began: errors of its own, and these together with what it did answer."""

    failed: int
    total: int


class _Sample(NamedTuple):
    at: float
    counts: Count


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """Since the pods were asked first, of that the last seconds, and since their processes began the pace."""

    whole: observed.Answers
    lately: observed.Answers
    pace: observed.Pace = dataclasses.field(default_factory=observed.Pace)


class Listener:
    """Asks pods, and remembers what each has said."""

    def __init__(self, *, port: int = PROBE_PORT, clock: Callable[[], float] = time.monotonic) -> None:
        self._port, self._clock = port, clock
        self._said: dict[str, list[_Sample]] = {}  # the first, and the latest

    async def ask(self, pods: Iterable[Body]) -> Heard | None:
        """The sum over the pods that answer; None when none does. Raises nothing."""
        heard = await self._pages(pods)
        self._forget()
        for uid, page in heard.items():
            self._note(uid, count(page))
        if not heard:
            return None
        lately = self._since(heard, self._clock() - LATELY_SECONDS)
        return Heard(self._since(heard, None), lately, pace(heard.values()))

    async def pace(self, pods: Iterable[Body]) -> observed.Pace:
        """Of pods whose answers are not counted, for comparison. Raises nothing."""
        return pace((await self._pages(pods)).values())

    async def _pages(self, pods: Iterable[Body]) -> dict[str, str]:
        """By the uids of the pods that answer."""
        present = {p["metadata"]["uid"]: p["status"]["podIP"] for p in pods if _is_present(p)}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        # trust_env is False: no proxy of the environment stands between us and a pod.
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            pages = await asyncio.gather(*(_page(session, ip, self._port) for ip in present.values()))
        return {uid: page for uid, page in zip(present, pages, strict=True) if page is not None}

    def _note(self, uid: str, now: Count) -> None:
        said, at = self._said.setdefault(uid, []), self._clock()
        if said and now.total < said[-1].counts.total:  # its process was replaced, and counts anew
            said[:] = [_Sample(at, Count(0, 0))]
        said.append(_Sample(at, now))
        while len(said) > 2 and said[2].at <= at - LATELY_SECONDS:
            del said[1]

    def _since(self, uids: Iterable[str], moment: float | None) -> observed.Answers:
        """How much was added to what each had said first, or had said at that moment."""
        failed = total = 0
        for uid in uids:
            before, now = self._before(uid, moment), self._said[uid][-1].counts
            failed, total = failed + now.failed - before.failed, total + now.total - before.total
        return observed.Answers(failed, total)

    def _before(self, uid: str, moment: float | None) -> Count:
        said = self._said[uid]
        earlier = [sample for sample in said if moment is not None and sample.at <= moment]
        return (earlier[-1] if earlier else said[0]).counts

    def _forget(self) -> None:
        old = self._clock() - _FORGOTTEN_AFTER_SECONDS
        for uid in [uid for uid, said in self._said.items() if said[-1].at < old]:
            del self._said[uid]


def count(page: str) -> Count:
    """The answers on a page in Prometheus' text format; what the client did wrong counts for nothing."""
    failed = answered = 0
    for labels, number in _LINE.findall(page):
        of = dict(_LABEL.findall(labels))
        status, times = of.get("status", ""), int(float(number))
        if of.get("endpoint") in _OF_PROBES:
            continue
        if status in _FAILED or (status.startswith("5") and status != _LATE):
            failed += times
        elif status.startswith("2") or status == "OK":
            answered += times
    return Count(failed, failed + answered)


def pace(pages: Iterable[str]) -> observed.Pace:
    """What the pages say of the time from texts to labels, summed up."""
    found = [(what, float(number)) for page in pages for what, number in _DURATION.findall(page)]
    answers, seconds = (sum(n for what, n in found if what == kind) for kind in ("count", "sum"))
    return observed.Pace(int(answers), seconds)


async def _page(session: aiohttp.ClientSession, ip: str, port: int) -> str | None:
    host = f"[{ip}]" if ":" in ip else ip
    try:
        async with session.get(f"http://{host}:{port}/metrics", allow_redirects=False) as answer:
            if answer.status != 200:
                return None
            page = await answer.content.read(LONGEST_PAGE)
            while len(page) < LONGEST_PAGE and (more := await answer.content.read(LONGEST_PAGE)):
                page += more
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    return page[:LONGEST_PAGE].decode(errors="replace")


def _is_present(pod: Body) -> bool:
    status = pod.get("status", {})
    running = status.get("phase") == "Running" and status.get("podIP")
    return bool(running) and "deletionTimestamp" not in pod["metadata"]
