"""Models of the engine in this process, from the bundles of tests, without a server around them."""

import pathlib
from collections.abc import Callable

from slipway_runtime.artifacts import bundle
from slipway_runtime.artifacts.folder import Folder
from slipway_runtime.engine import forms
from slipway_runtime.engine.model import Classification, Model, RunControl
from slipway_runtime.engine.providers import Choice
from slipway_runtime.engine.session import SessionOptions

OPTIONS = SessionOptions(provider=Choice.CPU, threads=1)

Write = Callable[[pathlib.Path], object]


def load(root: pathlib.Path, write: Write) -> Model:
    """The bundle that `write` makes, fetched and loaded as a pod does it."""
    source, copy = root / "source", root / "copy"
    write(source)
    return load_folder(source, copy)


def load_folder(source: pathlib.Path, copy: pathlib.Path) -> Model:
    copy.mkdir()
    return forms.load(fetch(source, copy), OPTIONS)


def fetch(source: pathlib.Path, copy: pathlib.Path) -> bundle.Bundle:
    """What lies in `source`, checked and copied into `copy`."""
    return bundle.fetch(Folder(source), copy, pin=None)


def classify(model: Model, *texts: str) -> list[Classification]:
    """All texts in one run."""
    return [model.decode(answer) for answer in model.run(model.encode(texts), RunControl())]
