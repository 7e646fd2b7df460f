"""Bundles that a runtime must refuse, each made from a good one and wrong in one way only.

Knows nothing of how a runtime finds out. Every function copies the good bundle to `out`, which
must not exist, and returns the broken one, whose digest is right unless the text says otherwise.
"""

import shutil
from pathlib import Path

from examples.models import bundle
from examples.models.bundle import Bundle


def broken_digest(good: Path, out: Path) -> Bundle:
    """`model.onnx` has another byte than the one that slipway.yaml was written for."""
    shutil.copytree(good, out)
    model = out / "model.onnx"
    content = bytearray(model.read_bytes())
    content[-1] ^= 0xFF
    model.write_bytes(content)
    return bundle.read(out)


def wrong_golden(good: Path, out: Path) -> Bundle:
    """The golden examples of slipway.yaml carry the other label; every digest is right."""
    shutil.copytree(good, out)
    document = bundle.manifest(out)
    labels, golden = document["labels"], document["golden"]
    if not isinstance(labels, list) or not isinstance(golden, list):
        raise TypeError(f"{out / bundle.MANIFEST} needs a list of labels and one of golden examples")
    other = dict(zip(labels, reversed(labels), strict=True))
    swapped = [{**example, "label": other[example["label"]]} for example in golden]
    return bundle.seal(out, {**document, "golden": swapped})


def mixed_up(good: Path, other: Path, out: Path) -> Bundle:
    """The model and tokenizer of `other` under the golden examples of `good`; every digest is right."""
    shutil.copytree(other, out)
    return bundle.seal(out, bundle.manifest(good))


def unloadable(good: Path, out: Path) -> Bundle:
    """`model.onnx` is no ONNX model, so that the runtime ends at its start; every digest is right."""
    shutil.copytree(good, out)
    (out / "model.onnx").write_bytes(b"this is not a model\n" * 64)
    return bundle.seal(out, bundle.manifest(out))
