"""What can go wrong between us and the API server, as four kinds that are handled differently."""

from __future__ import annotations


class ApiError(Exception):
    """The API server did not do what was asked. The text names the object and the server's words."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotFound(ApiError):  # noqa: N818 - the four read as what they say
    """There is no such object."""


class Conflict(ApiError):  # noqa: N818
    """Somebody was faster: look again, then decide again."""


class Refused(ApiError):  # noqa: N818
    """The request itself is wrong, or not allowed: repeating it changes nothing."""


class Transient(ApiError):  # noqa: N818
    """Overload, a restart, a broken connection: try again later."""


def of_status(status: int, message: str) -> ApiError:
    """The kind of an HTTP status."""
    if status == 404:
        return NotFound(message, status=status)
    if status == 409:
        return Conflict(message, status=status)
    if status in (400, 401, 403, 405, 413, 415, 422):
        return Refused(message, status=status)
    return Transient(message, status=status)
