"""boto3's client for S3, made for one load: whatever was rotated since the last one is read anew.

Credentials, proxies and certificates are boto3's own business (the AWS_* and *_PROXY variables);
nothing here logs them.
"""

import os
import pathlib
from typing import Any

import boto3
import botocore.config

from slipway_runtime.artifacts import addresses

ATTEMPTS = 4
CONNECTIONS = 8


def make() -> Any:  # boto3 makes its clients at run time: there is no type to name
    """Raises ValueError for an endpoint or a region that makes no sense, OSError and botocore's errors."""
    for variable in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"):
        addresses.refuse_metadata(os.environ.get(variable, ""))
    if authorities := os.environ.get("AWS_CA_BUNDLE"):
        pathlib.Path(authorities).open("rb").close()  # botocore would call its absence a bad certificate
    # A session of its own: the default one would keep the first credentials for the life of the process.
    client = boto3.session.Session().client("s3", region_name=_region(), config=_config())
    # What the configuration file of boto3 names, and what an answer may send it to.
    addresses.refuse_metadata(client.meta.endpoint_url)
    client.meta.events.register("before-send.s3", _refuse_metadata)
    return client


def _refuse_metadata(request: Any, **_event: Any) -> None:
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
