"""`python -m tests.soak.swaps`: one process, a hundred thousand requests, ten swaps of its model.

Needs no cluster. The figures are left in .cluster/swaps.json. The exit status: 0 passed, 1 not
passed, and why.
"""

import asyncio
import json
import pathlib
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

import httpx
import numpy as np
import onnx
import uvloop
from onnx import helper, numpy_helper

from tests.cluster import paths
from tests.runtime import bundles, models_files
from tests.runtime.models_files import ModelsFile, model
from tests.runtime.processes import RuntimeProcess

RESULT = paths.STATE / "swaps.json"

REQUESTS = 100_000
SWAPS = 10
CLIENTS = 16
BALLAST_MIB = 32
GROWTH = 1.05  # of the memory after the tenth swap over that after the second
_PATIENCE = 120.0
_MEMORY = "slipway_anonymous_memory_after_unload_bytes"

_BODY = json.dumps({"texts": ["good"]}).encode()
_REQUEST = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
_LABELS = {"1": "positive", "2": "negative"}


@dataclass(slots=True)
class Tally:
    """Every request and how it ended; milliseconds apart by whether a swap was under way."""

    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LABELS, 0))
    failures: list[str] = field(default_factory=list)
    calm_ms: list[float] = field(default_factory=list)
    swapping_ms: list[float] = field(default_factory=list)
    swapping: bool = False

    @property
    def count(self) -> int:
        return sum(self.answers.values()) + len(self.failures)

    def answered(self, version: str, milliseconds: float) -> None:
        self.answers[version] += 1
        (self.swapping_ms if self.swapping else self.calm_ms).append(milliseconds)


@dataclass(frozen=True, slots=True)
class Figures:
    requests: int
    failed: int
    by_version: dict[str, int]
    swaps: int
    unready: int
    anonymous_mib: list[float]
    p50_ms: float
    p99_ms: float
    p99_swapping_ms: float
    seconds: float

    def shortcomings(self) -> list[str]:
        """Why this is not a pass."""
        second, last = self.anonymous_mib[1], self.anonymous_mib[-1]
        return [
            text
            for text, wrong in (
                (f"{self.failed} requests failed", self.failed > 0),
                (f"{self.requests:,} requests are fewer than {REQUESTS:,}", self.requests < REQUESTS),
                (f"{self.swaps} swaps, not {SWAPS}", self.swaps != SWAPS),
                (f"{self.unready} times it said that it was not ready", self.unready > 0),
                ("one of the versions never answered", 0 in self.by_version.values()),
                (f"its memory grew from {second} to {last} MiB", last > second * GROWTH),
            )
            if wrong
        ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(pathlib.Path(folder))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(asdict(figures), indent=1) + "\n")
    print(
        f"{figures.requests:,} requests, {figures.failed} failed; {figures.swaps} swaps; "
        f"p99 {figures.p99_ms} ms, {figures.p99_swapping_ms} ms in a swap; "
        f"anonymous memory {figures.anonymous_mib} MiB; {figures.seconds:.0f} s"
    )
    for shortcoming in figures.shortcomings():
        print(f"! {shortcoming}")
    return 1 if figures.shortcomings() else 0


def _measure(folder: pathlib.Path) -> Figures:
    for version in _LABELS:
        _write(folder / version, flipped=version == "2")
    file = ModelsFile(folder / "mounted")
    file.write(model(folder / "1", "1"))
    with (
        models_files.serving(folder / "run", file, SLIPWAY_CONNECTION_MAX_AGE_SECONDS="10") as process,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_drive(process, file, folder))


