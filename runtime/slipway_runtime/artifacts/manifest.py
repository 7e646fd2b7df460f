"""The text of slipway.yaml, beside a config.json or without, read into what the rest of the runtime needs.

Knows no files and no sources: bytes in, `Description` out. The models below are also where
`schemas/slipway.schema.json` comes from, so their docstrings and descriptions are for the writers of bundles.
"""

import enum
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pydantic
import pydantic.alias_generators
import yaml
from pydantic import Field

from slipway_runtime.artifacts.tokenization import Tokenization
from slipway_runtime.failures import Reason, StartupError


class Form(enum.StrEnum):
    """What a model reads, and so who prepares it."""

    TOKENS = "tokens"  # text through the bundle's tokenizer.json
    STRINGS = "strings"  # text as it is: the model has its own preprocessing
    TENSORS = "tensors"  # whatever its ONNX inputs say, sent by clients of the Open Inference Protocol


class Postprocessing(enum.StrEnum):
    """How the model's numbers become scores."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"
    NONE = "none"


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
    """What a bundle says about itself.

    `labels` is empty for tensors. `max_tokens` and `postprocessing` are None while nothing has been said;
    of a text's tokens tokenizer.json may allow fewer. `threshold` is None unless several labels may apply
    to one text. `scores` names the ONNX output to read, None the usual one. `batched` is None when the
    model itself shall tell. `files` is None when there is no slipway.yaml to list them. `classifies`: of
    tensors without a slipway.yaml, whether a config.json beside them promises answers to texts.
    """

    form: Form
    labels: tuple[str, ...] = ()
    max_tokens: int | None = None
    postprocessing: Postprocessing | None = None
    threshold: float | None = None
    scores: str | None = None
    batched: bool | None = None
    goldens: tuple[Golden, ...] = ()
    files: dict[str, FileEntry] | None = None
    tokenization: Tokenization = field(default_factory=Tokenization)
    classifies: bool = False


class _Strict(pydantic.BaseModel):
    # A misspelt `golden` would silently switch a check off, so unknown keys are errors.
    model_config = pydantic.ConfigDict(
        extra="forbid",
        alias_generator=pydantic.alias_generators.to_camel,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )


class Inputs(_Strict):
    """How a text is prepared."""

    max_tokens: Annotated[int, Field(ge=1, le=8192)]
    """Tokens beyond this many are cut off, by the rules of tokenizer.json, which may allow fewer."""


class Outputs(_Strict):
    """Which outputs of the model are read."""

    scores: Annotated[str, Field(min_length=1, max_length=256)]
    """The ONNX output with one number a label. Not needed when it is `logits` or the only one of floats."""


class GoldenExample(_Strict):
    """A text with the answer of the training side."""

    text: Annotated[str, Field(max_length=16384)]
    label: str
    """The best label."""
    score: Annotated[float, Field(allow_inf_nan=False)]
    """Its score: 0 to 1, unless the model's numbers are left as they are."""
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.01
    """How far the score may be off, absolutely."""


class BundleFile(_Strict):
    """A file of the bundle."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    """In bytes."""


class Manifest(_Strict):
    """What a model bundle says about itself, so that it is served as it was trained."""

    schema_version: Literal[1]
    task: Literal["text-classification", "tensors"]
    """`tensors` shows the inputs and outputs of the model as they are, over the Open Inference Protocol."""
    labels: Annotated[list[str], Field(min_length=1, max_length=10_000)] | None = None
    """In the order of the model's scores. When absent, `id2label` of config.json."""
    inputs: Inputs | None = None
    outputs: Outputs | None = None
    postprocessing: Postprocessing | None = None
    """From the model's numbers to scores. When absent: `none` without a tokenizer.json, and with one by
    config.json: `sigmoid` of one label or of several that may apply, `none` of a regression, else softmax."""
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    """For models whose labels do not exclude each other: all labels with at least this score apply."""
    batched: bool | None = None
    """For `tensors`: whether the first axis counts independent rows; when absent, it is tried out. For texts:
    `false` runs each alone, `true` pads them and runs them together, whatever is found in the model."""
    golden: Annotated[list[GoldenExample], Field(max_length=1000)] = []
    """Checked before a pod is ready."""
    files: Annotated[dict[str, BundleFile], Field(min_length=1, max_length=1000)]
    """Every other file of the bundle."""


def schema() -> dict[str, Any]:
    """The JSON Schema of slipway.yaml; `schemas/slipway.schema.json` is a copy of it for other programs."""
    written = _without_titles(Manifest.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "slipway.yaml", **written}


def read(text: bytes, *, subject: str, tokenizer: str) -> Description:
    """Read slipway.yaml. `tokenizer` is the name of the file that makes a bundle tokenize.

    Raises StartupError(BundleInvalid) with the line or key that is wrong.
    """
    try:
        manifest = Manifest.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise _invalid(subject, f"it is not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise _invalid(subject, "it is nested too deeply") from error
    except pydantic.ValidationError as error:
        raise _invalid(subject, _first(error)) from error
    form = _form(manifest, tokenizer)
    if wrong := _contradiction(manifest, form):
        raise _invalid(subject, wrong)
    return Description(
        form=form,
        labels=tuple(manifest.labels or ()),
        max_tokens=manifest.inputs.max_tokens if manifest.inputs else None,
        postprocessing=manifest.postprocessing,
        threshold=manifest.threshold,
        scores=manifest.outputs.scores if manifest.outputs else None,
        batched=manifest.batched,
        goldens=tuple(
            Golden(text=g.text, label=g.label, score=g.score, tolerance=g.tolerance) for g in manifest.golden
        ),
        files={name: FileEntry(sha256=f.sha256, size=f.size) for name, f in manifest.files.items()},
    )


def _without_titles(part: Any) -> Any:
    """pydantic's titles repeat the names. A property that is called title would be a mapping."""
    if isinstance(part, list):
        return [_without_titles(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_titles(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }


def _form(manifest: Manifest, tokenizer: str) -> Form:
    if manifest.task == "tensors":
        return Form.TENSORS
    return Form.TOKENS if tokenizer in manifest.files else Form.STRINGS


def _contradiction(manifest: Manifest, form: Form) -> str | None:
    """What the parts of `manifest` say against each other."""
    labels = manifest.labels or []
    if form is Form.TENSORS:
        text_only = ("labels", "inputs", "outputs", "postprocessing", "threshold", "golden")
        given = [name for name in text_only if getattr(manifest, name)]
        return f"{given[0]}: it is for text, and the task is tensors" if given else None
    if len(set(labels)) < len(labels):
        return "labels: a label stands there twice"
    if strangers := sorted({golden.label for golden in manifest.golden} - set(labels)) if labels else []:
        return f"golden: {strangers[0]!r} is none of the labels"
    return None


def _first(error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the document'}: {problem['msg']}"


def _invalid(subject: str, message: str) -> StartupError:
    return StartupError(Reason.BUNDLE_INVALID, f"{subject}: {message}", subject=subject)
