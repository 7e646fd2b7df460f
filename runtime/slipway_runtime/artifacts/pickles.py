"""Model formats that run code when they are loaded, and what to say about them.

There is no switch that allows one: who can write the bucket could run code in the pod.
"""

from slipway_runtime.failures import Reason, StartupError

_SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".ckpt")
_NAMES = frozenset({"pytorch_model.bin", "training_args.bin"})


def is_pickle(name: str) -> bool:
    """Whether a file of this name is a Python pickle, by the habits of the tools that write them."""
    lower = name.lower()
    return lower.endswith(_SUFFIXES) or lower in _NAMES


def refusal(subject: str) -> StartupError:
    """The failure for a pickle at `subject`, with the way out."""
    return StartupError(
        Reason.UNSAFE_MODEL,
        f"{subject} is a Python pickle: loading it would run whatever code is in it, so it is never loaded. "
        "Convert the model to ONNX where it was trained (scikit-learn: skl2onnx.to_onnx; PyTorch: "
        "torch.onnx.export; Hugging Face: optimum-cli export onnx) and publish model.onnx instead.",
        subject=subject,
    )
