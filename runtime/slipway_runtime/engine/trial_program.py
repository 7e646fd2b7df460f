"""The program of a trial: `python -m slipway_runtime.engine.trial_program MODEL BYTES SECONDS PARENT`.

Inspects the file, loads it within so much memory and time, and says on standard output what came
of it: one line of JSON, {} when the model may be loaded. Imports little, since a start waits for it.
"""

import contextlib
import ctypes
import json
import mmap
import os
import pathlib
import resource
import signal
import sys

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented  # noqa: A004 its name for it

from slipway_runtime.engine import inspection, locales, wire

_NICENESS = 10
_SIGNAL_AT_PARENTS_DEATH = 1  # prctl's PR_SET_PDEATHSIG
_WARNINGS = 2
_NO_MEMORY = "std::bad_alloc"


def main() -> int:
    path, (memory, seconds, parent) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
    signal.alarm(seconds)  # the default action ends the process, even within onnxruntime
    # Whoever asks may be told to leave, and would not wait.
    ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
    if os.getppid() != parent:  # it has left already
        os._exit(1)
    os.nice(_NICENESS)
    print(json.dumps(_verdict(path, memory)), flush=True)  # noqa: T201 the answer of this program
    os._exit(0)  # nothing of the model is worth an orderly end


def _verdict(path: pathlib.Path, memory: int) -> dict[str, str]:
    try:
        inspection.check(path)
    except inspection.UnsafeError as error:
        return {"unsafe": str(error)}
    except wire.MalformedError as error:
        return {"unloadable": f"it is no ONNX model: {error}"}
    _warm_library()
    _limit(memory)
    warnings = _redirect_warnings()
    verdict = {}
    try:
        locales.with_english(lambda: _load(str(path)), scratch=path.parent)
    except NotImplemented as error:  # which it finds once it has folded constants
        verdict = {"unimplemented": str(error)}
    except Exception as error:  # onnxruntime's exceptions share no base but this
        return {"large": ""} if _NO_MEMORY in str(error) else {"unloadable": str(error)}
    # A constant for which there is no memory is left to be computed in a run, with a warning only.
    return {"large": ""} if _mentions(warnings, _NO_MEMORY.encode()) else verdict


def _load(model: str | bytes) -> None:
    # Its fallback would print to standard output, and try the same again.
    onnxruntime.InferenceSession(
        model, sess_options=_options(), providers=["CPUExecutionProvider"], enable_fallback=0
    )


def _warm_library() -> None:
    """Let onnxruntime take what it needs for any model, before the memory is limited."""
    with contextlib.suppress(Exception):  # an empty model cannot be loaded
        _load(b"")


def _redirect_warnings() -> int:
    """What onnxruntime says from here on goes to a file in memory, whose descriptor this is."""
    descriptor = os.memfd_create("warnings")
    os.dup2(descriptor, 2)
    return descriptor


def _mentions(descriptor: int, word: bytes) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content:
        return content.find(word) >= 0


def _options() -> object:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = _WARNINGS
    return options


def _limit(memory: int) -> None:
    """Let the process take `memory` bytes more than it has. Mapped files do not count."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    used = next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + memory, used + memory))


if __name__ == "__main__":
    sys.exit(main())
