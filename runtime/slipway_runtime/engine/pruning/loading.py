"""Loads a model without what its answers do not depend on. The edge of this package: reads the file."""

import pathlib
from collections.abc import Callable
from typing import TypeVar

import structlog

from slipway_runtime.engine import wire
from slipway_runtime.engine.pruning import rewriting, streaming
from slipway_runtime.engine.pruning.streaming import Chunks

T = TypeVar("T")

_log = structlog.get_logger("slipway.pruning")


def load(path: pathlib.Path, loader: Callable[[pathlib.Path], T]) -> T:
    """What `loader` returns for a pruned `path`; for `path` itself when nothing can be left out.

    Raises what `loader` raises for `path` itself.
    """
    chunks = _pruned(path)
    if chunks is None:
        return loader(path)
    try:
        loaded = streaming.load(chunks, path.parent, loader)
    except Exception as error:  # it was a gain, and no need; onnxruntime's exceptions share no base but this
        _log.warning("not_pruned", error=str(error))
        return loader(path)
    _log.info("pruned")
    return loaded


def _pruned(path: pathlib.Path) -> Chunks | None:
    try:
        return rewriting.pruned(wire.mapped(path))
    except wire.MalformedError:
        return None
