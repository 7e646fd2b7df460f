"""Raw JSON from the API server: lists, and watches that another thread can end.

The kubernetes client gives the authentication of any kubeconfig and nothing else: its models would
drop fields that they do not know. Must not know what is done with the objects.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config

from tests.recorder.kinds import Kind

JsonObject = dict[str, Any]
_GONE = 410


class ApiError(RuntimeError):
    """The API server could not be asked, or stopped answering. Worth another try."""


class RefusedError(ApiError):
    """The API server answered with an error."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ExpiredError(RefusedError):
    """The resourceVersion is so old that the API server no longer knows what came after it (410)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of a kind, as they were at `position`."""

    position: int
    items: tuple[JsonObject, ...]


class Stream:
    """The lines of one watch. `close` may be called from any thread and ends the iteration."""

    def __init__(self, response: urllib3.HTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[JsonObject]:
        rest = b""
        # A chunk that was cut off with the connection never becomes a line.
        for chunk in self._response.stream(amt=None, decode_content=True):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line)

    def close(self) -> None:
        with suppress(Exception):  # it may be closed already, by the other side or by its reader
            self._response.shutdown()


class ApiServer:
    """One API server, with the credentials of a kubeconfig."""

    def __init__(self, kubeconfig: Path, *, context: str | None = None) -> None:
        self._client = config.new_client_from_config(
            config_file=str(kubeconfig), context=context, persist_config=False
        )

    def list(self, kind: Kind) -> Listing:
        """A consistent list. Raises ApiError, or RefusedError when the server says no."""
        with self._get(kind, {}, read_timeout=60) as response:
            answer = json.loads(response.read())
        return Listing(int(answer["metadata"]["resourceVersion"]), tuple(answer["items"]))

    @contextmanager
    def watch(self, kind: Kind, *, position: int, seconds: int) -> Iterator[Stream]:
        """Everything after `position`; the server ends the stream after `seconds`."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(position),
            "timeoutSeconds": str(seconds),
        }
        with self._get(kind, query, read_timeout=seconds + 15) as response:
            yield Stream(response)

    def close(self) -> None:
        """Close the connections. The object must not be used afterwards."""
        self._client.rest_client.close()

    @contextmanager
    def _get(
        self, kind: Kind, query: Mapping[str, str], *, read_timeout: float
    ) -> Iterator[urllib3.HTTPResponse]:
        try:
            response = self._request(kind.path, query, read_timeout)
            try:
                _check(response, kind)
                yield response
            finally:
                response.close()  # and not back to the pool: a watch may have been left in the middle
        except (urllib3.exceptions.HTTPError, OSError, json.JSONDecodeError) as error:
            raise ApiError(f"reading {kind.path}: {error}") from error

    def _request(self, path: str, query: Mapping[str, str], read_timeout: float) -> urllib3.HTTPResponse:
        prepared = self._client.param_serialize(
            "GET",
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        answer = self._client.call_api(*prepared, _request_timeout=(5, read_timeout))
        raw: urllib3.HTTPResponse = answer.response
        return raw


def refusal(status: JsonObject, about: str) -> RefusedError:
    """The error that a Status object (of an answer or of a watch's ERROR line) stands for."""
    code = int(status.get("code") or 0)
    message = f"{about}: {code} {status.get('reason', '')}: {status.get('message', '')}"
    return ExpiredError(message, code) if code == _GONE else RefusedError(message, code)


def _check(response: urllib3.HTTPResponse, kind: Kind) -> None:
    if response.status == 200:
        return
    text = response.read().decode(errors="replace")
    try:
        status = json.loads(text)
    except json.JSONDecodeError:
        status = {"message": text[:200]}
    raise refusal({**status, "code": response.status}, f"reading {kind.path}")
