"""A model of unknown origin is loaded in a process of its own first, within bounds.

A few bytes of ONNX can make the loader compute gigabytes (it folds constants, up to 1 GiB an
operator, and nothing in it limits their sum), loop for ever or crash, and the process that would
die of it may be serving another version. So the file is inspected and loaded by a short-lived
child, with a limit in proportion to its files; only what came through that is loaded here. It costs
the start of an interpreter and one more load, about 0.2 s and 0.5 s for 100 MB, while nothing of
it is on the way of a request. What a model takes while it runs is bounded by `arena`.

The trial is on the CPU, also of a model for a GPU: what the CPU has no code for is then left to the load.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Sequence

from slipway_runtime.engine.providers import CUDA
from slipway_runtime.failures import Reason, StartupError

_MIB = 1 << 20
# Parsed, copied into tensors and packed for the processor, a weight exists up to three times.
_MEMORY_A_BYTE = 4
_MEMORY_BESIDE = 64 * _MIB
_SECONDS = 300
_SHOWN_CHARACTERS = 1000  # names in a hostile file can be of any length


def pass_or_raise(model: pathlib.Path, *, providers: Sequence[str]) -> None:
    """Blocks: use a thread. Raises StartupError(UnsafeModel or ModelLoadFailed).

    `providers` are those that the model may run on after it.
    """
    size = sum(path.stat().st_size for path in model.parent.iterdir())
    memory = size * _MEMORY_A_BYTE + _MEMORY_BESIDE
    verdict = _verdict(model, memory)
    if unsafe := verdict.get("unsafe"):
        raise _failure(Reason.UNSAFE_MODEL, unsafe)
    unloadable = verdict.get("unloadable")
    if CUDA not in providers:  # of the operators that are served, some have code for a GPU alone
        unloadable = unloadable or verdict.get("unimplemented")
    if unloadable:
        raise _failure(Reason.MODEL_LOAD_FAILED, f"onnxruntime could not load it: {unloadable}")
    if "large" in verdict:
        raise _failure(
            Reason.UNSAFE_MODEL,
            f"with files of {size / _MIB:.1f} MiB it needs more than {memory / _MIB:.0f} MiB to be loaded: "
            "it computes large constants; store them in the model",
        )


def _verdict(model: pathlib.Path, memory: int) -> dict[str, str]:
    program = "slipway_runtime.engine.trial_program"
    numbers = map(str, (memory, _SECONDS, os.getpid()))
    arguments = [sys.executable, "-m", program, str(model), *numbers]
    done = subprocess.run(arguments, capture_output=True, check=False, env=_environment())
    try:
        verdict: dict[str, str] = json.loads(done.stdout)
    except ValueError:
        return {"unloadable": _death(done.returncode, done.stderr)}
    return verdict


def _environment() -> dict[str, str]:
    """Without what this process was configured with: a child that reads models needs no credentials."""
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR", "ORT_DISABLE_TELEMETRY")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _death(code: int, errors: bytes) -> str:
    if code == -signal.SIGALRM:
        return f"a trial was not over after {_SECONDS} s"
    if code < 0:
        return f"a trial ended with {signal.Signals(-code).name}"
    last = errors.decode(errors="replace").strip().splitlines()[-1:]
    return f"a trial ended with code {code}: {''.join(last)[:500]}"


def _failure(reason: Reason, what: str) -> StartupError:
    return StartupError(reason, f"model.onnx: {what[:_SHOWN_CHARACTERS]}", subject="model.onnx")
