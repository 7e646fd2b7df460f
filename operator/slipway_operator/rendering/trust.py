"""Whom a pod trusts beside the public authorities: the certificate of the S3 server's own authority.

It lies in a ConfigMap that stands under one name in each namespace with models: a pod mounts no other.
"""

from __future__ import annotations

import dataclasses

from slipway_operator.rendering import identity

_DIRECTORY = "/etc/slipway/s3-ca"
_VOLUME = "s3-ca"


@dataclasses.dataclass(frozen=True, slots=True)
class Authority:
    """Where the certificate stands."""

    config_map: str
    key: str

    @property
    def file(self) -> str:
        """Where a container finds it."""
        return f"{_DIRECTORY}/{self.key}"

    @property
    def volume(self) -> identity.Body:
        """Of the pod. A pod waits for a ConfigMap that is missing, and does not start without it."""
        items = [{"key": self.key, "path": self.key}]
        return {"name": _VOLUME, "configMap": {"name": self.config_map, "items": items}}

    @property
    def mount(self) -> identity.Body:
        """Of the container."""
        return {"name": _VOLUME, "mountPath": _DIRECTORY, "readOnly": True}
