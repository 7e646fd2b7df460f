"""boto3's client for S3, made for one load: whatever was rotated since the last one is read anew.

Credentials, proxies and certificates are boto3's own business (the AWS_* and *_PROXY variables). What it
has found, wherever that was, is made known to who takes credentials out of texts.
"""

import os
import pathlib
from typing import Any

import boto3
import botocore.config

from slipway_runtime import credentials
from slipway_runtime.artifacts import addresses
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.telemetry import redaction

ATTEMPTS = 4
CONNECTIONS = 8

_PLACES = {"config-file": "AWS_CONFIG_FILE", "shared-credentials-file": "AWS_SHARED_CREDENTIALS_FILE"}


def make() -> Any:  # boto3 makes its clients at run time: there is no type to name
    """Raises ValueError for an endpoint or a region that makes no sense, StartupError for a credential that
    does, OSError and botocore's errors."""
    for variable in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"):
        addresses.refuse_metadata(os.environ.get(variable, ""))
    if authorities := os.environ.get("AWS_CA_BUNDLE"):
        pathlib.Path(authorities).open("rb").close()  # botocore would call its absence a bad certificate
    redaction.learn(*credentials.file_tokens(os.environ))
    credentials.check_files(os.environ)
    # A session of its own: the default one would keep the first credentials for the life of the process.
    session = boto3.session.Session()
    client = session.client("s3", region_name=_region(), config=_config())
    # What the configuration file of boto3 names, and what an answer may send it to.
    addresses.refuse_metadata(client.meta.endpoint_url)
    client.meta.events.register("before-send.s3", _before_send)
    _learn(session)
    return client


def _learn(session: Any) -> None:
    """Keys may lie in a file, or come from a service; those are asked here, as the first request would."""
    found = session.get_credentials()
    if found is None:
        return
    frozen = found.get_frozen_credentials()
    for name in ("access_key", "secret_key", "token"):
        value = getattr(frozen, name) or ""
        redaction.learn(value)
        if "\n" in value or "\r" in value:
            place = _PLACES.get(found.method, found.method)
            message = f"{place}: its {name} has a line break inside; write it in one line"
            raise StartupError(Reason.CONFIGURATION_INVALID, message, subject=place)


def _before_send(request: Any, **_event: Any) -> None:
    token = request.headers.get("X-Amz-Security-Token") or ""  # it may have been renewed meanwhile
    redaction.learn(token.decode("latin-1") if isinstance(token, bytes) else token)
    addresses.refuse_metadata(request.url, resolve=False)


def _region() -> str:
    """boto3 reads AWS_DEFAULT_REGION only; the other SDKs, and so people, say AWS_REGION."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _config() -> botocore.config.Config:
    elsewhere = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return botocore.config.Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        # Only AWS itself has a host name for each bucket.
        s3={"addressing_style": "path" if elsewhere else "auto"},
        # Servers other than AWS do not all know the newer checksums; sha256 is checked anyway.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
