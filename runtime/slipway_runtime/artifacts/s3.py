"""A bundle in an S3 bucket.

Blocks, so it is used in a thread. Every request of a download carries the ETag of the listing:
an object that is replaced meanwhile is an error, never a mixture.
"""

import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from slipway_runtime.artifacts import disk, housekeeping, ranges, s3_client, s3_errors, source
from slipway_runtime.artifacts.deadline import Deadline
from slipway_runtime.artifacts.location import S3Location
from slipway_runtime.artifacts.origin import Fetched, Origin
from slipway_runtime.failures import Reason, StartupError

_MAX_OBJECTS = 1000  # a bundle has a handful: more means the prefix is wrong
_T = TypeVar("_T")


class S3Folder:
    """A Source over one prefix of one bucket."""

    def __init__(self, location: S3Location, *, deadline: float) -> None:
        """`deadline` is the time.monotonic() after which nothing is waited for. Raises StartupError."""
        self._location = location
        self._deadline = Deadline(deadline)
        self._client = self._translated(lambda: self._deadline.call(s3_client.make), "")
        self._versions: dict[str, str] = {}
        self._fetched: list[Fetched] = []

    def describe(self, name: str = "") -> str:
        return f"{self._location}/{name}" if name else str(self._location)

    def items(self) -> list[source.Item]:
        found = self._translated(lambda: self._deadline.call(self._list), "")
        if not found:
            raise StartupError(
                Reason.SOURCE_NOT_FOUND,
                f"there is nothing under {self.describe()}/ (the bucket exists and can be listed)",
                subject=self.describe(),
            )
        return housekeeping.without(found)

    def save(self, item: source.Item, target: pathlib.Path) -> str:
        disk.require(target.parent, item.size)
        sha256 = self._translated(lambda: self._save(item, target), item.name)
        version = self._versions.get(item.name, "")
        self._fetched.append(
            Fetched(name=item.name, size=item.size, sha256=sha256, etag=item.etag, version=version)
        )
        return sha256

    def origin(self) -> Origin:
        return Origin(uri=self.describe(), resolved=self.describe(), files=tuple(self._fetched))

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
        entries = [(entry["Key"].removeprefix(prefix), entry) for entry in reply.get("Contents", [])]
        return [
            source.Item(name=name, size=entry["Size"], etag=entry.get("ETag", ""))
            for name, entry in entries
            if name  # "" marks the folder
        ]

    def _save(self, item: source.Item, target: pathlib.Path) -> str:
        limits = ranges.Limits(
            connections=s3_client.CONNECTIONS,
            attempts=s3_client.ATTEMPTS,
            deadline=self._deadline,
            broken=s3_errors.BROKEN,
        )
        descriptor = disk.create(target)
        try:
            download = ranges.Download(
                lambda start, end: self._read(item, start, end), size=item.size, limits=limits
            )
            return download.into(descriptor)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    def _read(self, item: source.Item, start: int, end: int) -> Iterator[bytes]:
        reply = self._client.get_object(
            Bucket=self._location.bucket,
            Key=f"{self._location.prefix}/{item.name}",
            Range=f"bytes={start}-{end - 1}",
            **({"IfMatch": item.etag} if item.etag else {}),
        )
        body = reply["Body"]
        try:
            self._check(reply, item, start, end)
            self._versions[item.name] = reply.get("VersionId", "")
            while chunk := body.read(ranges.CHUNK_BYTES):
                yield chunk
        finally:
            body.close()

    def _check(self, reply: dict[str, Any], item: source.Item, start: int, end: int) -> None:
        """For servers that know neither If-Match nor Range, and for an object that has shrunk."""
        subject = self.describe(item.name)
        if reply.get("ETag", item.etag) != item.etag and item.etag:
            raise s3_errors.changed(subject)
        if reply.get("ContentRange") != f"bytes {start}-{end - 1}/{item.size}":
            raise StartupError(
                Reason.SOURCE_UNAVAILABLE,
                f"{subject}: bytes {start} to {end - 1} of {item.size} were asked for, "
                f"and S3 answered with {reply.get('ContentRange') or 'all of them'}",
                subject=subject,
            )

    def _translated(self, call: Callable[[], _T], name: str) -> _T:
        try:
            return call()
        except s3_errors.ERRORS as error:
            raise s3_errors.translate(error, self._location, name) from error
