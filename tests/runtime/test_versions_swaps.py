"""Versions come and go in one process: nothing fails, and what cannot be served takes nothing away."""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.runtime import bundles, clients, models_files, processes
from tests.runtime.models_files import ModelsFile, model
from tests.runtime.processes import RuntimeProcess

_PATIENCE = 20.0


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A version with opposite answers."""
    directory = tmp_path_factory.mktemp("bundle") / "sentiment-2"
    golden = {"text": "good", "label": "negative", "score": bundles.score("good"), "tolerance": 0.001}
    bundles.write(directory, bundles.BundleOptions(flipped=True, goldens=[golden]))
    return directory


@pytest.fixture(scope="module")
def corrupt(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A version one of whose bytes has changed on the way."""
    directory = tmp_path_factory.mktemp("bundle") / "sentiment-3"
    shutil.copytree(bundle, directory)
    content = bytearray((directory / "model.onnx").read_bytes())
    content[-1] ^= 1
    (directory / "model.onnx").write_bytes(content)
    return directory


@pytest.fixture
def file(tmp_path: pathlib.Path) -> ModelsFile:
    return ModelsFile(tmp_path / "mounted")


@pytest.fixture
def process(file: ModelsFile, bundle: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[RuntimeProcess]:
    """Serves version 1, as the only entry of its file."""
    file.write(model(bundle, "1"))
    with models_files.serving(tmp_path / "run", file) as process:
        yield process


def _health(process: RuntimeProcess) -> dict[str, Any]:
    health: dict[str, Any] = httpx.get(f"{process.url}/health").json()
    return health


def _states(process: RuntimeProcess) -> dict[str, str]:
    return {f"{one['name']}/{one['version']}": one["state"] for one in _health(process)["models"]}


def _reason(process: RuntimeProcess, version: str) -> str:
    [reason] = [one["reason"] for one in _health(process)["models"] if one["version"] == version]
    return str(reason)


def _wait(condition: Callable[[], bool], process: RuntimeProcess) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, (_health(process), process.log[-10:])
        time.sleep(0.05)


def _wait_for_states(process: RuntimeProcess, **states: str) -> None:
    wanted = {f"sentiment/{version.removeprefix('v')}": state for version, state in states.items()}
    _wait(lambda: _states(process) == wanted, process)


def _label(process: RuntimeProcess, version: str | None = None) -> str:
    answer = process.predict("good", model_version=version)
    prediction = answer.json()["predictions"][0]
    assert answer.headers["x-slipway-version"] == prediction["model_version"]
    return f"{prediction['label']} {prediction['model_version']}"


def test_the_only_entry_of_a_file_is_served_to_who_names_nothing(process: RuntimeProcess) -> None:
    assert _label(process) == "positive 1"
    assert (_health(process)["model"], _health(process)["versions"]) == ("sentiment", ["1"])


def test_a_new_version_takes_the_place_of_the_old_one_which_goes(
    process: RuntimeProcess, file: ModelsFile, flipped: pathlib.Path
) -> None:
    file.write(model(flipped, "2"))

    _wait_for_states(process, v2="READY")
    assert _label(process) == "negative 2"
    assert process.predict("good", model_version="1").status_code == 404
    _wait(lambda: process.metric("slipway_anonymous_memory_after_unload_bytes") > 0, process)
    assert process.metric('slipway_model_swaps_total{outcome="done"}') == 1
    metrics = httpx.get(f"{process.probes_url}/metrics").text
    infos = [line for line in metrics.splitlines() if line.startswith("slipway_model_info{")]
    assert ['version="2"' in line for line in infos] == [True]


def test_versions_side_by_side_are_chosen_by_name_and_the_last_one_listed_is_the_latest(
    process: RuntimeProcess, file: ModelsFile, bundle: pathlib.Path, flipped: pathlib.Path
) -> None:
    file.write(model(bundle, "1"), model(flipped, "2"))
    _wait_for_states(process, v1="READY", v2="READY")
    assert [_label(process), _label(process, "1"), _label(process, "2")] == [
        "negative 2",
        "positive 1",
        "negative 2",
    ]

    file.write(model(flipped, "2"), model(bundle, "1"))
    _wait(lambda: _label(process) == "positive 1", process)

    unknown = process.predict("good", model_version="3")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UnknownModelVersion")
    assert "served: '1', '2'" in unknown.json()["detail"]


def test_a_corrupt_version_leaves_the_old_one_serving_and_says_why(
    process: RuntimeProcess, file: ModelsFile, corrupt: pathlib.Path, bundle: pathlib.Path
) -> None:
    file.write(model(corrupt, "3"))

    _wait_for_states(process, v1="READY", v3="UNAVAILABLE")
    assert _reason(process, "3").startswith("DigestMismatch: ")
    assert "not listed any more" in _reason(process, "1")
    assert _label(process) == "positive 1"
    assert process.predict("good", model_version="3").status_code == 503
    assert httpx.get(f"{process.probes_url}/readyz").status_code == 200
    _wait(lambda: process.metric('slipway_model_swaps_total{outcome="failed"}') >= 2, process)
    assert process.metric('slipway_model_loads_total{outcome="DigestMismatch"}') >= 2
    assert process.metric("slipway_models_unavailable") == 1

    file.write(model(bundle, "1"))

    _wait_for_states(process, v1="READY")
    assert _reason(process, "1") == ""
    assert process.metric("slipway_models_unavailable") == 0


def test_a_version_that_is_mended_where_it_lies_is_served_by_itself(
    process: RuntimeProcess, file: ModelsFile, flipped: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    late = tmp_path / "late"
    file.write(model(late, "2"))
    _wait_for_states(process, v1="READY", v2="UNAVAILABLE")
    assert _reason(process, "2").startswith("SourceNotFound: ")

    shutil.copytree(flipped, late)

    _wait_for_states(process, v2="READY")


def test_the_same_version_with_other_bytes_is_loaded_beside_the_first_and_takes_its_place(
    process: RuntimeProcess, file: ModelsFile, flipped: pathlib.Path
) -> None:
    file.write(model(flipped, "1"))

    _wait(lambda: _label(process) == "negative 1", process)
    _wait_for_states(process, v1="READY")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("models: [", "it is not YAML"),
        ("models: [{name: sentiment, version: 2, uri: 's3://a-b/c'}]", "models.0.version"),
        ("", "Input should be a valid dictionary"),
    ],
    ids=["not YAML", "a version without quotes", "an empty file"],
)
def test_a_file_that_makes_no_sense_changes_nothing_and_says_so(
    process: RuntimeProcess, file: ModelsFile, flipped: pathlib.Path, text: str, says: str
) -> None:
    file.write_text(text)

    _wait(lambda: says in _health(process)["models_file"], process)
    assert process.metric("slipway_models_file_valid") == 0
    assert _label(process) == "positive 1"

    file.write(model(flipped, "2"))
    _wait_for_states(process, v2="READY")
    assert (_health(process)["models_file"], process.metric("slipway_models_file_valid")) == ("", 1)


