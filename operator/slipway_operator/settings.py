"""What the administrator sets: the environment as the chart gives it, parsed once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Each field is the environment variable SLIPWAY_<FIELD>; lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", frozen=True)

    runtime_image: Annotated[str, Field(min_length=1)]
    runtime_images_allowed: Names = ()
    s3_endpoint_url: str = ""
    s3_region: str = ""
    watch_namespaces: Names = ()  # none: all
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    namespace: str = "slipway-system"
    pod_name: str = ""
    health_port: int = 8081
    metrics_port: int = 9090
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    resync_seconds: Annotated[int, Field(ge=10)] = 300

    @field_validator("runtime_images_allowed", "watch_namespaces", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())
