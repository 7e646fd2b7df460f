"""The servers that are measured: how each is started, asked, and known to be ready.

A product has several configurations: the first round measures them all, and the best one of each goes
on. Knows no measurement.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.runtime import environments, paths

PEERS = paths.HERE / "peers"
_PREDICT, _INFER = "/v1/predict", "/v2/models/classifier/infer"
_FOR_PEERS = {"LITSERVE_DISABLE_VERSION_CHECK": "1", "BENTOML_DO_NOT_TRACK": "true", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """One server in one configuration. `kind` is what it is a configuration of.

    `default` is the one to take where there is no time to try them all. A `reference` is measured once
    and never taken: it shows a limit, but nobody should run it.
    """

    name: str
    kind: str
    title: str
    script: str
    path: str
    environment: Mapping[str, str] = field(default_factory=dict)
    default: bool = True
    reference: bool = False
    form: str = "texts"
    interpreter: Path | None = None  # instead of an environment of its own

    @property
    def environment_name(self) -> str:
        """Which virtual environment it runs in."""
        return self.script.split("/")[0]

    @property
    def third_party(self) -> bool:
        """Whether it is a product of somebody else, not FastAPI with a few lines."""
        return self.environment_name not in ("slipway", "fastapi")

    def lock(self) -> Path:
        if self.environment_name == "slipway":
            return paths.ROOT / "requirements" / "runtime.lock"
        return PEERS / self.environment_name / "requirements.lock"

    def body(self, text: str) -> str:
        """One text, asked as this server's clients ask."""
        match self.form:
            case "instances":
                return json.dumps({"instances": [text]})
            case "tensors":
                tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]}
                return json.dumps({"inputs": [tensor]})
        return json.dumps({"texts": [text]})

    def python(self) -> Path:
        """The interpreter it runs in. Makes its environment first when that is missing (minutes)."""
        return self.interpreter or environments.python(self.environment_name, self.lock())

    def argv(self) -> list[str]:
        """The command that starts it."""
        python = str(self.python())
        if self.environment_name == "slipway":
            return [python, "-m", "slipway_runtime"]
        return [python, str(PEERS / self.script)]


def _batching(rows: int, milliseconds: float) -> dict[str, str]:
    return {"BENCH_MAX_BATCH": str(rows), "BENCH_MAX_WAIT_MS": str(milliseconds)}


OURS = Server("slipway", "slipway", "Slipway", "slipway", _PREDICT)
PLAIN = Server("fastapi", "fastapi", "FastAPI, no batching", "fastapi/plain.py", _PREDICT)
NAIVE = Server("naive", "naive", "FastAPI, 32 rows or 20 ms", "fastapi/naive.py", _PREDICT, _batching(32, 20))

SERVERS: Sequence[Server] = (
    OURS,
    Server(
        "slipway-whole",
        "slipway",
        "Slipway, the model as it is",
        "slipway",
        _PREDICT,
        {"SLIPWAY_PRUNE": "false"},
        default=False,
        reference=True,  # to see how much comes of what is not computed
    ),
    PLAIN,
    NAIVE,
    Server("mlserver", "mlserver", "MLServer", "mlserver/server.py", _INFER, form="tensors"),
    Server(
        "kserve", "kserve", "KServe", "kserve/server.py", "/v1/models/classifier:predict", form="instances"
    ),
    Server("litserve", "litserve", "LitServe", "litserve/server.py", "/predict"),
    Server("bentoml", "bentoml", "BentoML", "bentoml/server.py", "/predict"),
    Server(
        "fastapi-inline",
        "fastapi",
        "FastAPI, the model on the event loop",
        "fastapi/plain.py",
        _PREDICT,
        {"BENCH_INLINE": "1"},
        default=False,
        reference=True,  # it answers nothing else while the model runs, not even a probe
    ),
    Server(
        "naive-8-2",
        "naive",
        "FastAPI, 8 rows or 2 ms",
        "fastapi/naive.py",
        _PREDICT,
        _batching(8, 2),
        default=False,
        reference=True,  # the loop that is meant is the one above
    ),
    Server(
        "mlserver-8-2",
        "mlserver",
        "MLServer, 8 rows or 2 ms",
        "mlserver/server.py",
        _INFER,
        _batching(8, 2),
        default=False,
        form="tensors",
    ),
    Server(
        "mlserver-32-20",
        "mlserver",
        "MLServer, 32 rows or 20 ms",
        "mlserver/server.py",
        _INFER,
        _batching(32, 20),
        default=False,
        form="tensors",
    ),
    Server(
        "kserve-oip",
        "kserve",
        "KServe, Open Inference Protocol",
        "kserve/server.py",
        _INFER,
        default=False,
        form="tensors",
    ),
    Server(
        "litserve-8-0",
        "litserve",
        "LitServe, 8 rows or 0 ms",
        "litserve/server.py",
        "/predict",
        {**_batching(8, 0), "BENCH_FAST_QUEUE": "1"},
        default=False,
    ),
    Server(
        "litserve-32-20",
        "litserve",
        "LitServe, 32 rows or 20 ms",
        "litserve/server.py",
        "/predict",
        _batching(32, 20),
        default=False,
    ),
    Server(
        "bentoml-8",
        "bentoml",
        "BentoML, adaptive, 8 rows",
        "bentoml/server.py",
        "/predict",
        {"BENCH_MAX_BATCH": "8"},
        default=False,
    ),
    Server(
        "bentoml-32",
        "bentoml",
        "BentoML, adaptive, 32 rows",
        "bentoml/server.py",
        "/predict",
        {"BENCH_MAX_BATCH": "32"},
        default=False,
    ),
)


def named(name: str) -> Server:
    """Raises KeyError for a name that is none."""
    return {server.name: server for server in SERVERS}[name]


def for_peer() -> Mapping[str, str]:
    """What each peer's process is told beside its own settings: where the classifier is, and no telemetry."""
    return {"PYTHONPATH": str(PEERS), **_FOR_PEERS}
