"""One HTTP client for every kind of object: paths and dictionaries, no typed models.

The official client's models validate what the server answers and fail on what they do not know; its
connection, credentials and TLS are what we use of it. Must not know what any object means.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import aiohttp
from kubernetes import aio
from kubernetes.aio import config

from slipway_operator.kube import errors

Body = dict[str, Any]
Query = Sequence[tuple[str, str]]

TIMEOUT_SECONDS = 30
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


async def connect() -> Api:
    """In a pod with its service account, elsewhere by the kubeconfig."""
    try:
        config.load_incluster_config()
    except config.ConfigException:
        await config.load_kube_config()
    return Api(aio.client.ApiClient())


class Api:
    """The API server. Every method raises `errors.ApiError`."""

    def __init__(self, client: aio.client.ApiClient) -> None:
        self._client = client

    async def close(self) -> None:
        await self._client.close()

    async def get(self, path: str) -> Body:
        return await self._request("GET", path)

    async def find(self, path: str) -> Body | None:
        """The object, or None when there is none."""
        try:
            return await self.get(path)
        except errors.NotFound:
            return None

    async def list(self, path: str, *, selector: str) -> list[Body]:
        """All that carry the labels, now: without a resourceVersion it is a consistent read."""
        answer = await self._request("GET", path, query=[("labelSelector", selector)])
        items: list[Body] = answer.get("items", [])
        return items

    async def create(self, path: str, body: Body, *, manager: str) -> Body:
        return await self._request("POST", path, query=[("fieldManager", manager)], body=body)

    async def merge(self, path: str, body: Body, *, manager: str) -> Body:
        """A merge patch; a `resourceVersion` in the body is a precondition."""
        query = [("fieldManager", manager)]
        return await self._request("PATCH", path, query=query, body=body, content=MERGE_PATCH)

    async def apply(self, path: str, body: Body, *, manager: str) -> Body:
        """Server-side apply, taking over the fields named in it."""
        query = [("fieldManager", manager), ("force", "true")]
        return await self._request("PATCH", path, query=query, body=body, content=APPLY_PATCH)

    async def delete(self, path: str, *, uid: str) -> None:
        """Deletes this very object (not a namesake that came after it); what it owns goes with it."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        await self._request("DELETE", path, body=body)

    async def _request(
        self, method: str, path: str, *, query: Query = (), body: Body | None = None, content: str = ""
    ) -> Body:
        headers = {"Accept": "application/json", "Content-Type": content or "application/json"}
        request = await self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list(query),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._client.call_api(*request, _request_timeout=TIMEOUT_SECONDS)
            text = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.Transient(f"{method} {path}: {type(error).__name__}: {error}") from error
        if response.status >= 300:
            raise errors.of_status(response.status, f"{method} {path}: {_reason(text)}")
        answer: Body = json.loads(text)
        return answer


def _reason(text: bytes) -> str:
    """The server's own sentence."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200].decode(errors="replace")
