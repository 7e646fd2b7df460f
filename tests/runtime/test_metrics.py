"""What a process tells Prometheus after some traffic: all that is documented, and nothing else."""

import pathlib
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.runtime import bundles, grpc_clients, processes
from tests.runtime.processes import RuntimeProcess

_PAGE = processes.ROOT / "docs/runtime.md"
_TEXTS = ["good", "good bad fine plain"] * 10  # 50 tokens
_QUEUE = '{model="model",version="1"}'


@pytest.fixture(scope="module")
def told(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A process that has been asked for 20 texts by HTTP, one by gRPC and one too late; its clients stay."""
    environment = {"SLIPWAY_CONNECTION_MAX_AGE_SECONDS": "600"}
    with (
        processes.running(tmp_path_factory.mktemp("metrics"), bundle, **environment) as process,
        grpc_clients.channel(process.grpc_port) as channel,
        httpx.Client(base_url=process.url) as client,
    ):
        assert client.post("/v1/predict", json={"texts": _TEXTS}).status_code == 200
        late = client.post("/v2/predict", json={"texts": ["bad"]}, headers={"X-Request-Timeout": "1e-9"})
        assert late.status_code == 504
        channel.unary_unary(grpc_clients.METHOD)(grpc_clients.request("model", "great"), timeout=20)
        _wait_until_counted(process)
        yield process


def _wait_until_counted(process: RuntimeProcess) -> None:
    """The kernel is asked for gRPC's connections every few seconds."""
    deadline = time.monotonic() + 20
    while process.metric("slipway_grpc_connections_open") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _exposed(process: RuntimeProcess) -> set[str]:
    page = httpx.get(f"{process.probes_url}/metrics").text
    names = re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE)
    return {name for name in names if not name.startswith(("process_", "python_"))}


def _documented() -> set[str]:
    section = _PAGE.read_text(encoding="utf-8").partition("\n## Metrics\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([a-z0-9_]+)", section, re.MULTILINE))


def test_what_is_exposed_is_documented_and_what_is_documented_is_exposed(told: RuntimeProcess) -> None:
    assert _exposed(told) == _documented()


# 20 texts, one by gRPC, and the golden example.
_ROWS, _TOKENS = 22, 52
_SECONDS = (1e-6, 30.0)
_NEVER = (0, 0)
PLAUSIBLE: dict[str, tuple[float, float]] = {
    'requests_total{endpoint="/v1/predict",status="200"}': (1, 1),
    'requests_total{endpoint="/v2/predict",status="504"}': (1, 1),
    'requests_total{endpoint="grpc/ModelInfer",status="OK"}': (1, 1),
    "inference_duration_seconds_count": (3, 3),
    "inference_duration_seconds_sum": _SECONDS,
    'slipway_rejected_total{reason="deadline"}': (1, 1),
    f"slipway_requests_in_flight{_QUEUE}": _NEVER,
    f"slipway_queue_rows{_QUEUE}": _NEVER,
    f"slipway_queue_predicted_seconds{_QUEUE}": _NEVER,
    f"slipway_queue_pace{_QUEUE}": (0.5, 4.0),
    "slipway_queue_wait_seconds_count": (_ROWS, _ROWS),
    "slipway_queue_wait_seconds_sum": _SECONDS,
    "slipway_batch_rows_sum": (_ROWS, _ROWS),
    "slipway_batch_rows_count": (3, _ROWS),
    "slipway_batch_run_seconds_count": (3, _ROWS),
    "slipway_batch_run_seconds_sum": _SECONDS,
    f"slipway_batch_token_budget{_QUEUE}": (16_384, 16_384),
    'slipway_tokens_total{kind="text"}': (_TOKENS, _TOKENS),
    'slipway_tokens_total{kind="padding"}': (0, 30),  # each short row beside a long one: 3 more
    'slipway_cost_seconds{model="model",per="run",version="1"}': (1e-6, 0.1),
    'slipway_cost_seconds{model="model",per="token",version="1"}': (0, 0.1),
    'slipway_cost_seconds{model="model",per="token_squared",version="1"}': (0, 0.1),
    f"slipway_run_overdue{_QUEUE}": _NEVER,
    "slipway_model_download_seconds": _SECONDS,
    "slipway_model_load_seconds": _SECONDS,
    "slipway_model_warmup_seconds": _SECONDS,
    "slipway_model_verification_seconds": _SECONDS,
    'slipway_model_loads_total{outcome="served"}': (1, 1),
    "slipway_models_unavailable": _NEVER,
    "slipway_models_file_valid": (1, 1),
    'slipway_bundle_files_total{origin="source"}': (4, 4),
    'slipway_bundle_files_total{origin="cache"}': _NEVER,
    "slipway_bundle_source_away": _NEVER,
    "slipway_anonymous_memory_after_unload_bytes": _NEVER,
    "slipway_connections_open": (1, 1),
    "slipway_grpc_connections_open": (1, 1),
    "slipway_draining": _NEVER,
}
# Has the bundle's digest in it; and swaps need a second version.
ELSEWHERE = {"slipway_model_info", "slipway_model_swaps_total"}


@pytest.mark.parametrize(("sample", "least", "most"), [(name, *both) for name, both in PLAUSIBLE.items()])
def test_every_value_is_plausible(told: RuntimeProcess, sample: str, least: float, most: float) -> None:
    assert f"\n{sample} " in httpx.get(f"{told.probes_url}/metrics").text
    assert least <= told.metric(sample) <= most


def test_every_metric_that_is_documented_is_looked_at() -> None:
    names = {re.sub(r"(_count|_sum)?(\{.*)?$", "", sample) for sample in PLAUSIBLE}

    assert names | ELSEWHERE == _documented()


def test_rows_of_other_lengths_in_one_batch_are_told_as_padding(tmp_path: pathlib.Path) -> None:
    """A warm-up of a model whose runs cost the same at any length puts all rows together."""
    bundles.write(tmp_path / "bundle", bundles.BundleOptions(goldens=[]))
    with processes.running(tmp_path / "run", tmp_path / "bundle") as process:
        process.predict("good", "good bad fine plain")
        text, padding = (
            process.metric(f'slipway_tokens_total{{kind="{kind}"}}') for kind in ("text", "padding")
        )
        runs = process.metric("slipway_batch_rows_count")

    assert (runs, text, padding) in {(1, 5, 3), (2, 5, 0)}


def test_the_log_says_how_long_each_step_of_a_start_took(told: RuntimeProcess) -> None:
    steps = {entry["message"]: entry for entry in told.log}

    for message, metric in (
        ("loaded", "load"),
        ("warmed_up", "warmup"),
        ("examples_answered", "verification"),
    ):
        assert steps[message]["seconds"] == pytest.approx(
            told.metric(f"slipway_model_{metric}_seconds"), abs=0.001
        )
    assert steps["examples_answered"]["examples"] == 1