def test_the_last_model_cannot_be_removed(process: RuntimeProcess, file: ModelsFile) -> None:
    file.write()

    _wait(lambda: "not listed any more" in _reason(process, "1"), process)
    assert _label(process) == "positive 1"


def test_a_second_model_comes_and_goes_beside_the_first(
    process: RuntimeProcess, file: ModelsFile, bundle: pathlib.Path, flipped: pathlib.Path
) -> None:
    file.write(model(bundle, "1"), model(flipped, "7", name="mood"))
    _wait(lambda: _states(process) == {"sentiment/1": "READY", "mood/7": "READY"}, process)
    assert _label(process) == "positive 1"

    file.write(model(flipped, "7", name="mood"))
    _wait(lambda: _states(process) == {"mood/7": "READY"}, process)
    assert (_label(process), _health(process)["model"]) == ("negative 7", "mood")


def test_the_model_of_the_environment_stays_whatever_the_file_says(
    file: ModelsFile, bundle: pathlib.Path, flipped: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    own = {"MODEL_URI": bundle.as_uri(), "MODEL_NAME": "sentiment", "MODEL_VERSION": "1"}
    file.write(model(flipped, "2"))
    with models_files.serving(tmp_path / "run", file, **own) as process:
        assert [_label(process), _label(process, "1")] == ["negative 2", "positive 1"]
        file.write(model(bundle, "1"))
        _wait(lambda: "is MODEL_URI's already" in _health(process)["models_file"], process)
        file.write()
        _wait(lambda: _label(process) == "positive 1", process)
        _wait_for_states(process, v1="READY")


def test_a_version_that_would_not_fit_into_the_memory_is_not_begun(
    file: ModelsFile, bundle: pathlib.Path, flipped: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file.write(model(bundle, "1"))
    with models_files.serving(tmp_path / "run", file, SLIPWAY_MEMORY_LIMIT_BYTES=str(64 << 20)) as process:
        file.write(model(flipped, "2"))
        _wait_for_states(process, v1="READY", v2="UNAVAILABLE")
        assert "MemoryShort" in _reason(process, "2")
        assert "the container's limit is 64 MiB" in _reason(process, "2")
        assert _label(process) == "positive 1"


def test_a_start_with_nothing_but_corrupt_versions_ends_with_the_reason(
    file: ModelsFile, corrupt: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file.write(model(corrupt, "3"))
    with processes.starting(tmp_path / "run", SLIPWAY_MODELS_FILE=str(file.path)) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "DigestMismatch")


def test_a_start_with_one_version_that_can_be_served_serves_it(
    file: ModelsFile, corrupt: pathlib.Path, bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file.write(model(bundle, "1"), model(corrupt, "3"))
    with models_files.serving(tmp_path / "run", file) as process:
        assert _label(process) == "positive 1"
        assert _states(process) == {"sentiment/1": "READY", "sentiment/3": "UNAVAILABLE"}


def test_a_start_without_the_file_that_was_asked_for_ends_with_the_reason(tmp_path: pathlib.Path) -> None:
    with processes.starting(tmp_path / "run", SLIPWAY_MODELS_FILE=str(tmp_path / "none")) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message["reason"]) == (1, "ConfigurationInvalid")
    assert "SLIPWAY_MODELS_FILE" in ending.message["message"]


def test_a_request_that_holds_the_old_version_is_answered_by_it(
    file: ModelsFile, slow_bundle: pathlib.Path, flipped: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file.write(model(slow_bundle, "1"))
    with (
        models_files.serving(tmp_path / "run", file) as process,
        contextlib.closing(process.connect()) as held,
    ):
        held.request("POST", "/v1/predict", json.dumps({"texts": ["good " * 8] * 100}))
        file.write(model(flipped, "2"))
        _wait(lambda: _label(process) == "negative 2", process)
        reply = held.getresponse()
        body = json.loads(reply.read())

    assert (reply.status, reply.headers["x-slipway-version"]) == (200, "1")
    assert {one["model_version"] for one in body["predictions"]} == {"1"}


def test_no_request_fails_and_readiness_holds_while_versions_are_swapped_under_load(
    process: RuntimeProcess, file: ModelsFile, bundle: pathlib.Path, flipped: pathlib.Path
) -> None:
    everybody: list[clients.Client] = [
        *[clients.keep_alive(0.0)] * 3,
        *[clients.keep_alive(0.2)] * 3,
        clients.pool,
        clients.new_connections,
    ]
    readiness: set[int] = set()
    with clients.load(process.port, *everybody) as ledger:
        for version in itertools.islice(itertools.cycle("21"), 5):
            file.write(model(flipped if version == "2" else bundle, version))
            while _states(process) != {f"sentiment/{version}": "READY"}:
                readiness.add(httpx.get(f"{process.probes_url}/readyz").status_code)

    assert ledger.failures == []
    assert process.metric('slipway_model_swaps_total{outcome="done"}') == 5
    assert readiness == {200}
    assert sum(ledger.answers.values()) > 200


def test_a_load_beside_others_has_a_low_priority_and_leaves_none_of_its_threads_with_it(
    process: RuntimeProcess, file: ModelsFile, flipped: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    slow = tmp_path / "slow"
    bundles.write(slow, bundles.BundleOptions(work=1_000))
    file.write(model(slow, "2"))
    _wait(lambda: "WarmingUp" in _reason_of_any(process, "2"), process)
    usual = os.getpriority(os.PRIO_PROCESS, process.pid)

    assert sorted(set(_priorities(process))) == sorted({usual, 10})
    file.write(model(flipped, "3"))
    _wait_for_states(process, v3="READY")
    _wait(lambda: set(_priorities(process)) == {usual}, process)


def _priorities(process: RuntimeProcess) -> list[int]:
    """The nice values of its threads."""
    found = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            found.append(os.getpriority(os.PRIO_PROCESS, int(task.name)))
    return found


def test_a_process_that_is_told_to_stop_in_mid_swap_drains_and_ends(
    file: ModelsFile, bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    slow = tmp_path / "slow"
    bundles.write(slow, bundles.BundleOptions(work=4_000))  # a warm-up of seconds
    file.write(model(bundle, "1"))
    with models_files.serving(tmp_path / "run", file, SLIPWAY_DRAIN_QUIET_SECONDS="0.3") as process:
        file.write(model(slow, "2"))
        _wait(lambda: "WarmingUp" in _reason_of_any(process, "2"), process)
        with clients.load(process.port, clients.new_connections) as ledger:
            os.kill(process.pid, signal.SIGTERM)
            time.sleep(0.2)
        ending = process.wait_for_end(timeout=10)

    assert ledger.failures == []
    assert (ending.code, ending.message) == (0, {})


def _reason_of_any(process: RuntimeProcess, version: str) -> str:
    return "".join(one["reason"] for one in _health(process)["models"] if one["version"] == version)