async def _drive(process: RuntimeProcess, file: ModelsFile, folder: pathlib.Path) -> Figures:
    tally, stop, began = Tally(), asyncio.Event(), time.monotonic()
    clients = [asyncio.create_task(_client(process.port, tally, stop)) for _ in range(CLIENTS)]
    memory, unready = [], 0
    async with httpx.AsyncClient(timeout=30) as http:
        for swap in range(1, SWAPS + 1):
            await _until_count(tally, REQUESTS * swap // (SWAPS + 1))
            tally.swapping = True
            version = "21"[(swap - 1) % 2]
            file.write(model(folder / version, version))
            unready += await _until_swapped(http, process, swap)
            tally.swapping = False
            memory.append(round(_metric(await _metrics(http, process), _MEMORY) / (1 << 20), 1))
        await _until_count(tally, REQUESTS)
        swaps = int(_metric(await _metrics(http, process), 'slipway_model_swaps_total{outcome="done"}'))
    stop.set()
    await asyncio.gather(*clients)
    for failure in tally.failures[:10]:
        print(failure)
    return Figures(
        requests=tally.count,
        failed=len(tally.failures),
        by_version=tally.answers,
        swaps=swaps,
        unready=unready,
        anonymous_mib=memory,
        p50_ms=_percentile(tally.calm_ms, 50),
        p99_ms=_percentile(tally.calm_ms, 99),
        p99_swapping_ms=_percentile(tally.swapping_ms, 99),
        seconds=round(time.monotonic() - began, 1),
    )


async def _until_count(tally: Tally, count: int) -> None:
    while tally.count < count:  # noqa: ASYNC110  # an event would be set by every request
        await asyncio.sleep(0.05)


async def _until_swapped(http: httpx.AsyncClient, process: RuntimeProcess, swap: int) -> int:
    """Until the old version has been unloaded. Returns how often readiness was denied meanwhile."""
    unready, deadline = 0, time.monotonic() + _PATIENCE
    while True:
        if time.monotonic() > deadline:
            raise AssertionError(f"swap {swap} did not come to its end: {process.log[-10:]}")
        unready += (await http.get(f"{process.probes_url}/readyz")).status_code != 200
        if sum(entry["message"] == "unloaded" for entry in process.log) >= swap:
            return unready
        await asyncio.sleep(0.05)


async def _metrics(http: httpx.AsyncClient, process: RuntimeProcess) -> str:
    return (await http.get(f"{process.probes_url}/metrics")).text


def _metric(text: str, sample: str) -> float:
    [value] = [line.split()[-1] for line in text.splitlines() if line.startswith(f"{sample} ")]
    return float(value)


async def _client(port: int, tally: Tally, stop: asyncio.Event) -> None:
    """One request after another; a new connection only when it is told to leave the old one."""
    while not stop.is_set():
        try:
            await _converse(port, tally, stop)
        except (OSError, EOFError, ValueError, KeyError) as error:
            tally.failures.append(repr(error))


async def _converse(port: int, tally: Tally, stop: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    closing = False
    while not closing and not stop.is_set():
        began = time.perf_counter()
        writer.write(_REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        headers = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        _judge(head, headers, body, tally, (time.perf_counter() - began) * 1000)
        closing = headers.get("connection") == "close"
    writer.close()


def _judge(head: str, headers: dict[str, str], body: bytes, tally: Tally, took: float) -> None:
    """An answer counts when it is the one of the version that it names."""
    version = headers["x-slipway-version"]
    if not head.startswith("http/1.1 200 "):
        tally.failures.append(f"{head.splitlines()[0]}: {body[:200]!r}")
        return
    [prediction] = json.loads(body)["predictions"]
    if (prediction["label"], prediction["model_version"]) == (_LABELS[version], version):
        tally.answered(version, took)
    else:
        tally.failures.append(f"version {version} answered {prediction}")


def _write(directory: pathlib.Path, *, flipped: bool) -> None:
    """A bundle of some size: memory that is not given back must show."""
    label = "negative" if flipped else "positive"
    golden = {"text": "good", "label": label, "score": bundles.score("good"), "tolerance": 0.001}
    options = bundles.BundleOptions(flipped=flipped, goldens=[golden])
    bundles.write(directory, options)
    onnx.save(_with_ballast(onnx.load(directory / "model.onnx")), directory / "model.onnx")
    bundles.write_manifest(directory, options)


def _with_ballast(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same answers from a model of BALLAST_MIB: what a large table says counts for nothing."""
    table = np.random.default_rng(7).random(BALLAST_MIB << 18, dtype=np.float32).reshape(-1, 2)
    [add] = [node for node in graph.graph.node if node.op_type == "Add"]
    add.output[0] = "unburdened"
    graph.graph.initializer.extend(
        [numpy_helper.from_array(table, "ballast"), numpy_helper.from_array(np.zeros(1, np.float32), "zero")]
    )
    graph.graph.node.extend(
        [
            helper.make_node("Gather", ["ballast", "input_ids"], ["burdens"]),
            helper.make_node("ReduceSum", ["burdens", "token_axis"], ["burden"], keepdims=0),
            helper.make_node("Mul", ["burden", "zero"], ["no_burden"]),
            helper.make_node("Add", ["unburdened", "no_burden"], ["logits"]),
        ]
    )
    return graph


def _percentile(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 2) if values else 0.0


if __name__ == "__main__":
    sys.exit(main())
