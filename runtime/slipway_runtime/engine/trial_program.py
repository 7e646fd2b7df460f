"""The program of a trial: `python -m slipway_runtime.engine.trial_program MODEL BYTES SECONDS`.

Inspects the file, loads it within so much memory and time, and says on standard output what came
of it: one line of JSON, {} when the model may be loaded. Imports little, since a start waits for it.
"""

import contextlib
import json
import os
import pathlib
import resource
import signal
import sys

import onnxruntime

from slipway_runtime.engine import inspection, wire

_NICENESS = 10


def main() -> int:
    path, memory, seconds = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    signal.alarm(seconds)  # the default action ends the process, even within onnxruntime
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
    try:
        onnxruntime.InferenceSession(str(path), sess_options=_options(), providers=["CPUExecutionProvider"])
    except MemoryError:
        return {"large": ""}
    except Exception as error:  # onnxruntime's exceptions share no base but this
        if "bad_alloc" in str(error) or "Failed to allocate" in str(error):
            return {"large": ""}
        return {"unloadable": str(error)}
    return {}


def _warm_library() -> None:
    """Let onnxruntime take what it needs for any model, before the memory is limited."""
    with contextlib.suppress(Exception):  # an empty model cannot be loaded
        onnxruntime.InferenceSession(b"", sess_options=_options(), providers=["CPUExecutionProvider"])


def _options() -> object:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return options


def _limit(memory: int) -> None:
    """Let the process take `memory` bytes more than it has. Mapped files do not count."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    used = next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + memory, used + memory))


if __name__ == "__main__":
    sys.exit(main())
