"""The part of the configuration that says where the model lies: all that is read before anything is loaded.

Whatever is wrong with it is said in a sentence that names the variable. Imports nothing that takes its time.
"""

import pathlib
from typing import Annotated, TypeVar

import pydantic
import pydantic_settings
from pydantic import Field

from slipway_runtime.artifacts import location
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.telemetry import termination


class SourceSettings(pydantic_settings.BaseSettings):
    """The bundle's place, its digest when it is pinned, and where it may be put down."""

    model_config = pydantic_settings.SettingsConfigDict(
        env_prefix="SLIPWAY_", env_ignore_empty=True, frozen=True, protected_namespaces=()
    )

    model_uri: Annotated[str | None, Field(validation_alias="MODEL_URI")] = None
    model_bucket: Annotated[str | None, Field(validation_alias="MODEL_BUCKET")] = None
    model_key: Annotated[str | None, Field(validation_alias="MODEL_KEY")] = None
    bundle_sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    download_timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 540
    cache_dir: pathlib.Path = pathlib.Path("/var/lib/slipway")
    termination_message_path: pathlib.Path = termination.DEFAULT_PATH

    def location(self) -> location.Location:
        """Where the bundle lies. Raises StartupError(ConfigurationInvalid)."""
        if self.model_uri is not None:
            return location.parse(self.model_uri, variable="MODEL_URI")
        if self.model_bucket is not None and self.model_key is not None:
            return location.from_bucket_and_key(self.model_bucket, self.model_key)
        raise StartupError(
            Reason.CONFIGURATION_INVALID,
            "MODEL_URI: it is not set, nor are MODEL_BUCKET and MODEL_KEY: there is no model to serve",
            subject="MODEL_URI",
        )


_Chosen = TypeVar("_Chosen", bound=SourceSettings)


def read(kind: type[_Chosen]) -> _Chosen:
    """The environment as a `kind`. Raises StartupError(ConfigurationInvalid), naming the variable."""
    try:
        return kind()
    except pydantic.ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        name, *rest = problem["loc"]
        place = ".".join([_variable(str(name)), *map(str, rest)])
        raise invalid(place, f"{problem['msg']} (it is {problem['input']!r})") from error


def invalid(variable: str, message: str) -> StartupError:
    """The failure of a value that breaks a rule."""
    return StartupError(Reason.CONFIGURATION_INVALID, f"{variable}: {message[:500]}", subject=variable)


def _variable(field: str) -> str:
    """pydantic names a field by its alias where it has one, which is the variable then."""
    upper = field.upper()
    return upper if upper.startswith(("MODEL_", "SLIPWAY_")) else f"SLIPWAY_{upper}"
