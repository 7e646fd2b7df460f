"""An onnxruntime session: arrays in by name, arrays out by name.

Always made from a path: from bytes it stalls the whole process while it parses and keeps the bytes
for ever. Not for two threads at once: its owner calls `run` from one. Knows nothing of text.
"""

import os
import pathlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime

from slipway_runtime.engine import arena, locales, ports, providers, pruning, trial
from slipway_runtime.engine.model import Array, Clock, OutOfMemoryError, RunAbortedError, RunControl
from slipway_runtime.engine.ports import Port
from slipway_runtime.failures import Reason, StartupError

_NO_MEMORY = (
    arena.NO_MEMORY,
    "Failed to allocate",
    "bad_alloc",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What shapes a session: the hardware asked for, the threads of one run, and what runs may take.

    `run_bytes` is for all runs on the CPU together; the first session of the process decides.
    `gpu_bytes` is for this session, weights included; None is all there is. With `prune` the session
    does not compute what its answers do not depend on.
    """

    provider: providers.Choice
    threads: int
    run_bytes: int = 1 << 30
    gpu_bytes: int | None = None
    prune: bool = True


class Session:
    """One loaded model."""

    def __init__(self, path: pathlib.Path, options: SessionOptions) -> None:
        """Load `path`. Raises StartupError(UnsafeModel, ModelLoadFailed or ProviderUnavailable)."""
        wanted = providers.candidates(options.provider, installed=onnxruntime.get_available_providers())
        trial.pass_or_raise(path, providers=wanted)
        self._session = _create(path, options, wanted)
        self.provider = providers.confirm(options.provider, obtained=self._session.get_providers())
        self.clock = _clock(self.provider, options.threads)
        self.inputs: tuple[Port, ...] = tuple(map(ports.read, self._session.get_inputs()))
        self.outputs: tuple[Port, ...] = tuple(map(ports.read, self._session.get_outputs()))

    def run(self, names: Sequence[str], feed: Mapping[str, Array], control: RunControl) -> list[Any]:
        """The outputs called `names`, in that order. Releases the GIL while it computes.

        Raises OutOfMemoryError, RunAbortedError, or what onnxruntime raises.
        """
        arena.give_back(control.options)
        try:
            outputs: list[Any] = self._session.run(names, feed, control.options)
        except Exception as error:  # onnxruntime's exceptions share no base but this
            raise _named(error, control) from error
        return outputs

    def describe(self) -> str:
        """Its inputs and outputs, for people."""
        return f"it reads {', '.join(map(str, self.inputs))} and gives {', '.join(map(str, self.outputs))}"


def unusable(what: str) -> StartupError:
    """The failure of a model that loads and cannot be used."""
    return StartupError(Reason.MODEL_LOAD_FAILED, f"model.onnx: {what}", subject="model.onnx")


def _clock(provider: str, threads: int) -> Clock:
    """A run that has one thread to itself is timed by the processor: a neighbour that takes the core
    interrupts long runs and not short ones, so by the wall's clock fewer rows a run would look cheaper.
    """
    return time.thread_time if provider == providers.CPU and threads == 1 else time.perf_counter


def _create(path: pathlib.Path, options: SessionOptions, wanted: Sequence[str]) -> Any:  # it has no types
    os.environ.pop("ORT_LOAD_CONFIG_FROM_MODEL", None)  # a model must not bring its own session options
    if providers.CUDA in wanted:
        onnxruntime.preload_dlls(directory="")  # the CUDA libraries that came with the wheel

    def load(chosen: Sequence[str]) -> Any:
        def load_file(file: pathlib.Path) -> Any:
            # onnxruntime's own fallback prints, and opens a path again that may be gone, even after a run.
            return onnxruntime.InferenceSession(
                str(file),
                sess_options=_tuned(options),
                providers=providers.configured(chosen, options.gpu_bytes),
                enable_fallback=0,
            )

        def loaded() -> Any:
            return pruning.load(path, load_file) if options.prune else load_file(path)

        return locales.with_english(loaded, scratch=path.parent)

    try:
        return providers.first_that_loads(wanted, load)
    except Exception as error:  # onnxruntime's exceptions share no base but this
        raise StartupError(
            Reason.MODEL_LOAD_FAILED, f"onnxruntime could not load model.onnx: {error}", subject="model.onnx"
        ) from error


def _tuned(options: SessionOptions) -> Any:
    tuned = onnxruntime.SessionOptions()
    tuned.intra_op_num_threads = options.threads
    tuned.inter_op_num_threads = 1
    tuned.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Idle threads that spin burn the quota that the event loop needs.
    tuned.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # It keeps a plan for every shape ever seen, and ragged text has them all; no speed is lost.
    tuned.enable_mem_pattern = False
    arena.share(tuned, limit=options.run_bytes)
    tuned.log_severity_level = 4  # what it logs as errors it also raises, and that reaches our log
    return tuned


def _named(error: Exception, control: RunControl) -> Exception:
    """The error of a run as this layer names it, or itself: onnxruntime tells them apart by words only."""
    if control.aborted:
        return RunAbortedError("the run was ended before it was done")
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return OutOfMemoryError(str(error))
    return error
