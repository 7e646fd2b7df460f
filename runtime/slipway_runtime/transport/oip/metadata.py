"""What the server says of itself and of its models, as the plain objects that every wire carries.

Shapes and names follow the published protocol and Triton's extensions of it, which stock clients
parse. Pure. Knows no wire.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from slipway_runtime import __version__
from slipway_runtime.engine.model import TensorSpec
from slipway_runtime.scheduling.catalog import Entry
from slipway_runtime.scheduling.counts import Duration, Statistics
from slipway_runtime.scheduling.predictor import Predictor

EXTENSIONS = ("binary_tensor_data", "parameters", "model_configuration", "statistics", "schedule_policy")
PLATFORM = "onnx_onnxv1"

_CONFIG_TYPES = {"BYTES": "TYPE_STRING"}
_NONE: dict[str, int] = {"count": 0, "ns": 0}


def server() -> dict[str, Any]:
    """`model_repository` is not among the extensions: of that one, only the index is offered."""
    return {"name": "slipway-runtime", "version": __version__, "extensions": list(EXTENSIONS)}


def model(predictor: Predictor, versions: Sequence[str]) -> dict[str, Any]:
    """`versions` are all that are served of this model."""
    signature = predictor.model.signature
    return {
        "name": predictor.name,
        "versions": list(versions),
        "platform": PLATFORM,
        "inputs": [_tensor(spec) for spec in signature.inputs],
        "outputs": [_tensor(spec) for spec in signature.outputs],
    }


def config(predictor: Predictor, *, max_rows: int) -> dict[str, Any]:
    """Triton's ModelConfig, as far as it means something here. `max_rows`: of one request.

    Triton knows no batch axis without a further one, so there a model with such a tensor is not
    batched: its clients then send whole tensors, which is right.
    """
    signature = predictor.model.signature
    tensors = (*signature.inputs, *signature.outputs)
    batched = signature.batched and all(len(spec.shape) > 1 for spec in tensors)
    kind = "KIND_GPU" if predictor.model.provider.startswith("CUDA") else "KIND_CPU"
    return {
        "name": predictor.name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "max_batch_size": max_rows if batched else 0,
        "input": [_config_tensor(spec, batched=batched) for spec in signature.inputs],
        "output": [_config_tensor(spec, batched=batched) for spec in signature.outputs],
        "instance_group": [{"name": predictor.name, "kind": kind, "count": 1}],
        "parameters": {
            "version": {"string_value": predictor.version},
            "digest": {"string_value": predictor.digest},
        },
    }


def statistics(predictors: Iterable[Predictor]) -> dict[str, Any]:
    """What each version has done since it was loaded. Times are in ns."""
    return {"model_stats": [_model_statistics(one) for one in predictors]}


def index(entries: Iterable[Entry], *, ready_only: bool = False) -> list[dict[str, str]]:
    """Every version that is served, or ought to be."""
    return [
        {"name": entry.name, "version": entry.version, "state": str(entry.state), "reason": entry.reason}
        for entry in entries
        if not ready_only or entry.state == "READY"
    ]


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _config_tensor(spec: TensorSpec, *, batched: bool) -> dict[str, Any]:
    return {
        "name": spec.name,
        "data_type": _CONFIG_TYPES.get(spec.datatype, f"TYPE_{spec.datatype}"),
        "dims": list(spec.shape[1:] if batched else spec.shape),
    }


def _model_statistics(predictor: Predictor) -> dict[str, Any]:
    found: Statistics = predictor.statistics
    return {
        "name": predictor.name,
        "version": predictor.version,
        "last_inference": found.last_inference,
        "inference_count": found.inference_count,
        "execution_count": found.execution_count,
        "inference_stats": {
            "success": _duration(found.success),
            "fail": _duration(found.fail),
            "queue": _duration(found.queue),
            "compute_input": _NONE,
            "compute_infer": _duration(found.compute),
            "compute_output": _NONE,
            "cache_hit": _NONE,
            "cache_miss": _NONE,
        },
        "batch_stats": [
            {
                "batch_size": rows,
                "compute_input": _NONE,
                "compute_infer": _duration(duration),
                "compute_output": _NONE,
            }
            for rows, duration in sorted(found.batches.items())
        ],
    }


def _duration(duration: Duration) -> dict[str, int]:
    return {"count": duration.count, "ns": duration.ns}
