"""What slipway.yaml leaves open, as the files say that transformers and sentence-transformers write.

What slipway.yaml says by name holds. Their rules are followed here: a head of one number is a sigmoid, a
regression is left as it is, several labels are a sigmoid each. Pure.
"""

from dataclasses import replace

from slipway_runtime.artifacts.config import Config
from slipway_runtime.artifacts.manifest import Description, Form, Postprocessing
from slipway_runtime.artifacts.tokenization import Tokenization

DEFAULT_MAX_TOKENS = 512
_DEFAULT_THRESHOLD = 0.5
_SEVERAL = "multi_label_classification"
_REGRESSION = "regression"
# By the last part of the path, since it has moved between torch's modules.
_ACTIVATIONS = {"Identity": Postprocessing.NONE, "Sigmoid": Postprocessing.SIGMOID}


class ContradictionError(Exception):
    """The files of a bundle cannot be followed together. The message is for people."""


def completed(said: Description, config: Config, tokenization: Tokenization) -> Description:
    """Raises ContradictionError. `config` and `tokenization` say nothing where there is no such file."""
    described = replace(said, labels=said.labels or config.labels)
    match said.form:
        case Form.TENSORS:
            return said
        case Form.STRINGS:
            return replace(described, postprocessing=said.postprocessing or Postprocessing.NONE)
    activation = said.postprocessing or _activation(config, count=len(described.labels))
    if activation is Postprocessing.SOFTMAX and len(described.labels) == 1:
        raise ContradictionError("postprocessing: softmax of one label is always 1; say sigmoid or none")
    derived = said.postprocessing is None and config.problem == _SEVERAL
    return replace(
        described,
        max_tokens=said.max_tokens or _max_tokens(config, tokenization),
        postprocessing=activation,
        threshold=_DEFAULT_THRESHOLD if derived and said.threshold is None else said.threshold,
        tokenization=tokenization.of_model(config),
    )


def _activation(config: Config, *, count: int) -> Postprocessing:
    """As transformers' pipeline decides; of a head with one number, as its CrossEncoder says before that."""
    if count == 1 and config.activation:
        name = config.activation.rsplit(".", 1)[-1]
        if name not in _ACTIVATIONS:
            raise ContradictionError(
                f"the activation of config.json is {config.activation}, which is not followed: "
                "say `postprocessing` in slipway.yaml"
            )
        return _ACTIVATIONS[name]
    if config.problem == _REGRESSION:
        return Postprocessing.NONE
    return Postprocessing.SIGMOID if count == 1 or config.problem == _SEVERAL else Postprocessing.SOFTMAX


def _max_tokens(config: Config, tokenization: Tokenization) -> int:
    bounds = (DEFAULT_MAX_TOKENS, config.max_tokens, tokenization.max_tokens)
    return min(bound for bound in bounds if bound is not None)
