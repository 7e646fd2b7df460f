"""POST /v2/models/{model}/infer: bytes to an InferRequest, and an answer to bytes.

Knows neither queue nor session.
"""

import asyncio
import time

from starlette.types import Receive, Scope

from slipway_runtime.scheduling.calls import Call
from slipway_runtime.transport import body
from slipway_runtime.transport import terms as header_terms
from slipway_runtime.transport.bodies import Account, Bodies, NoRoomError
from slipway_runtime.transport.heads import Headers
from slipway_runtime.transport.limits import RequestLimits
from slipway_runtime.transport.oip import compression, errors, requests, responses, terms
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.transport.oip.inference import Inference
from slipway_runtime.transport.oip.places import Place
from slipway_runtime.transport.oip.responses import Reply
from slipway_runtime.transport.oip.values import InferRequest
from slipway_runtime.transport.presence import Presence

_HEADER_LENGTH = requests.HEADER_LENGTH.lower().encode()
# Some 100 µs of work: above it, other requests should not wait for it.
_INLINE_BYTES = 64 * 1024


class InferEndpoint:
    """The hot route of the protocol."""

    def __init__(self, inference: Inference, limits: RequestLimits, bodies: Bodies) -> None:
        self._inference = inference
        self._limits = limits
        self._bodies = bodies

    async def answer(self, place: Place, scope: Scope, receive: Receive) -> Reply:
        """Raises OipError or ClientGoneError."""
        account = self._bodies.account()
        try:
            return await self._answer(place, scope, receive, account)
        finally:
            account.close()

    async def _answer(self, place: Place, scope: Scope, receive: Receive, account: Account) -> Reply:
        received = time.monotonic()
        headers = dict(scope["headers"])
        raw = await self._body(headers, receive, account)
        request = self._request(raw, headers.get(_HEADER_LENGTH), place)
        call = self._call(headers, request, received)
        with Presence(scope):
            response = await self._inference.answer(request, call)
        return await _encoded(responses.write(request, response), headers)

    async def _body(self, headers: Headers, receive: Receive, account: Account) -> bytes | bytearray:
        limit = self._limits.max_tensor_bytes
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding not in (b"identity", b"gzip", b"deflate"):
            raise errors.invalid("Content-Encoding: gzip and deflate are read here, and nothing else")
        try:
            raw = await body.read(headers, receive, limit=limit, account=account)
            if encoding == b"identity":
                return raw
            plain = await asyncio.to_thread(compression.inflate, raw, limit=limit)
            account.add(len(plain))
            return plain
        except body.TooLargeError as error:
            raise OipError(Kind.TOO_LARGE, f"{error}: send fewer rows at a time") from error
        except NoRoomError as error:
            raise errors.no_room(error) from error
        except compression.BrokenError as error:
            raise errors.invalid(str(error)) from error

    def _request(self, raw: bytes | bytearray, header: bytes | None, place: Place) -> InferRequest:
        if header == b"0":
            signature = self._inference.signature(place.model, place.version)
            return requests.parse_raw(raw, signature, model=place.model, version=place.version)
        return requests.parse(raw, header=header, model=place.model, version=place.version)

    def _call(self, headers: Headers, request: InferRequest, received: float) -> Call:
        try:
            usual = header_terms.of(headers, received=received, timeout=self._limits.timeout)
        except header_terms.InvalidTermsError as error:
            raise errors.invalid(str(error)) from error
        return terms.of(request.parameters, received=received, usual=usual)


async def _encoded(reply: Reply, headers: Headers) -> Reply:
    encoding = compression.choose(headers.get(b"accept-encoding", b""))
    if encoding is None:
        return reply
    if len(reply.body) <= _INLINE_BYTES:
        content, used = compression.deflate(reply.body, encoding)
    else:
        content, used = await asyncio.to_thread(compression.deflate, reply.body, encoding)
    if used is None:
        return reply
    said = ((b"content-encoding", used.encode()), (b"vary", b"accept-encoding"))
    return Reply(reply.status, content, (*reply.headers, *said))
