"""Which hardware a session shall run on, and which it really got.

onnxruntime falls back to the CPU with no more than a log line when a CUDA library is missing; a
pod that holds a GPU and computes on the CPU is the failure this module is about. Does not import
onnxruntime, so that the configuration can name a choice without loading it.
"""

import enum
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from slipway_runtime.failures import Reason, StartupError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

T = TypeVar("T")

_log = structlog.get_logger("slipway.providers")


class Choice(enum.StrEnum):
    """What may be asked for."""

    AUTO = "auto"  # the GPU if there is one that works, else the CPU
    CPU = "cpu"
    CUDA = "cuda"  # the GPU, or do not serve


def candidates(choice: Choice, *, installed: Sequence[str]) -> list[str]:
    """The providers to try, in order. Raises StartupError when the image lacks the one asked for."""
    match choice:
        case Choice.CPU:
            return [CPU]
        case Choice.CUDA if CUDA not in installed:
            raise _unavailable("this image has the CPU build of onnxruntime: use the GPU image")
        case Choice.CUDA:
            return [CUDA]
        case Choice.AUTO:
            return [CUDA, CPU] if CUDA in installed else [CPU]


def configured(wanted: Sequence[str], gpu_bytes: int | None) -> list[str | tuple[str, dict[str, str]]]:
    """`wanted` with the options of each. By default CUDA's arena doubles whenever it must grow."""
    cuda = {"arena_extend_strategy": "kSameAsRequested"}
    if gpu_bytes is not None:
        cuda["gpu_mem_limit"] = str(gpu_bytes)
    return [(name, cuda) if name == CUDA else name for name in wanted]


def first_that_loads(wanted: Sequence[str], load: Callable[[Sequence[str]], T]) -> T:
    """What `load` returns for `wanted`; where it fails, for those that come after the first, and so on.

    Logs why a provider was given up. Raises what `load` raises for the last one.
    """
    try:
        return load(wanted)
    except Exception as error:  # onnxruntime's exceptions share no base but this
        left = wanted[1:]
        if not left:
            raise
        _log.warning("provider_failed", provider=wanted[0], next=left[0], error=str(error))
    return first_that_loads(left, load)


def confirm(choice: Choice, *, obtained: Sequence[str]) -> str:
    """The provider that a session runs on. Raises StartupError when it is not the one asked for."""
    first = obtained[0] if obtained else "none"
    if choice is Choice.CUDA and first != CUDA:
        raise _unavailable(
            f"the session runs on {first}: is a GPU allocated to this pod (nvidia.com/gpu), "
            "and is the node's driver new enough for this image?"
        )
    return first


def _unavailable(what: str) -> StartupError:
    return StartupError(
        Reason.PROVIDER_UNAVAILABLE,
        f"SLIPWAY_EXECUTION_PROVIDER is cuda, but {what}",
        subject="SLIPWAY_EXECUTION_PROVIDER",
    )
