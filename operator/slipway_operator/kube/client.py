"""One HTTP client for every kind of object: paths and dictionaries, no typed models.

The official client's models validate what the server answers and fail on what they do not know; its
connection, credentials and TLS are what we use of it. Must not know what any object means.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
from kubernetes import aio
from kubernetes.aio import config

from slipway_operator.kube import bucket, echoes, errors, fence, paths
from slipway_operator.telemetry import metrics

Body = dict[str, Any]
Bodies = list[Body]
Query = Sequence[tuple[str, str]]

TIMEOUT_SECONDS = 30.0
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
# Names, versions and labels without the rest: what a look at many objects needs.
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

# How often an overloaded server is asked again before the caller is told, and after how long at most.
_PATIENCE_WITH_OVERLOAD = 4
_LONGEST_RETRY_AFTER = 10.0


async def connect() -> aio.client.ApiClient:
    """In a pod with its service account, elsewhere by the kubeconfig."""
    try:
        config.load_incluster_config()
    except config.ConfigException:
        await config.load_kube_config()
    return aio.client.ApiClient()


@dataclasses.dataclass(frozen=True, slots=True)
class _Request:
    verb: str  # as in a Role
    method: str
    path: str
    query: Query = ()
    body: Body | None = None
    content: str = "application/json"
    accept: str = "application/json"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclasses.dataclass(frozen=True, slots=True)
class Api:
    """The API server. Every method raises `errors.ApiError`.

    Writes pass the fence and wait for the bucket, reads do neither. What the server shows of an object is
    told to the echoes.
    """

    connection: aio.client.ApiClient
    fence: fence.Fence | None = None
    bucket: bucket.Bucket | None = None
    echoes: echoes.Echoes | None = None

    async def get(self, path: str) -> Body:
        return await self._object(_Request("get", "GET", path))

    async def find(self, path: str) -> Body | None:
        """The object, or None when there is none."""
        try:
            return await self.get(path)
        except errors.NotFound:
            return None

    async def text(self, path: str, query: Query) -> str:
        """What is no object: a log."""
        return (await self._send(_Request("get", "GET", path, query, accept="*/*"))).decode(errors="replace")

    async def list(self, path: str, *, selector: str) -> Bodies:
        """All that carry the labels, now: without a resourceVersion it is a consistent read."""
        return await self._list(_Request("list", "GET", path, query=[("labelSelector", selector)]))

    async def list_metadata(self, path: str) -> Bodies:
        """Of each only its metadata."""
        return await self._list(_Request("list", "GET", path, accept=_METADATA_ONLY))

    async def create(self, path: str, body: Body, *, manager: str) -> Body:
        return await self._object(_Request("create", "POST", path, [("fieldManager", manager)], body))

    async def merge(self, path: str, body: Body, *, manager: str) -> Body:
        """A merge patch; a `resourceVersion` in the body is a precondition."""
        return await self._object(
            _Request("patch", "PATCH", path, [("fieldManager", manager)], body, content=MERGE_PATCH)
        )

    async def apply(self, path: str, body: Body, *, manager: str) -> Body:
        """Server-side apply, taking over the fields named in it."""
        query = [("fieldManager", manager), ("force", "true")]
        return await self._object(_Request("apply", "PATCH", path, query, body, content=APPLY_PATCH))

    async def delete(self, path: str, *, uid: str) -> None:
        """Deletes this very object (not a namesake that came after it); what it owns goes with it."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._object(_Request("delete", "DELETE", path, body=body))

    async def _list(self, request: _Request) -> Bodies:
        answer = await self._ask(request)
        items: Bodies = answer.get("items", [])
        place = paths.place_of(request.path)
        for item in items:
            self._show(place.kind, item["metadata"].get("namespace", ""), item)
        return items

    async def _object(self, request: _Request) -> Body:
        """One object; a list is none: its own version is the store's, which no watch has to reach."""
        answer = await self._ask(request)
        place = paths.place_of(request.path)
        self._show(place.kind, place.namespace, answer)
        return answer

    async def _ask(self, request: _Request) -> Body:
        """Once, and again as often as the server says that it has too much to do."""
        for _ in range(_PATIENCE_WITH_OVERLOAD):
            try:
                return await self._sent(request)
            except errors.Overloaded as overloaded:
                await asyncio.sleep(min(overloaded.retry_after, _LONGEST_RETRY_AFTER))
        return await self._sent(request)

    async def _sent(self, request: _Request) -> Body:
        answer: Body = json.loads(await self._send(request))
        return answer

    async def _send(self, request: _Request) -> bytes:
        kind, began = paths.place_of(request.path).kind, time.monotonic()
        patience = await self._admitted() if request.writes else TIMEOUT_SECONDS
        code = "none"
        try:
            response = await self._exchange(request, patience)
            code = str(response.status)
            text: bytes = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Transient(f"{request}: {type(error).__name__}: {error}") from error
        finally:
            metrics.API_REQUESTS.labels(request.verb, kind, code).inc()
            metrics.API_SECONDS.labels(request.verb).observe(time.monotonic() - began)
        if response.status >= 300:
            message = f"{request}: {_reason(text)}"
            raise errors.of_status(response.status, message, retry_after=_retry_after(response))
        return text

    async def _admitted(self) -> float:
        """Waits for the write's turn; seconds that it may take. The fence comes last: waits may be long."""
        if self.bucket is not None and (wait := self.bucket.take()) > 0:
            metrics.WRITE_WAIT_SECONDS.inc(wait)
            await asyncio.sleep(wait)
        if self.fence is None:
            return TIMEOUT_SECONDS
        return min(TIMEOUT_SECONDS, self.fence.pass_through())

    async def _exchange(self, request: _Request, patience: float) -> Any:
        prepared = await self.connection.param_serialize(
            method=request.method,
            resource_path=request.path,
            query_params=list(request.query),
            header_params={"Accept": request.accept, "Content-Type": request.content},
            body=request.body,
            auth_settings=["BearerToken"],
        )
        return await self.connection.call_api(*prepared, _request_timeout=patience)

    def _show(self, kind: str, namespace: str, body: Body) -> None:
        if self.echoes is not None:
            self.echoes.shown(kind, namespace, body)


def _reason(text: bytes) -> str:
    """The server's own sentence."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200].decode(errors="replace")


def _retry_after(response: Any) -> float:
    """Seconds; 1 where the server does not say."""
    try:
        return float(response.headers.get("Retry-After", "1"))
    except ValueError:  # it may be a date
        return 1.0
