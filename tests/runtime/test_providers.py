"""Which hardware is tried, and what is said when it is not what was asked for."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from slipway_runtime.engine.providers import (
    CPU,
    CUDA,
    Choice,
    candidates,
    configured,
    confirm,
    first_that_loads,
)
from slipway_runtime.failures import Reason, StartupError

GPU_IMAGE = ["TensorrtExecutionProvider", CUDA, CPU]
CPU_IMAGE = ["AzureExecutionProvider", CPU]


@pytest.mark.parametrize(
    ("choice", "installed", "expected"),
    [
        (Choice.AUTO, CPU_IMAGE, [CPU]),
        (Choice.AUTO, GPU_IMAGE, [CUDA, CPU]),
        (Choice.CPU, GPU_IMAGE, [CPU]),
        (Choice.CUDA, GPU_IMAGE, [CUDA]),
    ],
)
def test_the_providers_that_are_tried(choice: Choice, installed: list[str], expected: list[str]) -> None:
    assert candidates(choice, installed=installed) == expected


def test_the_gpu_takes_what_it_needs_and_no_more_than_it_may() -> None:
    limited = configured([CUDA, CPU], 1 << 30)

    assert limited == [
        (CUDA, {"arena_extend_strategy": "kSameAsRequested", "gpu_mem_limit": "1073741824"}),
        CPU,
    ]
    assert configured([CUDA], None) == [(CUDA, {"arena_extend_strategy": "kSameAsRequested"})]


def test_a_gpu_asked_of_the_cpu_image_is_refused() -> None:
    with pytest.raises(StartupError, match="this image has the CPU build") as caught:
        candidates(Choice.CUDA, installed=CPU_IMAGE)

    assert caught.value.reason is Reason.PROVIDER_UNAVAILABLE


def test_a_session_that_fell_back_to_the_cpu_is_refused_when_a_gpu_was_asked_for() -> None:
    with pytest.raises(StartupError, match="the session runs on CPUExecutionProvider"):
        confirm(Choice.CUDA, obtained=[CPU])


def test_a_session_that_fell_back_is_accepted_when_either_would_do() -> None:
    assert confirm(Choice.AUTO, obtained=[CPU]) == CPU


def test_a_model_that_the_gpu_cannot_load_is_loaded_on_the_cpu_and_the_log_says_why() -> None:
    def load(wanted: Sequence[str]) -> list[str]:
        if CUDA in wanted:
            raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
        return list(wanted)

    with capture_logs() as logs:
        loaded = first_that_loads([CUDA, CPU], load)

    assert loaded == [CPU]
    assert logs == [
        {
            "event": "provider_failed",
            "log_level": "warning",
            "provider": CUDA,
            "next": CPU,
            "error": "CUDA failure 100: no CUDA-capable device is detected",
        }
    ]


@pytest.mark.parametrize("wanted", [[CUDA], [CUDA, CPU]])
def test_a_model_that_no_provider_can_load_fails_as_on_the_last_one(wanted: list[str]) -> None:
    def load(wanted: Sequence[str]) -> None:
        raise RuntimeError(f"not on {wanted[0]}")

    with pytest.raises(RuntimeError, match=f"not on {wanted[-1]}"):
        first_that_loads(wanted, load)


def test_a_provider_that_loads_is_the_only_one_that_is_tried() -> None:
    with capture_logs() as logs:
        assert first_that_loads([CUDA, CPU], list) == [CUDA, CPU]

    assert not logs
