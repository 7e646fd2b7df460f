"""Where a bundle lies, parsed once from the configuration into bucket and prefix, folder, or model.

Nothing after this module sees a URL, so no two parsers can disagree about one.
"""

import pathlib
import re
from dataclasses import dataclass

from slipway_runtime.artifacts import pickles
from slipway_runtime.failures import Reason, StartupError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGISTERED = re.compile(
    r"(?P<name>[A-Za-z0-9_. -]{1,250})(/(?P<version>[0-9]{1,9})|@(?P<alias>[A-Za-z0-9_-]{1,250}))"
)
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/=+@:-]{1,900}")


@dataclass(frozen=True, slots=True)
class S3Location:
    """A folder in a bucket. `prefix` has no slash at either end."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def last_segment(self) -> str:
        return self.prefix.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class FolderLocation:
    """A folder of this machine or of a mounted volume."""

    path: pathlib.Path

    def __str__(self) -> str:
        return self.path.as_uri()

    @property
    def last_segment(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class MlflowLocation:
    """A registered model, by `version` or else by `alias`; the other one is empty."""

    name: str
    version: str = ""
    alias: str = ""

    def __str__(self) -> str:
        return f"models:/{self.name}/{self.version}" if self.version else f"models:/{self.name}@{self.alias}"

    @property
    def last_segment(self) -> str:
        return self.version or self.alias


Location = S3Location | FolderLocation | MlflowLocation


def parse(uri: str, *, variable: str) -> Location:
    """Read `s3://bucket/prefix`, `file:///folder`, `models:/name/3` or `models:/name@alias`.

    Raises StartupError(ConfigurationInvalid), naming `variable`, when the URI is none of them.
    """
    if uri.startswith("models:"):
        return _registered(uri, variable)
    scheme, separator, rest = uri.partition("://")
    match scheme if separator else "":
        case "s3":
            bucket, _, prefix = rest.partition("/")
            return _s3(bucket, prefix, variable)
        case "file":
            return _folder(rest, variable)
    raise _invalid(variable, f"{uri!r} is neither s3://bucket/folder nor file:///folder nor models:/name/3")


def from_bucket_and_key(bucket: str, key: str) -> S3Location:
    """Read the pair MODEL_BUCKET (with or without `s3://`) and MODEL_KEY."""
    return _s3(bucket.removeprefix("s3://").rstrip("/"), key, "MODEL_BUCKET and MODEL_KEY")


def _s3(bucket: str, prefix: str, variable: str) -> S3Location:
    prefix = prefix.strip("/")
    if ":" in bucket:  # user:password@bucket, which is not repeated
        raise _invalid(variable, "no bucket's name has a colon: keys go into AWS_ACCESS_KEY_ID and its like")
    if not _BUCKET.fullmatch(bucket):
        raise _invalid(variable, f"{bucket!r} is not the name of a bucket")
    if not _PREFIX.fullmatch(prefix) or {"", ".", ".."} & set(prefix.split("/")):
        raise _invalid(variable, f"{prefix!r} is not a folder in the bucket {bucket!r}")
    _must_be_a_folder(prefix, variable)
    return S3Location(bucket=bucket, prefix=prefix)


def _registered(uri: str, variable: str) -> MlflowLocation:
    found = _REGISTERED.fullmatch(uri.removeprefix("models:").lstrip("/"))
    if found is None:
        raise _invalid(variable, f"{uri!r} is neither models:/name/version nor models:/name@alias")
    return MlflowLocation(name=found["name"], version=found["version"] or "", alias=found["alias"] or "")


def _folder(path: str, variable: str) -> FolderLocation:
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise _invalid(variable, f"file://{path} is not an absolute path: write file:///folder")
    _must_be_a_folder(path.rstrip("/"), variable)
    return FolderLocation(pathlib.Path(path))


def _must_be_a_folder(path: str, variable: str) -> None:
    name = path.rsplit("/", 1)[-1]
    if pickles.is_pickle(name):
        raise pickles.refusal(path)
    if name.endswith(".onnx"):
        raise _invalid(variable, f"{path!r} names a file: name the folder that holds {name}")


def _invalid(variable: str, message: str) -> StartupError:
    return StartupError(Reason.CONFIGURATION_INVALID, f"{variable}: {message}", subject=variable)
