"""Triton's example clients: how each is called, and which ones need what Slipway does not serve."""

from dataclasses import dataclass

HTTP = "{http}"
GRPC = "{grpc}"
"""Stand for the addresses of the server."""

_SHARED_MEMORY = "shared memory between client and server: they are different pods"
_SEQUENCES = "sequences: models that remember earlier requests"
_NUMBERED = "it wants to be told, in Triton's words, that a version must be a number: here it is any name"
_CLASSIFICATION = "the classification of outputs, and a picture"


@dataclass(frozen=True, slots=True)
class Example:
    """One script and its arguments.

    `needs`: what it needs that is not served, so that it is not run. `but`: why it does not say PASS
    although it ends with 0.
    """

    script: str
    arguments: tuple[str, ...] = ()
    needs: str = ""
    but: str = ""

    def __str__(self) -> str:
        shown = [one for one in self.arguments if one not in (HTTP, GRPC, "-u")]
        return " ".join([self.script, *shown])


def _over_http(script: str, *arguments: str) -> Example:
    return Example(script, ("-u", HTTP, *arguments))


def _over_grpc(script: str, *arguments: str) -> Example:
    return Example(script, ("-u", GRPC, *arguments))


def _without(needs: str, *scripts: str) -> tuple[Example, ...]:
    return tuple(Example(script, needs=needs) for script in scripts)


EXAMPLES = (
    _over_grpc("grpc_client.py"),
    _over_grpc("grpc_explicit_byte_content_client.py"),
    Example("grpc_explicit_int8_content_client.py", ("-u", GRPC), but=_NUMBERED),
    Example("grpc_explicit_int_content_client.py", ("-u", GRPC), but=_NUMBERED),
    Example("memory_growth_test.py", ("-i", "http", "-r", "200")),  # these two know no other ports
    Example("memory_growth_test.py", ("-i", "grpc", "-r", "200")),
    _over_grpc("simple_grpc_aio_infer_client.py"),
    _over_grpc("simple_grpc_async_infer_client.py"),
    _over_grpc("simple_grpc_custom_args_client.py"),
    _over_grpc("simple_grpc_infer_client.py"),
    _over_grpc("simple_grpc_infer_client.py", "-C", "gzip"),
    _over_grpc("simple_grpc_keepalive_client.py"),
    _over_grpc("simple_grpc_keepalive_client.py", "--grpc-keepalive-time", "1000"),
    _over_grpc("simple_grpc_string_infer_client.py"),
    _over_http("simple_http_aio_infer_client.py"),
    _over_http("simple_http_async_infer_client.py"),
    _over_http("simple_http_infer_client.py"),
    _over_http("simple_http_infer_client.py", "--request-compression-algorithm", "gzip"),
    _over_http("simple_http_infer_client.py", "--response-compression-algorithm", "gzip"),
    _over_http("simple_http_string_infer_client.py"),
    *_without(
        "a server that is called 'triton'", "simple_grpc_health_metadata.py", "simple_http_health_metadata.py"
    ),
    *_without(
        "loading and unloading by clients", "simple_grpc_model_control.py", "simple_http_model_control.py"
    ),
    *_without(
        _SHARED_MEMORY,
        "reuse_infer_objects_client.py",
        "simple_grpc_cudashm_client.py",
        "simple_grpc_shm_client.py",
        "simple_grpc_shm_string_client.py",
        "simple_http_cudashm_client.py",
        "simple_http_shm_client.py",
        "simple_http_shm_string_client.py",
    ),
    *_without(
        _SEQUENCES,
        "simple_grpc_aio_sequence_stream_infer_client.py",
        "simple_grpc_sequence_stream_infer_client.py",
        "simple_grpc_sequence_sync_infer_client.py",
        "simple_http_sequence_sync_infer_client.py",
    ),
    *_without(_CLASSIFICATION, "ensemble_image_client.py", "grpc_image_client.py", "image_client.py"),
    *_without("several answers to one request", "simple_grpc_custom_repeat.py"),
)
