"""A model proves itself: examples with known answers, run as requests are, before the pod is ready.

A wrong answer fails the pod. A slow one does not: a busy node must not stop the live version from
restarting. Knows nothing of where the examples come from.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from slipway_runtime.artifacts.manifest import Golden
from slipway_runtime.engine.model import Classification
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.scheduling.predictor import Predictor, RowFailedError

_SLOW_SECONDS = 1.0
_SHOWN_CHARACTERS = 200

_log = structlog.get_logger("slipway.verification")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the model must say about `text`: this label, with a score in [least, most].

    Scores of a regression have no bounds of their own.
    """

    text: str
    label: str
    least: float = -math.inf
    most: float = math.inf
    origin: str = "an example"

    @property
    def wanted(self) -> str:
        """For people."""
        if math.isfinite(self.most):
            return f"{self.label} with a score of {self.least:.4f} to {self.most:.4f}"
        least = f" with a score of at least {self.least:.4f}" if math.isfinite(self.least) else ""
        return f"{self.label}{least}"

    def met_by(self, got: Classification) -> bool:
        return got.label == self.label and self.least <= got.score <= self.most

    @classmethod
    def from_golden(cls, golden: Golden) -> "Expectation":
        return cls(
            text=golden.text,
            label=golden.label,
            least=golden.score - golden.tolerance,
            most=golden.score + golden.tolerance,
            origin="a golden example of the bundle",
        )


async def verify(predictor: Predictor, expectations: Sequence[Expectation]) -> None:
    """Raises StartupError(GoldenMismatch) with the first answer that is not as expected."""
    for expectation in expectations:
        began = time.monotonic()
        got = await _predict(predictor, expectation)
        took = time.monotonic() - began
        if not expectation.met_by(got):
            raise _mismatch(expectation, f"{got.label} ({got.score:.4f})")
        if took > _SLOW_SECONDS:
            _log.warning("verification_slow", text=_shown(expectation.text), seconds=round(took, 3))


async def _predict(predictor: Predictor, expectation: Expectation) -> Classification:
    try:
        result = (await predictor.predict([expectation.text])).results[0]
        if isinstance(result, RowFailedError):
            raise result
    except Exception as error:
        raise _mismatch(expectation, f"an error: {error}") from error
    return result


def _mismatch(expectation: Expectation, got: str) -> StartupError:
    return StartupError(
        Reason.GOLDEN_MISMATCH,
        f"{expectation.origin} is answered wrongly: {_shown(expectation.text)} should be "
        f"{expectation.wanted}, got {got}",
        subject=_shown(expectation.text),
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…")
