"""The text of a Hugging Face config.json, read into the few things in it that matter here.

Knows no files and no slipway.yaml: bytes in, `Config` out.
"""

import json
from dataclasses import dataclass

import pydantic

from slipway_runtime.failures import Reason, StartupError

# These number their positions from pad_token_id + 1 on, so that many of them are no token's.
_POSITIONS_AFTER_PADDING = frozenset(
    {
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
_USUAL_PADDING = 1  # of those


@dataclass(frozen=True, slots=True)
class Config:
    """`labels` is empty where there are none; `max_tokens` is None where nothing bounds them.

    `several`: more than one label may apply to a text.
    """

    labels: tuple[str, ...]
    max_tokens: int | None
    several: bool


class _Document(pydantic.BaseModel):
    id2label: dict[int, str] | None = None
    max_position_embeddings: int | None = None
    model_type: str | None = None
    pad_token_id: int | None = None
    problem_type: str | None = None


def read(text: bytes, *, subject: str) -> Config:
    """Raises StartupError(BundleInvalid)."""
    try:
        document = _Document.model_validate(json.loads(text))
    except RecursionError as error:
        raise _invalid(subject, "it is nested too deeply") from error
    except ValueError as error:  # pydantic's and json's errors are both ValueErrors
        what = _first(error) if isinstance(error, pydantic.ValidationError) else str(error)
        raise _invalid(subject, what) from error
    names = document.id2label or {}
    if sorted(names) != list(range(len(names))):
        raise _invalid(subject, "id2label must name the logits 0, 1, 2 … without a gap")
    return Config(
        labels=tuple(names[index] for index in range(len(names))),
        max_tokens=_max_tokens(document),
        several=document.problem_type == "multi_label_classification",
    )


def _max_tokens(document: _Document) -> int | None:
    positions = document.max_position_embeddings
    if positions is None or positions < 1:  # -1 of models whose positions are relative
        return None
    if document.model_type in _POSITIONS_AFTER_PADDING:
        padding = _USUAL_PADDING if document.pad_token_id is None else document.pad_token_id
        positions -= padding + 1
    return max(1, positions)


def _first(error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the document'}: {problem['msg']}"


def _invalid(subject: str, message: str) -> StartupError:
    return StartupError(Reason.BUNDLE_INVALID, f"{subject}: {message}", subject=subject)
