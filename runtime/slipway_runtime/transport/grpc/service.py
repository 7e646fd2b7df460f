"""inference.GRPCInferenceService: its methods, and an answer for those that there are not.

Knows neither queue nor session.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf import json_format

from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.calls import Call
from slipway_runtime.scheduling.catalog import Catalog, State
from slipway_runtime.telemetry.tracing import Tracing
from slipway_runtime.transport.bodies import Bodies, NoRoomError
from slipway_runtime.transport.grpc import messages, tensors
from slipway_runtime.transport.grpc import open_inference_pb2 as pb
from slipway_runtime.transport.grpc.calls import Calls, Context
from slipway_runtime.transport.grpc.traced import within_spans
from slipway_runtime.transport.oip import errors, metadata, terms
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.transport.oip.inference import Inference

_DESCRIPTOR = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
NAME: str = _DESCRIPTOR.full_name

_NOT_SERVED = {
    "RepositoryModelLoad": "models are loaded by who runs this server, not by its clients",
    "RepositoryModelUnload": "models are unloaded by who runs this server, not by its clients",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the methods are made of. `max_rows`: of one request; times are seconds."""

    catalog: Catalog
    lifecycle: Lifecycle
    inference: Inference
    bodies: Bodies
    max_rows: int
    request_timeout: float
    max_age: float
    tracing: Tracing | None


