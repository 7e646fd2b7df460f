"""What happens beyond the limit: three times more requests than can be answered, and newcomers in a crowd.

Ours only. Knows how a load is sent and what the probes' port is.
"""

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.runtime import client, measuring, process, servers
from bench.runtime.client import Load, Outcome
from bench.runtime.measuring import Bench
from bench.runtime.process import Running
from bench.runtime.records import Key, Kind

MODEL = "base"
SECONDS = 300.0
_FACTOR = 3
_FAIRNESS_SECONDS = 12.0
_CROWD = 64
_PEAK = Load(connections=64, seconds=8, warm_up=1)
# More than wait at any time: a request that finds no free connection would not be offered at all.
_MOST_CONNECTIONS = 4096
_QUEUE_EMPTY_SECONDS = 8.0  # longer than a full queue
_PROBE_EVERY = 0.2
_PROBE_TIMEOUT = 1.0  # the kubelet's own


def seconds(overload: float = SECONDS) -> float:
    """How long both take, about, with `overload` seconds of the one."""
    return overload + _FAIRNESS_SECONDS + 2 * _PEAK.seconds + 10


def run(bench: Bench, seconds: float = SECONDS) -> None:
    """Measure both, unless they have been: `seconds` of overload, then newcomers."""
    overload, fairness = (Key(kind, 1, MODEL, "slipway") for kind in (Kind.OVERLOAD, Kind.FAIRNESS))
    if overload in bench.records and fairness in bench.records:
        return
    bundle = measuring.bundle(MODEL)
    with process.running(servers.OURS, bundle, core=bench.cores.server, runtime=bench.runtime) as running:
        bench.told(f"overload: three times what can be answered, for {seconds:g} s")
        bench.records.add(overload, _overload(running, bench, seconds))
        time.sleep(1)
        bench.told("fairness: 64 newcomers in a crowd of 64")
        bench.records.add(fairness, _fairness(running, bench))


@dataclass(slots=True)
class _Probing:
    """Asks the probes' port as the kubelet does, in a thread, while the block lasts."""

    url: str
    asked: int = 0
    failed: int = 0
    slowest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "_Probing":
        self._thread = threading.Thread(target=self._ask_until_over, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _ask_until_over(self) -> None:
        while not self._over.wait(_PROBE_EVERY):
            for path in ("/livez", "/readyz"):
                began = time.monotonic()
                self.asked += 1
                self.failed += not _answers(self.url, path)
                self.slowest = max(self.slowest, time.monotonic() - began)


def _answers(url: str, path: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PROBE_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _overload(running: Running, bench: Bench, seconds: float) -> Mapping[str, float]:
    """The peak, the goodput at three times its rate, and the peak again: the machine changes its speed."""
    before = bench.load(running, _PEAK).rate
    offered = before * _FACTOR
    load = Load(connections=_MOST_CONNECTIONS, seconds=seconds, warm_up=2, rate=offered, timeout=35)
    with _Probing(running.probes_url) as probing:
        outcome = bench.load(running, load)
    time.sleep(_QUEUE_EMPTY_SECONDS)
    after = bench.load(running, _PEAK).rate
    rejected = outcome.statuses.get(429)
    return {
        "seconds": seconds,
        "peak": (before + after) / 2,
        "offered": offered,
        "goodput": outcome.rate,
        "rejected": rejected.count if rejected else 0,
        "rejected_p99": rejected.p99 if rejected else 0.0,
        "served_p99": outcome.statuses[200].p99 if 200 in outcome.statuses else 0.0,
        "other_failures": outcome.failed - (rejected.count if rejected else 0),
        "probes": probing.asked,
        "probe_failures": probing.failed,
        "slowest_probe_ms": 1000 * probing.slowest,
    }


def _fairness(running: Running, bench: Bench) -> Mapping[str, float]:
    """How long newcomers wait beside as many clients that ask again and again.

    Their fair share is the time in which as many requests as there are clients are answered.
    """
    file, core = measuring.bodies(running.server), bench.cores.client
    crowd = Load(connections=_CROWD, seconds=_FAIRNESS_SECONDS - 4)
    newcomers = Load(connections=_CROWD, seconds=_FAIRNESS_SECONDS, count=1)
    looping = client.start(running.url, file, crowd, core=core)
    try:
        time.sleep(3)
        came = client.send(running.url, file, newcomers, core=core)
        stayed = client.parse(looping.communicate(timeout=60)[0])
    finally:
        looping.kill()
        looping.wait()
    return _waits(came, stayed)


def _waits(came: Outcome, stayed: Outcome) -> Mapping[str, float]:
    served = came.statuses[200]
    together = stayed.rate + served.count / stayed.seconds
    return {
        "fair_ms": 1000 * 2 * _CROWD / together,
        "p50": served.p50,
        "p99": served.p99,
        "worst": served.max,
        "failed": came.failed,
    }


Values = Mapping[str, float]
GOODPUT, QUICK_REJECTS, FAIR = 0.9, 50.0, 2.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A goal beyond the limit: what it is about, when it is reached, and what to show of it."""

    title: str
    kind: Kind
    holds: Callable[[Values], bool]
    shown: Callable[[Values], str]


RULES = (
    Rule(
        f"overload, {_FACTOR}x the peak offered: goodput at least {GOODPUT:.0%} of the peak",
        Kind.OVERLOAD,
        lambda found: found["goodput"] >= GOODPUT * found["peak"],
        lambda found: f"{found['goodput']:.0f} of {found['peak']:.0f} a second, for {found['seconds']:.0f} s",
    ),
    Rule(
        f"overload: rejections answered within {QUICK_REJECTS:g} ms (p99)",
        Kind.OVERLOAD,
        lambda found: found["rejected"] > 0 and found["rejected_p99"] <= QUICK_REJECTS,
        lambda found: f"{found['rejected']:.0f} rejected, p99 {found['rejected_p99']:.1f} ms",
    ),
    Rule(
        "overload: no probe fails",
        Kind.OVERLOAD,
        lambda found: found["probe_failures"] == 0,
        lambda found: f"{found['probe_failures']:.0f} of {found['probes']:.0f} failed",
    ),
    Rule(
        "overload: served or rejected, nothing else",
        Kind.OVERLOAD,
        lambda found: found["other_failures"] == 0,
        lambda found: f"{found['other_failures']:.0f} failed in another way",
    ),
    Rule(
        f"{_CROWD} newcomers beside {_CROWD} clients: none waits more than {FAIR:g}x its fair share",
        Kind.FAIRNESS,
        lambda found: found["failed"] == 0 and found["worst"] <= FAIR * found["fair_ms"],
        lambda found: f"slowest {found['worst']:.0f} ms, fair share {found['fair_ms']:.0f} ms",
    ),
)
