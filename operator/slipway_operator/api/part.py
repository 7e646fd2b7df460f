"""How a part of an InferenceModel is parsed: what the models of spec and status have in common.

It knows no field of the CRD.
"""

import re
from collections.abc import Callable

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """Immutable and strict. An unknown field is ignored: a newer CRD must not stop an older operator."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def must(hold: Callable[[str], object], sentence: str) -> AfterValidator:
    """A rule on a text, with the sentence that its author reads when it is broken."""

    def check(text: str) -> str:
        if not hold(text):
            raise ValueError(sentence)
        return text

    return AfterValidator(check)


def matching(pattern: str) -> Callable[[str], bool]:
    """Whether the whole text matches: Python's `$` alone would let a final newline pass."""
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None
