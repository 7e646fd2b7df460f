"""Bytes that are loaded as a file and lie in none.

onnxruntime loads well from a path only (see `session`), and finds external data beside that path. A copy
of the file would need its size of disk or memory once more, so the path is a pipe. Knows no ONNX.
"""

import contextlib
import os
import pathlib
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TypeVar

Chunks = Sequence[bytes | memoryview]

T = TypeVar("T")


def load(chunks: Chunks, folder: pathlib.Path, loader: Callable[[pathlib.Path], T]) -> T:
    """What `loader` returns for a path in `folder` from which `chunks` can be read once, in their order.

    Raises what `loader` raises, and OSError when there can be no pipe.
    """
    path = folder / f".{uuid.uuid4().hex}.onnx"
    os.mkfifo(path, 0o600)
    opened = threading.Event()
    writer = threading.Thread(target=_write, args=(path, chunks, opened), name="model-stream", daemon=True)
    try:
        writer.start()
        try:
            return loader(path)
        finally:
            _let_go(path, opened)
            writer.join()
    finally:
        path.unlink()


def _let_go(path: pathlib.Path, opened: threading.Event) -> None:
    """End a writer from whom nobody has read all: a pipe is opened only once there is a reader, and broken
    only when the last one leaves. So one comes, and leaves when the writer has seen it.
    """
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    opened.wait()
    os.close(reader)


def _write(path: pathlib.Path, chunks: Chunks, opened: threading.Event) -> None:
    try:
        pipe = path.open("wb", buffering=0)
    finally:
        opened.set()
    with contextlib.suppress(BrokenPipeError), pipe:
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                left = left[pipe.write(left) :]
