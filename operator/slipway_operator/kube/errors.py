"""What can go wrong between us and the API server, as kinds that are handled differently."""

from __future__ import annotations


class ApiError(Exception):
    """The API server did not do what was asked. The text names the object and the server's words."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFound(ApiError):  # noqa: N818 - they read as what they say
    """There is no such object."""


class Conflict(ApiError):  # noqa: N818
    """Somebody was faster: look again, then decide again."""


class Refused(ApiError):  # noqa: N818
    """The request itself is wrong, or not allowed: repeating it changes nothing."""


class Transient(ApiError):  # noqa: N818
    """Overload, a restart, a broken connection: try again later."""


class Overloaded(Transient):
    """Too many requests: try again after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after


class Fenced(ApiError):  # noqa: N818
    """Not sent at all: this process does not hold the Lease, and ends."""


def of_status(status: int, message: str, *, retry_after: float = 1.0) -> ApiError:
    """The kind of an HTTP status."""
    if status == 429:
        return Overloaded(message, retry_after=retry_after)
    if status == 404:
        return NotFound(message, status=status)
    if status == 409:
        return Conflict(message, status=status)
    if status in (400, 401, 403, 405, 413, 415, 422):
        return Refused(message, status=status)
    return Transient(message, status=status)
