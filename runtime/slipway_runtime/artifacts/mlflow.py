"""A model of an MLflow registry: its version, and the folder with its artifacts.

MLflow only says where they lie. From S3 they are downloaded by our own code, so that limits, digests and
the deadline hold; those that the MLflow server hands out itself come through MLflow's client.
"""

import dataclasses
import os
import pathlib
import tempfile
from typing import Any

import structlog

from slipway_runtime.artifacts import disk, housekeeping, location, sources
from slipway_runtime.artifacts.deadline import Deadline
from slipway_runtime.artifacts.location import MlflowLocation
from slipway_runtime.artifacts.mlflow_client import Client
from slipway_runtime.artifacts.origin import Fetched, Origin
from slipway_runtime.artifacts.source import Item, Source
from slipway_runtime.failures import Reason, StartupError

_PROXIED = "mlflow-artifacts:"

_log = structlog.get_logger("slipway.artifacts")


class MlflowModel:
    """A Source over one version of a registered model. An alias is resolved once."""

    def __init__(self, model: MlflowLocation, *, deadline: float) -> None:
        self._model = model
        self._deadline = deadline
        self._client = Client(deadline=Deadline(deadline))
        self._version = model.version
        self._folder: Source | None = None

    def describe(self, name: str = "") -> str:
        if self._folder is not None:
            return self._folder.describe(name)
        return f"{self._model}/{name}" if name else str(self._model)

    def items(self) -> list[Item]:
        return self._artifacts().items()

    def save(self, item: Item, target: pathlib.Path) -> str:
        return self._artifacts().save(item, target)

    def origin(self) -> Origin:
        registered = f"models:/{self._model.name}/{self._version}"
        return dataclasses.replace(self._artifacts().origin(), uri=str(self._model), registered=registered)

    def _artifacts(self) -> Source:
        if self._folder is None:
            request = {
                "resolve": self._model.name,
                "version": self._model.version,
                "alias": self._model.alias,
            }
            answer = self._client.ask(request, subject=str(self._model))
            self._version = answer["version"]
            self._folder = self._open(answer["uri"])
            _log.info("mlflow_resolved", model=str(self._model), version=self._version, uri=answer["uri"])
        return self._folder

    def _open(self, uri: str) -> Source:
        if uri.startswith("s3://"):
            self._client.close()  # it has a hundred megabytes
            return sources.at(location.parse(uri, variable=str(self._model)), deadline=self._deadline)
        if uri.startswith(_PROXIED):
            return _Proxied(uri, self._client)
        raise StartupError(
            Reason.CONFIGURATION_INVALID,
            f"{self._model}: its artifacts lie at {uri}; what can be read is S3, and what the MLflow server "
            f"hands out itself ({_PROXIED}/)",
            subject=str(self._model),
        )


class _Proxied:
    """A Source over a folder that only the MLflow server can read."""

    def __init__(self, uri: str, client: Client) -> None:
        self._uri = uri.rstrip("/")
        self._client = client
        self._fetched: list[Fetched] = []

    def describe(self, name: str = "") -> str:
        return f"{self._uri}/{name}" if name else self._uri

    def items(self) -> list[Item]:
        found = self._ask({"list": self._uri}, "")
        if not found:
            raise self._failure(Reason.SOURCE_NOT_FOUND, "", "there is nothing there")
        return housekeeping.without(
            [Item(name=str(entry["name"]), size=int(entry["size"])) for entry in found]
        )

    def save(self, item: Item, target: pathlib.Path) -> str:
        disk.require(target.parent, item.size)
        with tempfile.TemporaryDirectory(dir=target.parent) as directory:
            request = {"download": self._uri, "name": item.name, "size": item.size, "directory": directory}
            path = pathlib.Path(self._ask(request, item.name))
            size = path.stat().st_size
            if size != item.size:
                what = f"it is listed with {item.size} bytes, and {size} came"
                raise self._failure(Reason.SOURCE_UNAVAILABLE, item.name, what)
            path.chmod(0o600)
            os.rename(path, target)
        sha256 = disk.digest(target)
        self._fetched.append(Fetched(name=item.name, size=item.size, sha256=sha256))
        return sha256

    def origin(self) -> Origin:
        return Origin(uri=self._uri, resolved=self._uri, files=tuple(self._fetched))

    def _ask(self, request: dict[str, Any], name: str) -> Any:
        return self._client.ask(request, subject=self.describe(name))

    def _failure(self, reason: Reason, name: str, what: str) -> StartupError:
        subject = self.describe(name)
        return StartupError(reason, f"{subject}: {what}", subject=subject)
