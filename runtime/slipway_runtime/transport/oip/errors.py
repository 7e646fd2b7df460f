"""Why a request of the Open Inference Protocol is not answered, before it is a status of any wire."""

from enum import StrEnum

from slipway_runtime.telemetry import redaction

# Over gRPC it travels as a header, of which clients take 8 KiB in all.
_SHOWN_CHARACTERS = 2000


class Kind(StrEnum):
    """What went wrong, as far as a client's next step depends on it."""

    INVALID = "Invalid"
    """The request is wrong, and will be wrong the next time."""
    UNSUPPORTED = "Unsupported"
    """A part of the protocol that is not offered here."""
    NOT_FOUND = "NotFound"
    """There is no such model or version."""
    TOO_LARGE = "TooLarge"
    """More bytes than a request may have."""
    OVERLOADED = "Overloaded"
    """Too much waits already: later, or elsewhere."""
    LATE = "Late"
    """The deadline has passed."""
    UNAVAILABLE = "Unavailable"
    """Nothing is served yet, or not any more."""
    INTERNAL = "Internal"
    """A fault of ours, or of the model."""


class OipError(Exception):
    """A request that is answered with an error; its text is for the client."""

    def __init__(self, kind: Kind, message: str, *, retry_after: int | None = None) -> None:
        """`retry_after`: seconds, for OVERLOADED and UNAVAILABLE."""
        # Here, for all wires. What a client has sent, and stands in it, may be of any length.
        message = redaction.text(message[:_SHOWN_CHARACTERS])
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


def invalid(message: str) -> OipError:
    return OipError(Kind.INVALID, message)


def unsupported(message: str) -> OipError:
    return OipError(Kind.UNSUPPORTED, f"unsupported: {message}")


def no_room(reason: Exception) -> OipError:
    """Too much is held for other requests."""
    return OipError(Kind.OVERLOADED, f"{reason}: try again in 1 s", retry_after=1)
