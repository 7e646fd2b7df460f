"""The configuration of the runtime: the environment, read once and checked as a whole.

Whatever is wrong with it is said in a sentence that names the variable. Knows no layer but the
values that they are configured with.
"""

import math
import pathlib
import socket
from collections.abc import Sequence
from typing import Annotated, Literal

import pydantic
import pydantic_settings
from pydantic import Field

from slipway_runtime import source_settings
from slipway_runtime.artifacts import location
from slipway_runtime.engine import providers
from slipway_runtime.scheduling.verification import Expectation
from slipway_runtime.source_settings import SourceSettings

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Example(pydantic.BaseModel):
    """One entry of SLIPWAY_VERIFICATION_EXAMPLES."""

    text: Annotated[str, Field(max_length=16384)]
    label: str
    min_score: Annotated[float | None, Field(ge=0, le=1, alias="minScore")] = None


class Settings(SourceSettings):
    """Every variable that the runtime reads, but for the AWS_* ones, which are boto3's."""

    model_name: Annotated[str, Field(validation_alias="MODEL_NAME", max_length=253)] = "model"
    model_version: Annotated[
        str | None, Field(validation_alias="MODEL_VERSION", pattern=r"^[!-~]+$", max_length=128)
    ] = None
    models_file: pathlib.Path | None = None
    models_poll_seconds: Annotated[float, Field(gt=0, le=3600)] = 1
    models_retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 5
    memory_limit_bytes: Annotated[int | None, Field(gt=0)] = None  # where it is not the cgroup's
    verification_examples: Annotated[list[Example], Field(max_length=1000)] = Field(default_factory=list)

    execution_provider: providers.Choice = providers.Choice.AUTO
    prune: bool = True  # leave out of a model what its answers do not depend on
    max_batch_size: Annotated[int, Field(ge=1, le=1024)] = 32
    max_batch_tokens: Annotated[int, Field(ge=1)] = 16_384
    max_wait_milliseconds: Annotated[float, Field(ge=0, le=10_000)] = 20
    max_queue_seconds: Annotated[float, Field(gt=0, le=3600)] = 5
    max_queue_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 16_384  # for the memory's sake only
    max_run_seconds: Annotated[float, Field(gt=0, le=3600)] = 60
    max_run_bytes: Annotated[int, Field(ge=1 << 20)] = 1 << 30  # of all runs on the CPU together
    gpu_memory_bytes: Annotated[int | None, Field(ge=1 << 20)] = None  # a version, its weights included
    max_tensor_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 16 * 1024**2
    max_held_bytes: Annotated[int, Field(ge=1024)] = 48 * 1024**2  # bodies of all requests under way
    max_texts_per_request: Annotated[int, Field(ge=1, le=10_000)] = 100
    request_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30

    drain_timeout_seconds: Seconds = 60
    drain_quiet_seconds: Seconds = 5
    connection_max_age_seconds: Annotated[float, Field(gt=0, le=86_400)] = 30
    connection_idle_seconds: Annotated[int, Field(ge=1, le=86_400)] = 75  # beyond what proxies use (60)
    client_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60

    host: str = ""
    http_port: Port = 8080
    grpc_port: Port = 9000
    probe_port: Port = 8081
    liveness_silence_seconds: Annotated[float, Field(gt=0, le=3600)] = 20

    cache_max_bytes: Annotated[int, Field(ge=0)] = 20 * 1024**3  # what stays for the next start; 0: nothing
    pod_name: Annotated[str, Field(pattern=r"^[!-~]+$", max_length=253)] = socket.gethostname()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def names_a_model(self) -> bool:
        """Whether MODEL_NAME was given: it then is the model of requests that name none."""
        return "model_name" in self.model_fields_set

    def optional_location(self) -> location.Location | None:
        """Where the bundle lies; None when only a models file says so. Raises as `location` does."""
        given = (self.model_uri, self.model_bucket, self.model_key)
        return None if self.models_file is not None and not any(given) else self.location()


def expectations(examples: Sequence[Example]) -> tuple[Expectation, ...]:
    """The examples that the model's owner gave, as what its answers must be."""
    return tuple(
        Expectation(
            text=example.text,
            label=example.label,
            least=-math.inf if example.min_score is None else example.min_score,
            origin="a verification example",
        )
        for example in examples
    )


def load() -> Settings:
    """Read the environment. Raises StartupError(ConfigurationInvalid), naming the variable."""
    try:
        return source_settings.read(Settings)
    except pydantic_settings.SettingsError as error:  # a list or object that is not JSON
        raise source_settings.invalid("SLIPWAY_VERIFICATION_EXAMPLES", "it is not a JSON list") from error
