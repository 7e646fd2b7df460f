"""What a model in memory can do, whatever its form: the contract between the engine and what is above it.

Rows go in, answers come out, and nobody above the engine knows what either is made of. Knows no
queue and no protocol; the forms of models stand in modules of their own.
"""

import enum
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt
import onnxruntime

Array = npt.NDArray[Any]
Clock = Callable[[], float]
"""Seconds since some moment, as the thread that asks has spent them."""
Answer = tuple[Array, ...]
"""One row of a run's outputs, an array each, without the batch axis; of a text: (scores [labels],)."""


class Batching(enum.StrEnum):
    """Which rows may be in one run, so that none's answer depends on the others."""

    ANY = "any"  # of any lengths: the shorter ones are padded
    SAME_LENGTH = "same length"  # nothing is padded
    NONE = "none"  # each request of tensors, and each text, has a run of its own


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of a request: what may be put beside other rows in one run.

    `values` has one array a model input, without the batch axis; of a tokenized text (ids [tokens],).
    `length` is the tokens of a text and 1 for anything else: the L of T(n, L). Rows run together
    only when their `kind` is equal; None is ragged text, which the model pads itself, and of text that
    must not be padded it is the length.
    """

    values: tuple[Array, ...]
    length: int = 1
    kind: Hashable = None

    @property
    def is_text(self) -> bool:
        """Whether its length says what it costs: of tensors it does not."""
        return self.kind is None or self.kind == self.length


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or an output as the Open Inference Protocol names it; -1 is a variable dimension.

    `datatype` is BOOL, INT8 … FP64 or BYTES. The batch axis is part of `shape`.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What clients may send and will get. `batched`: the first axis of every tensor counts rows."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    batched: bool


@dataclass(frozen=True, slots=True)
class Classification:
    """The best label of one text, its score, and the scores of all labels in their order.

    Scores are in 0…1, but for a model whose numbers are left as they are, as a regression's.

    `labels` are all those that apply: the ones over the threshold of a multi-label model (there may
    be none), the best one alone of any other.
    """

    label: str
    score: float
    scores: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one run of `rows` by `tokens` took, by the model's clock."""

    rows: int
    tokens: int
    seconds: float


class NotANumberError(Exception):
    """The model answered a row with NaN or infinity."""


class OutOfMemoryError(Exception):
    """A run wanted more memory than there is: fewer rows, or shorter ones, may still fit."""


class RunAbortedError(Exception):
    """The run was ended through its RunControl."""


class InvalidInputError(Exception):
    """What a client sent does not fit the model. The message is for that client."""


class RunControl:
    """One run's way to be ended early. Not to be used for a second run once it was aborted."""

    __slots__ = ("options",)

    def __init__(self) -> None:
        self.options: Any = onnxruntime.RunOptions()  # onnxruntime has no types

    def abort(self) -> None:
        """Make the run end with RunAbortedError before its next node. From any thread, at any time."""
        self.options.terminate = True

    @property
    def aborted(self) -> bool:
        return bool(self.options.terminate)


class Model(Protocol):
    """One model version in memory."""

    @property
    def provider(self) -> str:
        """The onnxruntime execution provider that it really runs on."""

    @property
    def clock(self) -> Clock:
        """What runs are timed by, in the thread that runs them."""

    @property
    def batching(self) -> Batching:
        """Which rows may be given to one `run`; their kinds say so, but for `NONE`."""

    @property
    def signature(self) -> Signature:
        """As a client of the Open Inference Protocol sees it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the scores; empty when the model takes no text."""

    @property
    def is_text(self) -> bool:
        """Whether `encode` and `decode` may be used."""

    def run(self, rows: Sequence[Row], control: RunControl) -> list[Answer]:
        """One answer a row, in order. For one thread at a time; releases the GIL while it computes.

        Raises OutOfMemoryError, NotANumberError, RunAbortedError, or whatever onnxruntime raises.
        """

    def warm_up(self, *, max_rows: int, budget_s: float) -> list[Timing]:
        """Run the shapes that will come, so that no request pays for what is done lazily, and time them.

        Starts no further shape after `budget_s` seconds. Raises StartupError(ModelLoadFailed) when
        the model cannot run, or its answers are not what its bundle says.
        """

    def encode(self, texts: Sequence[str]) -> list[Row]:
        """One row a text. Safe in any thread. Raises TypeError when the model takes no text."""

    def decode(self, answer: Answer) -> Classification:
        """What an answer says. Raises TypeError when the model takes no text."""

    def rows(self, inputs: Mapping[str, Array]) -> list[Row]:
        """The rows of a request whose tensors fit `signature`; BYTES are object arrays of bytes.

        Raises InvalidInputError for what only the model can tell, such as a text that is not UTF-8.
        """

    def outputs(self, answers: Sequence[Answer]) -> dict[str, Array]:
        """The tensors of `signature.outputs` by name, from the answers to all rows of one request."""
