"""A runtime container's environment: all that a pod is told about its model.

What the user left unset is not passed on: its default is the runtime's own. Secrets go in key by key; the
operator never sees their values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from slipway_operator.api import model as api
from slipway_operator.domain import resolution
from slipway_operator.rendering import resources, trust

CACHE_DIRECTORY = "/var/lib/slipway"

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": False, "AWS_SECRET_ACCESS_KEY": False, "AWS_SESSION_TOKEN": True}

Variable = dict[str, Any]


def of(
    model: api.InferenceModel,
    *,
    drain_seconds: int,
    s3_endpoint_url: str,
    s3_region: str,
    s3_authority: trust.Authority | None = None,
    found: resolution.Resolved | None = None,
) -> list[Variable]:
    """The `env` of the container, in a stable order; with what its source was `found` to be."""
    values = {
        "MODEL_NAME": model.name,
        "MODEL_VERSION": model.spec.version,
        "MODEL_URI": found.uri if found else model.spec.source.uri,
        "SLIPWAY_BUNDLE_SHA256": (found and found.digest) or model.spec.source.sha256,
        "SLIPWAY_CACHE_DIR": CACHE_DIRECTORY,
        "SLIPWAY_CACHE_MAX_BYTES": resources.cache_bytes(model),
        "SLIPWAY_DRAIN_TIMEOUT_SECONDS": drain_seconds,
        **_runtime(model),
        "SLIPWAY_VERIFICATION_EXAMPLES": _examples(model),
        **_storage(s3_endpoint_url, s3_region, s3_authority),
    }
    pod = {"name": "SLIPWAY_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [*_plain(values), pod, *_credentials(model)]


def of_resolver(
    model: api.InferenceModel,
    *,
    answer_seconds: int,
    s3_endpoint_url: str,
    s3_region: str,
    s3_authority: trust.Authority | None = None,
) -> list[Variable]:
    """The `env` of a container that only finds out what the source leads to."""
    values = {
        "MODEL_URI": model.spec.source.uri,
        "SLIPWAY_BUNDLE_SHA256": model.spec.source.sha256,
        "SLIPWAY_CACHE_DIR": CACHE_DIRECTORY,
        "SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS": answer_seconds,
        **_storage(s3_endpoint_url, s3_region, s3_authority),
    }
    return [*_plain(values), *_credentials(model)]


def _plain(values: Mapping[str, object]) -> list[Variable]:
    return [{"name": name, "value": str(value)} for name, value in values.items() if value is not None]


def _storage(s3_endpoint_url: str, s3_region: str, s3_authority: trust.Authority | None) -> dict[str, object]:
    return {
        "AWS_ENDPOINT_URL": s3_endpoint_url or None,
        "AWS_REGION": s3_region or None,
        "AWS_CA_BUNDLE": s3_authority.file if s3_authority else None,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _runtime(model: api.InferenceModel) -> dict[str, object]:
    runtime = model.spec.runtime
    batching = runtime.batching if runtime else None
    return {
        "SLIPWAY_EXECUTION_PROVIDER": runtime and runtime.execution_provider,
        "SLIPWAY_MAX_BATCH_SIZE": batching and batching.max_batch_size,
        "SLIPWAY_MAX_WAIT_MILLISECONDS": batching and batching.max_wait_milliseconds,
        "SLIPWAY_MAX_TEXTS_PER_REQUEST": runtime and runtime.max_texts_per_request,
    }


def _examples(model: api.InferenceModel) -> str | None:
    verification = model.spec.rollout.verification
    if verification is None or not verification.examples:
        return None
    return json.dumps([e.model_dump(mode="json", exclude_none=True) for e in verification.examples])


def _credentials(model: api.InferenceModel) -> list[Variable]:
    secret = model.spec.source.credentials_secret_name
    if secret is None:
        return []
    return [
        {
            "name": key,
            "valueFrom": {
                "secretKeyRef": {"name": secret, "key": key, **({"optional": True} if optional else {})}
            },
        }
        for key, optional in _CREDENTIALS.items()
    ]
