"""Which hardware is tried, and what is said when it is not what was asked for."""

import pytest

from slipway_runtime.engine.providers import CPU, CUDA, Choice, candidates, configured, confirm
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
