"""From a bundle on disk to a Model in memory: which form it has, and nothing else."""

from slipway_runtime.artifacts.bundle import Bundle
from slipway_runtime.artifacts.manifest import Form
from slipway_runtime.engine.model import Model
from slipway_runtime.engine.session import SessionOptions
from slipway_runtime.engine.strings import StringClassifier
from slipway_runtime.engine.tensors import TensorModel
from slipway_runtime.engine.tokenized import TokenClassifier


def load(bundle: Bundle, options: SessionOptions) -> Model:
    """Load the bundle. Takes seconds: use a thread. Raises StartupError."""
    match bundle.description.form:
        case Form.TOKENS:
            return TokenClassifier(bundle, options)
        case Form.STRINGS:
            return StringClassifier(bundle, options)
        case Form.TENSORS:
            return TensorModel(bundle, options)
