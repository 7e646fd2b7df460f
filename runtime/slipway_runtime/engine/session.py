"""An onnxruntime session over token ids.

Always made from a path: from bytes it stalls the whole process while it parses and keeps the bytes
for ever. Not for two threads at once: its owner calls `run` from one. Knows nothing of text.
"""

import os
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from slipway_runtime.engine import providers
from slipway_runtime.engine.model import OutOfMemoryError, RunAbortedError, RunControl
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.preprocessing.text import Ids

Logits = npt.NDArray[np.float32]

_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
_OUTPUT = "logits"
_NO_MEMORY = ("Failed to allocate", "bad_alloc", "out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What shapes a session: the hardware asked for and the threads of one run."""

    provider: providers.Choice
    threads: int


class Session:
    """One loaded model: token ids in, logits out."""

    def __init__(self, path: pathlib.Path, options: SessionOptions) -> None:
        """Load `path`. Raises StartupError(ModelLoadFailed or ProviderUnavailable)."""
        self._session = _create(path, options)
        self.provider = providers.confirm(options.provider, obtained=self._session.get_providers())
        self._inputs = frozenset(put.name for put in self._session.get_inputs())
        self._check_signature()

    def run(self, ids: Ids, mask: Ids, control: RunControl) -> Logits:
        """`ids` and `mask` are [n, tokens]; the answer is [n, labels]. Releases the GIL while it runs."""
        feed = {"input_ids": ids}
        if "attention_mask" in self._inputs:
            feed["attention_mask"] = mask
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.zeros_like(ids)  # one text a row, so all of the first kind
        try:
            logits: Logits = self._session.run([_OUTPUT], feed, control.options)[0]
        except Exception as error:  # onnxruntime's exceptions share no base but this
            raise _named(error, control) from error
        return logits

    def _check_signature(self) -> None:
        outputs = [put.name for put in self._session.get_outputs()]
        if "input_ids" not in self._inputs or self._inputs - _INPUTS or _OUTPUT not in outputs:
            raise _failed(
                f"it reads {sorted(self._inputs)} and gives {outputs}; a text classifier reads input_ids and "
                "attention_mask and gives logits"
            )


def _create(path: pathlib.Path, options: SessionOptions) -> Any:  # onnxruntime has no types
    os.environ.pop("ORT_LOAD_CONFIG_FROM_MODEL", None)  # a model must not bring its own session options
    wanted = providers.candidates(options.provider, installed=onnxruntime.get_available_providers())
    if providers.CUDA in wanted:
        onnxruntime.preload_dlls(directory="")  # the CUDA libraries that came with the wheel
    try:
        return onnxruntime.InferenceSession(str(path), sess_options=_tuned(options.threads), providers=wanted)
    except Exception as error:  # onnxruntime's exceptions share no base but this
        raise _failed(str(error)) from error


def _tuned(threads: int) -> Any:
    tuned = onnxruntime.SessionOptions()
    tuned.intra_op_num_threads = threads
    tuned.inter_op_num_threads = 1
    tuned.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Idle threads that spin burn the quota that the event loop needs.
    tuned.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Both keep memory for every shape ever seen, and ragged text has them all; no speed is lost.
    tuned.enable_cpu_mem_arena = False
    tuned.enable_mem_pattern = False
    tuned.log_severity_level = 4  # what it logs as errors it also raises, and that reaches our log
    return tuned


def _named(error: Exception, control: RunControl) -> Exception:
    """The error of a run as this layer names it, or itself: onnxruntime tells them apart by words only."""
    if control.aborted:
        return RunAbortedError("the run was ended before it was done")
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return OutOfMemoryError(str(error))
    return error


def _failed(what: str) -> StartupError:
    return StartupError(
        Reason.MODEL_LOAD_FAILED, f"onnxruntime could not load model.onnx: {what}", subject="model.onnx"
    )
