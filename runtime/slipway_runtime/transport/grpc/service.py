"""inference.GRPCInferenceService: its methods, and an answer for those that there are not.

Knows neither queue nor session.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog
from slipway_runtime.transport.grpc import open_inference_pb2 as pb
from slipway_runtime.transport.grpc.calls import Calls, Context
from slipway_runtime.transport.oip import errors

NAME: str = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name

_METHODS = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name
_NOT_SERVED = {
    "RepositoryModelLoad": "models are loaded by who runs this server, not by its clients",
    "RepositoryModelUnload": "models are unloaded by who runs this server, not by its clients",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What the methods are made of."""

    catalog: Catalog
    lifecycle: Lifecycle


class InferenceService(grpc.GenericRpcHandler):  # type: ignore[misc]  # gRPC has no types
    """Finds the handler of a method. One attribute a method, named as the protocol names it."""

    def __init__(self, parts: Parts, calls: Calls) -> None:
        self._parts = parts
        self._calls = calls
        self._handlers = {
            f"/{NAME}/{method}": self._handler(method) for method in _METHODS if hasattr(self, _snake(method))
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """gRPC asks this for each call."""
        path: str = handler_call_details.method
        found = self._handlers.get(path)
        if found is None and path.startswith(f"/{NAME}/"):
            return self._not_served(path.rpartition("/")[2])
        return found

    async def server_live(self, _request: Any, _context: Context) -> Any:
        return pb.ServerLiveResponse(live=True)

    async def server_ready(self, _request: Any, _context: Context) -> Any:
        return pb.ServerReadyResponse(ready=self._parts.lifecycle.ready)

    def _handler(self, method: str) -> grpc.RpcMethodHandler:
        descriptor = _METHODS[method]
        coders = {
            "request_deserializer": getattr(pb, descriptor.input_type.name).FromString,
            "response_serializer": getattr(pb, descriptor.output_type.name).SerializeToString,
        }
        answer = getattr(self, _snake(method))
        if descriptor.client_streaming:
            return grpc.stream_stream_rpc_method_handler(self._calls.stream(method, answer), **coders)
        return grpc.unary_unary_rpc_method_handler(self._calls.unary(method, answer), **coders)

    def _not_served(self, method: str) -> grpc.RpcMethodHandler:
        reason = _NOT_SERVED.get(method, "it is not served here")
        return grpc.unary_unary_rpc_method_handler(
            self._calls.unary("other", _refusing(f"{method}: {reason}"))
        )


def _refusing(reason: str) -> Callable[[Any, Context], Awaitable[Any]]:
    async def refuse(_request: Any, _context: Context) -> Any:
        raise errors.unsupported(reason)

    return refuse


def _snake(name: str) -> str:
    """ModelInfer -> model_infer."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")