class InferenceService(grpc.GenericRpcHandler):  # type: ignore[misc]  # gRPC has no types
    """Finds the handler of a method. One attribute a method, named as the protocol names it."""

    def __init__(self, parts: Parts, calls: Calls) -> None:
        self._parts = parts
        self._calls = calls
        self._handlers = {
            f"/{NAME}/{method}": self._handler(method) for method in _DESCRIPTOR.methods_by_name
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """gRPC asks this for each call."""
        path: str = handler_call_details.method
        found = self._handlers.get(path)
        if found is None and path.startswith(f"/{NAME}/"):
            return self._not_served(path.rpartition("/")[2])
        return found

    async def model_infer(self, received: messages.Request, context: Context) -> pb.ModelInferResponse:
        account = self._parts.bodies.account()
        try:
            account.add(received.size)
            return await self._infer(received, context)
        except NoRoomError as error:
            raise errors.no_room(error) from error
        finally:
            account.close()

    async def _infer(self, received: messages.Request, context: Context) -> pb.ModelInferResponse:
        now = time.monotonic()
        request = tensors.request(received)
        call = terms.of(request.parameters, received=now, usual=self._usual(context, now))
        answer = await self._parts.inference.answer(request, call)
        return tensors.response(answer, raw=bool(received.raw))

    async def model_stream_infer(
        self, requests: AsyncIterator[messages.Request], context: Context
    ) -> AsyncIterator[pb.ModelStreamInferResponse]:
        """One answer a request, in order. A stream must not outlive its connection's age."""
        leaves_at = time.monotonic() + self._parts.max_age
        while (received := await _next(requests, leaves_at)) is not None:
            try:
                yield pb.ModelStreamInferResponse(infer_response=await self.model_infer(received, context))
            except OipError as error:
                failed = pb.ModelInferResponse(id=received.message.id)
                yield pb.ModelStreamInferResponse(error_message=error.message, infer_response=failed)

    async def server_live(self, _message: pb.ServerLiveRequest, _context: Context) -> pb.ServerLiveResponse:
        return pb.ServerLiveResponse(live=True)

    async def server_ready(
        self, _message: pb.ServerReadyRequest, _context: Context
    ) -> pb.ServerReadyResponse:
        return pb.ServerReadyResponse(ready=self._parts.lifecycle.ready)

    async def model_ready(self, message: pb.ModelReadyRequest, _context: Context) -> pb.ModelReadyResponse:
        try:
            with self._parts.inference.lease(message.name, message.version):
                return pb.ModelReadyResponse(ready=True)
        except OipError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
            return pb.ModelReadyResponse(ready=False)

    async def server_metadata(
        self, _message: pb.ServerMetadataRequest, _context: Context
    ) -> pb.ServerMetadataResponse:
        return pb.ServerMetadataResponse(**metadata.server())

    async def model_metadata(
        self, message: pb.ModelMetadataRequest, _context: Context
    ) -> pb.ModelMetadataResponse:
        versions = self._parts.catalog.versions(message.name)
        with self._parts.inference.lease(message.name, message.version) as predictor:
            return pb.ModelMetadataResponse(**metadata.model(predictor, versions))

    async def model_config(self, message: pb.ModelConfigRequest, _context: Context) -> pb.ModelConfigResponse:
        with self._parts.inference.lease(message.name, message.version) as predictor:
            config = metadata.config(predictor, max_rows=self._parts.max_rows)
        response = pb.ModelConfigResponse()
        json_format.ParseDict({"config": config}, response)
        return response

    async def model_statistics(
        self, message: pb.ModelStatisticsRequest, _context: Context
    ) -> pb.ModelStatisticsResponse:
        """Of every version that is served and fits the name and the version, where they are given."""
        if message.name:
            with self._parts.inference.lease(message.name, message.version):
                pass  # it exists; else the caller is told so
        found: list[Any] = []
        for entry in self._parts.catalog.index():
            asked = message.name in ("", entry.name) and message.version in ("", entry.version)
            if asked and entry.state is State.READY:
                with self._parts.inference.lease(entry.name, entry.version) as predictor:
                    found += metadata.statistics([predictor])["model_stats"]
        return pb.ModelStatisticsResponse(model_stats=found)

    async def repository_index(
        self, message: pb.RepositoryIndexRequest, _context: Context
    ) -> pb.RepositoryIndexResponse:
        found = metadata.index(self._parts.catalog.index(), ready_only=message.ready)
        return pb.RepositoryIndexResponse(models=found)

    def _usual(self, context: Context, received: float) -> Call:
        """The terms of a call that says nothing in its parameters: gRPC's own deadline, and its metadata."""
        left = context.time_remaining()
        patience = self._parts.request_timeout
        usual = Call(deadline=received + (patience if left is None else min(left, patience)))
        for name, value in context.invocation_metadata() or ():
            if name == "x-request-priority":
                return terms.of({"priority": value}, received=received, usual=usual)
        return usual

    def _handler(self, method: str) -> grpc.RpcMethodHandler:
        """Requests come as bytes: gRPC would call one that it cannot read an unknown error of the server."""
        descriptor = _DESCRIPTOR.methods_by_name[method]
        serialize = getattr(pb, descriptor.output_type.name).SerializeToString
        parse = _parser(getattr(pb, descriptor.input_type.name))
        answer = getattr(self, _snake(method))
        if descriptor.client_streaming:

            def answers(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
                return cast("AsyncIterator[Any]", answer((parse(data) async for data in requests), context))

            handler = self._calls.stream(method, answers)
            return grpc.stream_stream_rpc_method_handler(handler, response_serializer=serialize)

        async def answer_one(data: bytes, context: Context) -> Any:
            return await answer(parse(data), context)

        tracing = self._parts.tracing if method == "ModelInfer" else None
        traced_one = within_spans(answer_one, tracing, name=f"grpc/{method}") if tracing else answer_one
        handler = self._calls.unary(method, traced_one)
        return grpc.stream_unary_rpc_method_handler(handler, response_serializer=serialize)

    def _not_served(self, method: str) -> grpc.RpcMethodHandler:
        reason = _NOT_SERVED.get(method, "it is not served here")
        return grpc.stream_unary_rpc_method_handler(
            self._calls.unary("other", _refusing(f"{method}: {reason}"))
        )


def _parser(kind: type[Any]) -> Callable[[bytes], Any]:
    if kind is pb.ModelInferRequest:
        return messages.infer_request
    return functools.partial(messages.question, kind)


async def _next(requests: AsyncIterator[messages.Request], leaves_at: float) -> messages.Request | None:
    """The next request, None after the last one. Raises OipError when the stream is too old."""
    try:
        async with asyncio.timeout(leaves_at - time.monotonic()):
            return await anext(requests, None)
    except TimeoutError as error:
        raise OipError(Kind.UNAVAILABLE, "this stream has lived long enough: open another") from error


def _refusing(reason: str) -> Callable[[Any, Context], Awaitable[Any]]:
    async def refuse(_message: Any, _context: Context) -> Any:
        raise errors.unsupported(reason)

    return refuse


def _snake(name: str) -> str:
    """ModelInfer -> model_infer."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")
