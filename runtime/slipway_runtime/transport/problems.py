"""Errors as people and programs read them: RFC 9457 problem details.

Every failure of a request is one of these, with a status, a code that programs may rely on, and a
sentence. Knows no routes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.types import Send

from slipway_runtime.telemetry import redaction
from slipway_runtime.transport import replies
from slipway_runtime.transport.replies import Header, Reply

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True, eq=False)
class ProblemError(Exception):
    """A request that is answered with an error."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """`type` is about:blank, so `title` is the status phrase (RFC 9457, section 4.2.1)."""
        return json.dumps(
            {
                "type": "about:blank",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "code": self.code,
                "detail": redaction.text(self.detail),
            }
        ).encode()


def reply(problem: ProblemError, headers: Iterable[Header] = ()) -> Reply:
    """The answer that says it; `headers` are said besides its own."""
    own = [(name.encode(), value.encode()) for name, value in problem.headers.items()]
    content_type = (b"content-type", CONTENT_TYPE.encode())
    return Reply(problem.status, (content_type, *own, *headers), problem.body())


async def send(problem: ProblemError, send: Send) -> None:
    """Answer a request of ASGI with `problem`."""
    await replies.send(send, reply(problem))


def malformed(detail: str) -> ProblemError:
    """The body is not JSON."""
    return ProblemError(400, "MalformedRequest", detail)


def unknown_model(detail: str) -> ProblemError:
    """`detail` says which models there are."""
    return ProblemError(404, "UnknownModel", detail)


def unknown_version(detail: str) -> ProblemError:
    """`detail` says which versions there are."""
    return ProblemError(404, "UnknownModelVersion", detail)


def no_such_route() -> ProblemError:
    """There is nothing at this path."""
    return ProblemError(404, "NoSuchRoute", "there is nothing here: /docs lists the routes")


def method_not_allowed(headers: Mapping[str, str]) -> ProblemError:
    """`headers` has Allow."""
    return ProblemError(405, "MethodNotAllowed", f"allowed here: {headers.get('Allow', 'nothing')}", headers)


def internal() -> ProblemError:
    """A bug of ours."""
    return ProblemError(500, "InternalError", "something went wrong here; the pod's log says what")


def body_too_large(limit: int) -> ProblemError:
    """`limit` is in bytes."""
    return ProblemError(
        413, "BodyTooLarge", f"the body is larger than {limit} bytes: send fewer texts at a time"
    )


def unsupported_encoding(encoding: str) -> ProblemError:
    """The body is compressed."""
    return ProblemError(
        415, "UnsupportedEncoding", f"a body with Content-Encoding {encoding} is not read: send it plain"
    )


def invalid(detail: str) -> ProblemError:
    """JSON, but not a valid request; `detail` names the field."""
    return ProblemError(422, "InvalidRequest", detail)


def no_text_model(name: str) -> ProblemError:
    """Texts for a model of tensors."""
    return ProblemError(
        422, "NotATextModel", f"{name!r} takes tensors, not texts: send them to /v2/models/{name}/infer"
    )


def queue_full(retry_after: int) -> ProblemError:
    """`retry_after` is in seconds."""
    return ProblemError(
        429,
        "QueueFull",
        f"too many texts are waiting already: try again in {retry_after} s",
        headers={"retry-after": str(retry_after)},
    )


def no_room() -> ProblemError:
    """Too much is held in memory for other requests."""
    return ProblemError(
        429,
        "TooManyLargeBodies",
        "too many large bodies are under way already: try again in 1 s",
        headers={"retry-after": "1"},
    )


def head_too_large(limit: int) -> ProblemError:
    """`limit` is in bytes."""
    detail = f"the head of the request is larger than {limit} bytes, or has too many headers"
    return ProblemError(431, "HeadTooLarge", detail)


def inference_failed(detail: str) -> ProblemError:
    """Our fault, or the model's."""
    return ProblemError(500, "InferenceFailed", detail)


def not_ready(detail: str) -> ProblemError:
    """No model is served yet."""
    return ProblemError(503, "NotReady", detail, headers={"retry-after": "5"})


def too_late(seconds: float) -> ProblemError:
    """`seconds` is the limit that passed: the client's own, or the server's."""
    return ProblemError(504, "DeadlineExceeded", f"there was no answer within {seconds:.4g} s")
