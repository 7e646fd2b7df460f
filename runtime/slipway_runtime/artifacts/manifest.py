"""The text of slipway.yaml and of config.json, read into what the rest of the runtime needs.

Knows no files and no sources: bytes in, `Description` out.
"""

import enum
import json
from dataclasses import dataclass
from typing import Annotated, Literal

import pydantic
import pydantic.alias_generators
import yaml

from slipway_runtime.failures import Reason, StartupError

_DEFAULT_MAX_TOKENS = 512


class Postprocessing(enum.StrEnum):
    """How logits become scores."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


@dataclass(frozen=True, slots=True)
class Golden:
    """A text and what the training side got for it. `tolerance` is absolute, on the score."""

    text: str
    label: str
    score: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a file must be: its size in bytes and its sha256 in hex."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Description:
    """What a bundle says about itself. `files` is None when it lists none (no slipway.yaml)."""

    labels: tuple[str, ...]
    max_tokens: int
    postprocessing: Postprocessing
    goldens: tuple[Golden, ...]
    files: dict[str, FileEntry] | None


class _Strict(pydantic.BaseModel):
    # A misspelt `golden` would silently switch a check off, so unknown keys are errors.
    model_config = pydantic.ConfigDict(
        extra="forbid", alias_generator=pydantic.alias_generators.to_camel, validate_by_name=True
    )


class _Inputs(_Strict):
    max_tokens: Annotated[int, pydantic.Field(ge=1, le=8192)]


class _Golden(_Strict):
    text: Annotated[str, pydantic.Field(max_length=16384)]
    label: str
    score: Annotated[float, pydantic.Field(ge=0, le=1)]
    tolerance: Annotated[float, pydantic.Field(gt=0, le=1)] = 0.01


class _File(_Strict):
    sha256: Annotated[str, pydantic.Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, pydantic.Field(ge=0)]


class _Manifest(_Strict):
    schema_version: Literal[1]
    task: Literal["text-classification"]
    labels: Annotated[list[str], pydantic.Field(min_length=1, max_length=10_000)]
    inputs: _Inputs
    postprocessing: Postprocessing = Postprocessing.SOFTMAX
    golden: Annotated[list[_Golden], pydantic.Field(max_length=1000)] = []
    files: Annotated[dict[str, _File], pydantic.Field(min_length=1, max_length=1000)]


class _Config(pydantic.BaseModel):
    """The few keys of a Hugging Face config.json that matter here."""

    id2label: dict[int, str]
    max_position_embeddings: int = _DEFAULT_MAX_TOKENS
    problem_type: str | None = None


def read(text: bytes, *, subject: str) -> Description:
    """Read slipway.yaml. Raises StartupError(BundleInvalid) with the line or key that is wrong."""
    try:
        manifest = _Manifest.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise _invalid(subject, f"it is not YAML: {' '.join(str(error).split())}") from error
    except pydantic.ValidationError as error:
        raise _invalid(subject, _first(error)) from error
    return Description(
        labels=tuple(manifest.labels),
        max_tokens=manifest.inputs.max_tokens,
        postprocessing=manifest.postprocessing,
        goldens=tuple(
            Golden(text=g.text, label=g.label, score=g.score, tolerance=g.tolerance) for g in manifest.golden
        ),
        files={name: FileEntry(sha256=f.sha256, size=f.size) for name, f in manifest.files.items()},
    )


def read_config(text: bytes, *, subject: str) -> Description:
    """Read config.json of a bundle that has no slipway.yaml: labels, and no promise to check."""
    try:
        config = _Config.model_validate(json.loads(text))
    except ValueError as error:  # pydantic's and json's errors are both ValueErrors
        what = _first(error) if isinstance(error, pydantic.ValidationError) else str(error)
        raise _invalid(subject, what) from error
    if sorted(config.id2label) != list(range(len(config.id2label))) or not config.id2label:
        raise _invalid(subject, "id2label must name the logits 0, 1, 2 … without a gap")
    several = config.problem_type == "multi_label_classification"
    return Description(
        labels=tuple(config.id2label[index] for index in range(len(config.id2label))),
        max_tokens=max(1, min(config.max_position_embeddings, _DEFAULT_MAX_TOKENS)),
        postprocessing=Postprocessing.SIGMOID if several else Postprocessing.SOFTMAX,
        goldens=(),
        files=None,
    )


def _first(error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the document'}: {problem['msg']}"


def _invalid(subject: str, message: str) -> StartupError:
    return StartupError(Reason.BUNDLE_INVALID, f"{subject}: {message}", subject=subject)
