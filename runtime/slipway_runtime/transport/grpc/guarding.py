"""Services of gRPC's own packages, with their messages taken from `arrivals` as those of all others are."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc

from slipway_runtime.transport.grpc import statuses
from slipway_runtime.transport.grpc.arrivals import Arrivals
from slipway_runtime.transport.oip.errors import OipError


class Guarded:
    """What such a service is registered with in place of the server."""

    def __init__(self, server: grpc.aio.Server, arrivals: Arrivals) -> None:
        self._server = server
        self._arrivals = arrivals

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(tuple(_Guard(one, self._arrivals) for one in handlers))

    def add_registered_method_handlers(self, _service: str, _handlers: Mapping[str, Any]) -> None:
        """The same methods once more, which would be taken unguarded."""


class _Guard(grpc.GenericRpcHandler):  # type: ignore[misc]  # gRPC has no types
    def __init__(self, handler: grpc.GenericRpcHandler, arrivals: Arrivals) -> None:
        self._handler = handler
        self._arrivals = arrivals

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self._handler.service(handler_call_details)
        return None if found is None else self._guarded(found)

    def _guarded(self, handler: Any) -> grpc.RpcMethodHandler:
        async def one_answer(_requests: Any, context: Any) -> Any:
            return await handler.unary_unary(await self._one(handler, context), context)

        async def answers(_requests: Any, context: Any) -> AsyncIterator[Any]:
            async for answer in handler.unary_stream(await self._one(handler, context), context):
                yield answer

        async def exchange(_requests: Any, context: Any) -> AsyncIterator[Any]:
            async for answer in handler.stream_stream(self._all(handler, context), context):
                yield answer

        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(one_answer, None, handler.response_serializer)
        return grpc.stream_stream_rpc_method_handler(
            answers if handler.unary_stream else exchange, None, handler.response_serializer
        )

    async def _one(self, handler: Any, context: Any) -> Any:
        try:
            message = await self._arrivals.message(context)
        except OipError as error:
            await context.abort(statuses.code(error.kind), error.message)
        if message is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
        return handler.request_deserializer(message)

    async def _all(self, handler: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async for message in self._arrivals.messages(context):
                yield handler.request_deserializer(message)
        except OipError as error:
            await context.abort(statuses.code(error.kind), error.message)
