"""A bundle in an S3 bucket.

The only module that knows boto3. Blocks, so it is used in a thread; credentials, endpoint and
certificates are boto3's own business (the AWS_* variables), and nothing here logs them.
"""

import ipaddress
import os
import pathlib
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
import botocore.config
import botocore.exceptions

from slipway_runtime.artifacts import source
from slipway_runtime.artifacts.location import S3Location
from slipway_runtime.failures import Reason, StartupError

_MAX_OBJECTS = 1000  # a bundle has a handful: more means the prefix is wrong
_ATTEMPTS = 4
_METADATA = ipaddress.ip_network("fd00:ec2::/64")
_T = TypeVar("_T")

_FORBIDDEN = frozenset(
    {
        "403",
        "AccessDenied",
        "AllAccessDisabled",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "XAdminUserNotFound",  # versitygw, for an unknown key
    }
)
_NOT_FOUND = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


class S3Folder:
    """A Source over one prefix of one bucket."""

    def __init__(self, location: S3Location, *, deadline: float) -> None:
        """`deadline` is a time.monotonic() after which no further try or read is begun."""
        self._location = location
        self._deadline = deadline
        self._client = self._translate(_client, "")

    def describe(self, name: str = "") -> str:
        return f"{self._location}/{name}" if name else str(self._location)

    def items(self) -> list[source.Item]:
        found = self._translate(self._list, "")
        if not found:
            raise StartupError(
                Reason.SOURCE_NOT_FOUND,
                f"there is nothing under {self.describe()}/ (the bucket exists and can be listed)",
                subject=self.describe(),
            )
        return found

    def save(self, item: source.Item, target: pathlib.Path) -> str:
        return self._translate(lambda: self._save(item, target), item.name)

    def _list(self) -> list[source.Item]:
        prefix = f"{self._location.prefix}/"
        reply = self._client.list_objects_v2(
            Bucket=self._location.bucket, Prefix=prefix, MaxKeys=_MAX_OBJECTS
        )
        if reply.get("IsTruncated"):
            raise StartupError(
                Reason.BUNDLE_INVALID,
                f"there are more than {_MAX_OBJECTS} objects under {self.describe()}/; a bundle has few",
                subject=self.describe(),
            )
        keys = [(entry["Key"].removeprefix(prefix), entry["Size"]) for entry in reply.get("Contents", [])]
        return [source.Item(name=name, size=size) for name, size in keys if name]  # "" marks the folder

    def _save(self, item: source.Item, target: pathlib.Path) -> str:
        """botocore retries until the first byte of a body; a body that breaks off is retried here."""
        for attempt in range(_ATTEMPTS):
            try:
                digest, size = source.write(self._chunks(item), target)
            except (botocore.exceptions.HTTPClientError, botocore.exceptions.IncompleteReadError, OSError):
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                if size == item.size:
                    return digest
            target.unlink(missing_ok=True)
            time.sleep(min(0.2 * 2**attempt, max(0.0, self._deadline - time.monotonic())))
        raise self._cut_short(item)

    def _chunks(self, item: source.Item) -> Iterator[bytes]:
        self._check_deadline(item.name)
        key = f"{self._location.prefix}/{item.name}"
        body = self._client.get_object(Bucket=self._location.bucket, Key=key)["Body"]
        left = item.size
        for chunk in body.iter_chunks(source.CHUNK_BYTES):
            self._check_deadline(item.name)
            left -= len(chunk)
            yield chunk
            if left < 0:  # it grew since it was listed: enough to know that it is not the same object
                return

    def _check_deadline(self, name: str) -> None:
        if time.monotonic() > self._deadline:
            raise StartupError(
                Reason.SOURCE_UNAVAILABLE,
                f"{self.describe(name)} was not downloaded within SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS",
                subject=self.describe(name),
            )

    def _cut_short(self, item: source.Item) -> StartupError:
        return StartupError(
            Reason.SOURCE_UNAVAILABLE,
            f"{self.describe(item.name)} is listed with {item.size} bytes, but {_ATTEMPTS} downloads "
            "brought another number",
            subject=self.describe(item.name),
        )

    def _translate(self, call: Callable[[], _T], name: str) -> _T:
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            raise self._refused(error, name) from error
        except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
            raise self._failure(
                Reason.SOURCE_FORBIDDEN,
                name,
                "no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role",
            ) from error
        except (ValueError, botocore.exceptions.InvalidRegionError) as error:
            raise StartupError(
                Reason.CONFIGURATION_INVALID,
                f"AWS_ENDPOINT_URL or AWS_REGION: {error}",
                subject="AWS_ENDPOINT_URL",
            ) from error
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise self._failure(Reason.SOURCE_UNAVAILABLE, name, str(error)) from error

    def _refused(self, error: botocore.exceptions.ClientError, name: str) -> StartupError:
        code = str(error.response["Error"].get("Code", ""))
        status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
        if code == "NoSuchBucket":
            bucket = f"s3://{self._location.bucket}"
            return StartupError(Reason.SOURCE_NOT_FOUND, f"there is no bucket {bucket}", subject=bucket)
        if code in _FORBIDDEN or status in (401, 403):
            return self._failure(
                Reason.SOURCE_FORBIDDEN,
                name,
                f"S3 refused these credentials ({code}): it must allow list and get",
            )
        if code in _NOT_FOUND or status == 404:
            return self._failure(Reason.SOURCE_NOT_FOUND, name, "it does not exist")
        return self._failure(Reason.SOURCE_UNAVAILABLE, name, f"S3 answered {status} {code}")

    def _failure(self, reason: Reason, name: str, what: str) -> StartupError:
        subject = self.describe(name)
        return StartupError(reason, f"{subject}: {what}", subject=subject)


def _client() -> Any:  # boto3 makes its clients at run time: there is no type to name
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    _refuse_metadata_address(endpoint)
    return boto3.client(
        "s3",
        # boto3 reads AWS_DEFAULT_REGION only; the other SDKs, and so people, say AWS_REGION.
        region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        config=botocore.config.Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            # Only AWS itself has a host name for each bucket.
            s3={"addressing_style": "path" if endpoint else "auto"},
            # Servers other than AWS do not all know the newer checksums; sha256 is checked anyway.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _refuse_metadata_address(endpoint: str | None) -> None:
    """The clouds keep the node's own credentials at link-local addresses: no storage lives there."""
    host = urllib.parse.urlsplit(endpoint or "").hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return  # a name
    if address.is_link_local or address in _METADATA:
        raise ValueError(f"{host} is the address of a cloud's metadata service")
