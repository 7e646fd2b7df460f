"""The Open Inference Protocol over REST: all that stands under /v2 but /v2/predict.

Every failure is {"error": "..."}, which is what stock clients read. A plain ASGI endpoint; knows
neither queue nor session.
"""

from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog, State
from slipway_runtime.transport import body, documents, replies
from slipway_runtime.transport.bodies import Bodies
from slipway_runtime.transport.documents import Document
from slipway_runtime.transport.gate import ENDPOINT_KEY
from slipway_runtime.transport.limits import RequestLimits
from slipway_runtime.transport.oip import errors, metadata, responses
from slipway_runtime.transport.oip import places as places_module
from slipway_runtime.transport.oip.bodies import IndexRequestBody
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.transport.oip.infer import InferEndpoint
from slipway_runtime.transport.oip.inference import Inference
from slipway_runtime.transport.oip.places import Place, What
from slipway_runtime.transport.oip.responses import Reply
from slipway_runtime.transport.presence import ClientGoneError

_STATUS = {
    Kind.INVALID: 400,
    Kind.UNSUPPORTED: 400,
    Kind.NOT_FOUND: 404,
    Kind.TOO_LARGE: 413,
    Kind.OVERLOADED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
    Kind.LATE: 504,
}
_MAX_INDEX_BODY = 4096
_INDEX = Document(IndexRequestBody)

_log = structlog.get_logger("slipway.oip")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes are made of."""

    catalog: Catalog
    lifecycle: Lifecycle
    inference: Inference
    limits: RequestLimits
    bodies: Bodies


class Rest:
    """The ASGI application of the tree /v2."""

    def __init__(self, parts: Parts) -> None:
        self._catalog = parts.catalog
        self._lifecycle = parts.lifecycle
        self._inference = parts.inference
        self._limits = parts.limits
        self._bodies = parts.bodies
        self._infer = InferEndpoint(parts.inference, parts.limits, parts.bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = places_module.find(scope["raw_path"])
        scope[ENDPOINT_KEY] = str(place.what)
        try:
            reply = await self._answer(place, scope, receive)
        except OipError as error:
            reply = _refusal(error)
        except ClientGoneError:
            return  # the gate counts what has not been answered
        except Exception:
            _log.exception("unhandled_error", path=scope["path"])
            reply = _refusal(OipError(Kind.INTERNAL, "something went wrong here; the pod's log says what"))
        await replies.send(send, replies.Reply(reply.status, reply.headers, reply.body))

    async def _answer(self, place: Place, scope: Scope, receive: Receive) -> Reply:
        allowed = place.what.method
        if allowed is not None and scope["method"] != allowed:
            return responses.json({"error": f"allowed here: {allowed}"}, 405, (b"allow", allowed.encode()))
        match place.what:
            case What.INFER:
                return await self._infer.answer(place, scope, receive)
            case What.INDEX:
                return await self._index(scope, receive)
            case What.NOTHING:
                raise OipError(Kind.NOT_FOUND, "there is nothing here: /docs lists the routes")
            case What.UNSUPPORTED:
                raise errors.unsupported(
                    "models are loaded by who runs this server, not by its clients, and tensors come with "
                    "their request"
                )
            case What.MODEL_READY:
                return self._model_ready(place)
        return self._describe(place)

    def _describe(self, place: Place) -> Reply:
        match place.what:
            case What.LIVE:
                return responses.json({"live": True})
            case What.READY:
                return self._ready()
            case What.ALL_STATISTICS:
                return self._statistics()
            case What.MODEL | What.CONFIG | What.STATISTICS:
                return self._describe_model(place)
        return responses.json(metadata.server())

    def _ready(self) -> Reply:
        """Both words, since the protocol's text shows the one and its clients read the other."""
        if self._lifecycle.ready:
            return responses.json({"ready": True, "live": True})
        why = "a run does not come back" if self._lifecycle.started else "no model is served yet"
        return responses.json({"ready": False, "live": True, "error": why}, 503)

    def _model_ready(self, place: Place) -> Reply:
        try:
            with self._inference.lease(place.model, place.version):
                return responses.json({"name": place.model, "ready": True})
        except OipError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
            return responses.json({"name": place.model, "ready": False, "error": error.message}, 503)

    def _describe_model(self, place: Place) -> Reply:
        versions = self._catalog.versions(place.model)
        with self._inference.lease(place.model, place.version) as predictor:
            match place.what:
                case What.CONFIG:
                    return responses.json(metadata.config(predictor, max_rows=self._limits.max_rows))
                case What.STATISTICS:
                    return responses.json(metadata.statistics([predictor]))
            return responses.json(metadata.model(predictor, versions))

    def _statistics(self) -> Reply:
        found: list[object] = []
        for entry in self._catalog.index():
            if entry.state is State.READY:
                with self._inference.lease(entry.name, entry.version) as predictor:
                    found += metadata.statistics([predictor])["model_stats"]
        return responses.json({"model_stats": found})

    async def _index(self, scope: Scope, receive: Receive) -> Reply:
        try:
            account = self._bodies.account()  # too short to be counted
            raw = await body.read(dict(scope["headers"]), receive, limit=_MAX_INDEX_BODY, account=account)
            wanted = _INDEX.read(raw if raw.strip() else b"{}")
        except body.TooLargeError as error:
            raise OipError(Kind.TOO_LARGE, str(error)) from error
        except (documents.NotJsonError, documents.InvalidError) as error:
            raise errors.invalid(str(error)) from error
        return responses.json(metadata.index(self._catalog.index(), ready_only=wanted.ready))


def _refusal(error: OipError) -> Reply:
    headers = () if error.retry_after is None else ((b"retry-after", str(error.retry_after).encode()),)
    return responses.json({"error": error.message}, _STATUS[error.kind], *headers)
