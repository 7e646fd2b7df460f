"""What the small documents in a bundle's folder say together, as one Description.

Knows their names, and which of them is read for what. Reads no tokenizer and no model.
"""

import dataclasses
import pathlib
from collections.abc import Collection

from slipway_runtime.artifacts import completion, config, tokenization
from slipway_runtime.artifacts.config import Config
from slipway_runtime.artifacts.manifest import Description, Form
from slipway_runtime.artifacts.source import Source
from slipway_runtime.artifacts.tokenization import Tokenization
from slipway_runtime.failures import StartupError

CONFIG = "config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SPECIAL_TOKENS = "special_tokens_map.json"
DOCUMENTS = frozenset({CONFIG, TOKENIZER_CONFIG, SPECIAL_TOKENS})


def completed(
    source: Source, directory: pathlib.Path, said: Description, files: Collection[str]
) -> Description:
    """`said` with what it leaves open, from those of `files` that are documents; they lie in `directory`.

    Raises StartupError(BundleInvalid), or ContradictionError.
    """
    if said.form is Form.TENSORS or (said.form is Form.STRINGS and said.labels):
        return completion.completed(said, Config(), Tokenization())
    found = Config()
    if CONFIG in files:
        found = _read_config(source, directory, labelled=bool(said.labels))
    if said.form is Form.STRINGS:
        return completion.completed(said, found, Tokenization())
    return completion.completed(said, found, _read_tokenization(source, directory, files))


def of_folder(
    source: Source, directory: pathlib.Path, files: Collection[str], *, tokenizer: bool
) -> Description:
    """Of a folder without slipway.yaml. Raises what `completed` raises."""
    if tokenizer:
        return completed(source, directory, Description(form=Form.TOKENS), files)
    classifies = CONFIG in files and _classifies(source, directory)
    return Description(form=Form.TENSORS, classifies=classifies)


def _classifies(source: Source, directory: pathlib.Path) -> bool:
    """Whether config.json promises answers to texts. Beside tensors it may be of any other kind."""
    try:
        return _read_config(source, directory, labelled=False).classifies
    except StartupError:
        return False


def _read_config(source: Source, directory: pathlib.Path, *, labelled: bool) -> Config:
    text = (directory / CONFIG).read_bytes()
    return config.read(text, subject=source.describe(CONFIG), labelled=labelled)


def _read_tokenization(source: Source, directory: pathlib.Path, files: Collection[str]) -> Tokenization:
    said = Tokenization()
    if TOKENIZER_CONFIG in files:
        text = (directory / TOKENIZER_CONFIG).read_bytes()
        said = tokenization.read(text, subject=source.describe(TOKENIZER_CONFIG))
    if said.pad_token is None and SPECIAL_TOKENS in files:
        text = (directory / SPECIAL_TOKENS).read_bytes()
        token = tokenization.read_pad_token(text, subject=source.describe(SPECIAL_TOKENS))
        said = dataclasses.replace(said, pad_token=token)
    return said
