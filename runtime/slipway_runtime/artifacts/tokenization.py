"""The texts of tokenizer_config.json and special_tokens_map.json: what is said about a tokenizer beside it.

transformers pads and cuts by these, and by tokenizer.json only where they say nothing. Knows no files and
no tokenizer: bytes in, `Tokenization` out.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

import pydantic

from slipway_runtime.artifacts.config import Config
from slipway_runtime.failures import Reason, StartupError

# transformers writes 10^30 for no bound.
_NO_BOUND = 1 << 32
# Their classes pad on the left unless a file says otherwise; the names end with Fast or not.
_PADS_LEFT = frozenset(
    {
        "CodeLlamaTokenizer",
        "CohereTokenizer",
        "CpmAntTokenizer",
        "CpmTokenizer",
        "GemmaTokenizer",
        "LlamaTokenizer",
        "XLNetTokenizer",
    }
)
_LEFT = "left"


@dataclass(frozen=True, slots=True)
class Tokenization:
    """None where nothing is said.

    `usually_left` is the side of the tokenizer's class, for where not even tokenizer.json names one.
    `model_pad_id` and `model_unpadded` are what config.json says of the model: see `Config`.
    """

    pad_token: str | None = None
    pad_type: int | None = None
    pads_left: bool | None = None
    usually_left: bool = False
    cuts_left: bool | None = None
    max_tokens: int | None = None
    model_pad_id: int | None = None
    model_unpadded: bool = False

    def of_model(self, config: Config) -> "Tokenization":
        return replace(self, model_pad_id=config.pad_id, model_unpadded=config.unpadded)


class _Document(pydantic.BaseModel):
    pad_token: str | dict[str, Any] | None = None
    pad_token_type_id: int | None = None
    padding_side: str | None = None
    truncation_side: str | None = None
    model_max_length: float | None = pydantic.Field(
        None, validation_alias=pydantic.AliasChoices("model_max_length", "max_len")
    )
    tokenizer_class: str | None = None


def read(text: bytes, *, subject: str) -> Tokenization:
    """Of tokenizer_config.json. Raises StartupError(BundleInvalid)."""
    document = _document(text, subject)
    most = document.model_max_length
    return Tokenization(
        pad_token=_token(document, subject),
        pad_type=document.pad_token_type_id,
        pads_left=_is_left(document.padding_side, "padding_side", subject),
        usually_left=(document.tokenizer_class or "").removesuffix("Fast") in _PADS_LEFT,
        cuts_left=_is_left(document.truncation_side, "truncation_side", subject),
        max_tokens=int(most) if most is not None and 1 <= most < _NO_BOUND else None,
    )


def read_pad_token(text: bytes, *, subject: str) -> str | None:
    """Of special_tokens_map.json. Raises StartupError(BundleInvalid)."""
    return _token(_document(text, subject), subject)


def _document(text: bytes, subject: str) -> _Document:
    try:
        return _Document.model_validate(json.loads(text))
    except RecursionError as error:
        raise _invalid(subject, "it is nested too deeply") from error
    except pydantic.ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, problem["loc"])) or "the document"
        raise _invalid(subject, f"{key}: {problem['msg']}") from error
    except ValueError as error:
        raise _invalid(subject, str(error)) from error


def _token(document: _Document, subject: str) -> str | None:
    """A token is written as its text, or as an object with its `content`."""
    token = document.pad_token
    if not isinstance(token, dict):
        return token
    content = token.get("content")
    if not isinstance(content, str):
        raise _invalid(subject, "pad_token: it has no `content`")
    return content


def _is_left(side: str | None, key: str, subject: str) -> bool | None:
    if side not in (None, _LEFT, "right"):
        raise _invalid(subject, f"{key}: it is {side!r}, and should be left or right")
    return None if side is None else side == _LEFT


def _invalid(subject: str, message: str) -> StartupError:
    return StartupError(Reason.BUNDLE_INVALID, f"{subject}: {message}", subject=subject)
