"""What the administrator sets: the environment as the chart gives it, parsed once."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from slipway_operator import resolver_settings
from slipway_operator.api import names

Names = Annotated[tuple[str, ...], NoDecode]
Seconds = Annotated[float, Field(gt=0, le=86400)]
Port = Annotated[int, Field(ge=1, le=65535)]
_RESERVED = ("slipway.dev/", "app.kubernetes.io/", "helm.sh/")


class Settings(BaseSettings):
    """Each field is the environment variable SLIPWAY_<FIELD>; lists are comma-separated."""

    model_config = SettingsConfigDict(env_prefix="SLIPWAY_", frozen=True)

    runtime_image: Annotated[str, Field(min_length=1)]
    runtime_images_allowed: Names = ()
    service_accounts_allowed: Names = ()  # for models' pods, as name or namespace/name
    s3_endpoint_url: str = ""
    s3_region: str = ""
    s3_ca_config_map: str = ""  # in each namespace with models: the certificate of the S3 server's authority
    s3_ca_key: Annotated[str, Field(min_length=1)] = "ca.crt"
    watch_namespaces: Names = ()  # none: all
    network_policies: bool = True  # one for each model
    monitoring_namespaces: str = ""  # JSON of a LabelSelector: who may read the pods' metrics
    # JSON of labels that new children bear beside their own.
    common_labels: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    # Of the pods that find out what a source leads to, as JSON. Empty: as the rendering has it.
    resolver_resources: Annotated[dict[str, Any], NoDecode] = Field(default_factory=dict)
    resolver_node_selector: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    resolver_tolerations: Annotated[list[dict[str, Any]], NoDecode] = Field(default_factory=list)
    resolver_sidecars: bool = False  # whether service meshes may add theirs
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    namespace: str = "slipway-system"
    pod_name: str = ""
    pod_uid: str = ""
    health_port: Port = 8081
    metrics_port: Port = 9090
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    resync_seconds: Annotated[int, Field(ge=10)] = 300
    stop_seconds: Seconds = 20  # for looks that are under way when the process is told to end

    lease_name: Annotated[str, Field(min_length=1, max_length=63)] = "slipway-operator"
    lease_seconds: Seconds = 15  # for so long others wait for a holder that is silent
    lease_renew_seconds: Seconds = 10  # a holder that could not renew for so long ends
    lease_retry_seconds: Seconds = 2  # between two renewals, and between two tries to get it

    # Of all models together; 0 is without limit.
    max_concurrent_rollouts: Annotated[int, Field(ge=0)] = 0
    max_surge_gpus: Annotated[int, Field(ge=0)] = 0  # that rollouts hold beside what serves

    write_qps: Annotated[float, Field(gt=0)] = 20
    write_burst: Annotated[int, Field(ge=1)] = 40

    # What makes /livez fail:
    heartbeat_seconds: Seconds = 120  # a watch that owes something for so long is deaf
    queue_limit_seconds: Seconds = 600  # a model that waits for so long: the workers do not come round
    look_limit_seconds: Seconds = 300  # a look that takes so long hangs

    @field_validator("runtime_images_allowed", "service_accounts_allowed", "watch_namespaces", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip() for name in value.split(",") if name.strip())

    @field_validator("common_labels", mode="before")
    @classmethod
    def _of_json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return json.loads(value) if value else {}

    @field_validator("common_labels")
    @classmethod
    def _labels(cls, value: dict[str, str]) -> dict[str, str]:
        for key, text in value.items():
            if complaint := _complaint(key, text):
                raise ValueError(complaint)
        return value

    @field_validator("resolver_resources", mode="before")
    @classmethod
    def _amounts(cls, value: object) -> object:
        return resolver_settings.resources(value) if isinstance(value, str) else value

    @field_validator("resolver_node_selector", mode="before")
    @classmethod
    def _nodes(cls, value: object) -> object:
        return resolver_settings.node_selector(value) if isinstance(value, str) else value

    @field_validator("resolver_tolerations", mode="before")
    @classmethod
    def _tolerated(cls, value: object) -> object:
        return resolver_settings.tolerations(value) if isinstance(value, str) else value

    @field_validator("monitoring_namespaces")
    @classmethod
    def _a_selector(cls, value: str) -> str:
        if value and not isinstance(json.loads(value), dict):
            raise ValueError("must be the JSON of a LabelSelector, or empty")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.lease_retry_seconds < self.lease_renew_seconds < self.lease_seconds:
            raise ValueError(
                "SLIPWAY_LEASE_RETRY_SECONDS must be less than SLIPWAY_LEASE_RENEW_SECONDS, "
                "and that less than SLIPWAY_LEASE_SECONDS"
            )
        return self


def _complaint(key: str, value: str) -> str:
    """Why a child cannot bear this label beside its own; '' when it can."""
    if key.startswith(_RESERVED):
        return f"{key} is a label that is set already"
    if not re.fullmatch(names.LABEL_KEY, key):
        return f"{key!r} is not the key of a label"
    if not names.is_label_value(value):
        return f"{value!r} is not the value of a label ({key})"
    return ""
