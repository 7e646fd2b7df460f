"""SLIPWAY_MODELS_FILE: the models and versions that this process is asked to serve, as YAML.

    models:
      - {name: sentiment, version: "1", uri: s3://models/sentiment/1}
      - {name: sentiment, version: "2", uri: s3://models/sentiment/2, sha256: <of its slipway.yaml>}

A model's latest version is the last one that is listed of it. Knows nothing of what is loaded.
"""

from collections import Counter
from typing import Annotated

import pydantic
import yaml
from pydantic import Field

from slipway_runtime.artifacts import location
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.settings import Example, expectations
from slipway_runtime.versions.wanted import Wanted

VARIABLE = "SLIPWAY_MODELS_FILE"
MAX_BYTES = 1 << 20

# What may stand in a path, a header and a log without being quoted.
_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=128)]


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    name: _Word
    version: _Word
    uri: str
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    examples: Annotated[list[Example], Field(max_length=1000, alias="verificationExamples")] = []


class _File(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True, frozen=True)

    models: Annotated[list[_Model], Field(max_length=64)]


def understand(content: bytes | str, *, own: Wanted | None) -> tuple[Wanted, ...]:
    """As `parse`; a string says why there is no content, and `own` is what the environment asks for."""
    if isinstance(content, str):
        raise _invalid("", content)
    listed = parse(content)
    if own is not None and own.key in [one.key for one in listed]:
        raise _invalid(
            "models", f"{own} is MODEL_URI's already: list it under another version, or not at all"
        )
    return listed


def parse(content: bytes) -> tuple[Wanted, ...]:
    """What `content` asks for, in its order. Raises StartupError(ConfigurationInvalid), naming the entry."""
    if len(content) > MAX_BYTES:
        raise _invalid("", f"it has {len(content)} bytes; {MAX_BYTES} are allowed")
    try:
        file = _File.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise _invalid("", f"it is not YAML: {' '.join(str(error).split())}") from error
    except (ValueError, RecursionError) as error:
        raise _explain(error) from error
    wanted = tuple(_wanted(index, model) for index, model in enumerate(file.models))
    for key, count in Counter(one.key for one in wanted).items():
        if count > 1:
            raise _invalid("models", f"version {key.version!r} of {key.name!r} is listed {count} times")
    return wanted


def _wanted(index: int, model: _Model) -> Wanted:
    return Wanted(
        name=model.name,
        version=model.version,
        location=location.parse(model.uri, variable=f"{VARIABLE}: models.{index}.uri"),
        digest=model.sha256,
        expectations=expectations(model.examples),
    )


def _explain(error: Exception) -> StartupError:
    if not isinstance(error, pydantic.ValidationError):
        return _invalid("", f"it is not YAML of the kind that is read here: {error}")
    problem = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(map(str, problem["loc"]))
    unquoted = problem["type"] == "string_type" and isinstance(problem["input"], int | float)
    hint = ": write it in quotes" if unquoted else ""
    return _invalid(place, f"{problem['msg']} (it is {str(problem['input'])[:200]!r}){hint}")


def _invalid(place: str, message: str) -> StartupError:
    where = f"{VARIABLE}: {place}: " if place else f"{VARIABLE}: "
    return StartupError(Reason.CONFIGURATION_INVALID, where + message[:1000], subject=VARIABLE)
