"""The text of a Hugging Face config.json, read into the few things in it that matter here.

Knows no files and no slipway.yaml: bytes in, `Config` out.
"""

import json
from dataclasses import dataclass
from typing import Any

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
_CLASSIFIERS = "ForSequenceClassification"


@dataclass(frozen=True, slots=True)
class Config:
    """`labels` is empty where there are none; `max_tokens` is None where nothing bounds them.

    `problem` is transformers' problem_type, "" where none is said. `activation` is what the CrossEncoder of
    sentence-transformers applies, as the path of a class, "" where the file is none of its own. `pad_id` is
    what the graph takes for padding; `unpadded`: the file is a model's, and names no such id. `classifies`:
    it promises one answer a text.
    """

    labels: tuple[str, ...] = ()
    max_tokens: int | None = None
    problem: str = ""
    activation: str = ""
    pad_id: int | None = None
    unpadded: bool = False
    classifies: bool = False


class _Document(pydantic.BaseModel):
    architectures: list[str] | None = None
    id2label: dict[int, str] | None = None
    max_position_embeddings: int | None = None
    model_type: str | None = None
    pad_token_id: int | None = None
    problem_type: str | None = None
    sentence_transformers: Any = None
    sbert_ce_default_activation_function: str | None = None


def read(text: bytes, *, subject: str, labelled: bool = False) -> Config:
    """`labelled`: the labels are known already, and id2label is not looked at.

    Raises StartupError(BundleInvalid).
    """
    try:
        written = json.loads(text)
        if labelled and isinstance(written, dict):
            written.pop("id2label", None)
        document = _Document.model_validate(written)
    except RecursionError as error:
        raise _invalid(subject, "it is nested too deeply") from error
    except ValueError as error:  # pydantic's and json's errors are both ValueErrors
        what = _first(error) if isinstance(error, pydantic.ValidationError) else str(error)
        raise _invalid(subject, what) from error
    names = document.id2label or {}
    # -1 is what some write for none.
    pad_id = document.pad_token_id if (document.pad_token_id or 0) >= 0 else None
    if sorted(names) != list(range(len(names))):
        raise _invalid(subject, "id2label must name the logits 0, 1, 2 … without a gap")
    return Config(
        labels=tuple(names[index] for index in range(len(names))),
        max_tokens=_max_tokens(document),
        problem=document.problem_type or "",
        activation=_activation(document),
        pad_id=pad_id,
        unpadded=pad_id is None and document.model_type is not None,
        classifies=_classifies(document),
    )


def _activation(document: _Document) -> str:
    """Of sentence-transformers: from version 4 on in a part of its own, before that in a key of its own."""
    part = document.sentence_transformers
    said = part.get("activation_fn") if isinstance(part, dict) else None
    return str(said or document.sbert_ce_default_activation_function or "")


def _classifies(document: _Document) -> bool:
    if document.architectures:
        return any(name.endswith(_CLASSIFIERS) for name in document.architectures)
    return bool(document.id2label)


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
