"""From a source to a bundle on disk that is exactly what was asked for.

The order matters: nothing is downloaded before the listing is plausible, and no file is opened by
a parser before its digest is known to be right. Knows neither S3 nor onnxruntime.
"""

import dataclasses
import hashlib
import pathlib
import re
from dataclasses import dataclass

from slipway_runtime.artifacts import completion, descriptions, manifest, pickles
from slipway_runtime.artifacts.descriptions import CONFIG
from slipway_runtime.artifacts.source import Item, Source, listing_digest
from slipway_runtime.failures import Reason, StartupError

MANIFEST = "slipway.yaml"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MAX_MANIFEST_BYTES = 1 << 20
# Without a manifest nothing says which other files matter, so only these are read.
_KNOWN = frozenset({MODEL, "model.onnx_data", "model.onnx.data", TOKENIZER, *descriptions.DOCUMENTS})


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle in a folder of ours.

    `digest` is the sha256 of its slipway.yaml, or that of its listing where the source gives ETags.
    """

    directory: pathlib.Path
    description: manifest.Description
    digest: str | None

    @property
    def model(self) -> pathlib.Path:
        return self.directory / MODEL

    @property
    def tokenizer(self) -> pathlib.Path:
        return self.directory / TOKENIZER


@dataclass(frozen=True, slots=True)
class Survey:
    """What a source holds, as far as that can be said without its large files.

    `digest` is that of Bundle, and `manifest` the item of its slipway.yaml, None without one.
    """

    items: tuple[Item, ...]
    manifest: Item | None
    digest: str | None


def survey(source: Source, directory: pathlib.Path, *, pin: str | None) -> Survey:
    """Check all that can be checked before a download; into `directory` comes slipway.yaml alone.

    Raises StartupError, for the same reasons as `fetch`.
    """
    items = _listed(source)
    if MANIFEST in items:
        _, digest = _read_manifest(source, directory, items, pin)
        return Survey(tuple(items.values()), items[MANIFEST], digest)
    digest_of_listing = _digest_of_listing(source, items, pin)
    _check_bare(source, items)
    return Survey(tuple(items.values()), None, digest_of_listing)


def fetch(source: Source, directory: pathlib.Path, *, pin: str | None) -> Bundle:
    """Copy the bundle at `source` into the empty `directory` and check every byte of it.

    `pin` is the digest that the bundle must have. Raises StartupError.
    """
    items = _listed(source)
    if MANIFEST in items:
        return _fetch_listed(source, directory, items, pin)
    return _fetch_bare(source, directory, items, _digest_of_listing(source, items, pin))


def _listed(source: Source) -> dict[str, Item]:
    items = {item.name: item for item in source.items()}
    _check_names(source, items)
    return items


def _digest_of_listing(source: Source, items: dict[str, Item], pin: str | None) -> str | None:
    digest = listing_digest(items.values())
    _check_pin_of_listing(source, digest, pin)
    return digest


def _read_manifest(
    source: Source, directory: pathlib.Path, items: dict[str, Item], pin: str | None
) -> tuple[manifest.Description, str]:
    text, digest = _fetch_manifest(source, directory, dataclasses.replace(items[MANIFEST], sha256=pin or ""))
    if pin is not None and digest != pin:
        raise _mismatch(source, MANIFEST, f"its sha256 is {digest}, but {pin} was asked for")
    description = manifest.read(text, subject=source.describe(MANIFEST), tokenizer=TOKENIZER)
    _check_listing(source, items, description.files or {})
    return description, digest


def _fetch_listed(source: Source, directory: pathlib.Path, items: dict[str, Item], pin: str | None) -> Bundle:
    description, digest = _read_manifest(source, directory, items, pin)
    for name, expected in (description.files or {}).items():
        wanted = dataclasses.replace(items[name], sha256=expected.sha256)
        found = source.save(wanted, directory / name)
        if found != expected.sha256:
            raise _mismatch(
                source, name, f"its sha256 is {found}, but {MANIFEST} lists it with {expected.sha256}"
            )
    completed = _completed(source, directory, description)
    return Bundle(directory=directory, description=completed, digest=digest)


def _completed(
    source: Source, directory: pathlib.Path, description: manifest.Description
) -> manifest.Description:
    """With what the other files say, where slipway.yaml leaves something open."""
    files = (description.files or {}).keys()
    try:
        completed = descriptions.completed(source, directory, description, files)
    except completion.ContradictionError as error:
        raise _invalid(source, MANIFEST, str(error)) from error
    if not completed.labels and completed.form is not manifest.Form.TENSORS:
        raise _invalid(source, MANIFEST, f"labels: there are none, nor is there a {CONFIG} with id2label")
    return completed


def _fetch_manifest(source: Source, directory: pathlib.Path, item: Item) -> tuple[bytes, str]:
    if item.size > _MAX_MANIFEST_BYTES:
        raise _invalid(source, MANIFEST, f"it has {item.size} bytes; {_MAX_MANIFEST_BYTES} are allowed")
    source.save(item, directory / MANIFEST)
    text = (directory / MANIFEST).read_bytes()
    return text, hashlib.sha256(text).hexdigest()


def _fetch_bare(
    source: Source, directory: pathlib.Path, items: dict[str, Item], digest: str | None
) -> Bundle:
    _check_bare(source, items)
    for name in sorted(_KNOWN & items.keys()):
        source.save(items[name], directory / name)
    try:
        described = descriptions.of_folder(source, directory, items.keys(), tokenizer=TOKENIZER in items)
    except completion.ContradictionError as error:
        raise _invalid(source, CONFIG, str(error)) from error
    if described.form is manifest.Form.TOKENS and not described.labels:
        raise _invalid(source, CONFIG, f"id2label: there are no labels (and there is no {MANIFEST})")
    return Bundle(directory=directory, description=described, digest=digest)


def _check_bare(source: Source, items: dict[str, Item]) -> None:
    for name in (MODEL, CONFIG) if TOKENIZER in items else (MODEL,):
        if name not in items:
            raise _invalid(source, name, f"it is missing (and there is no {MANIFEST})")


def _check_pin_of_listing(source: Source, digest: str | None, pin: str | None) -> None:
    if pin is None or digest == pin:
        return
    if digest is None:
        raise _invalid(
            source, MANIFEST, "it is missing, and SLIPWAY_BUNDLE_SHA256 pins the bundle by its digest"
        )
    raise _mismatch(
        source, "", f"without {MANIFEST} its digest is that of its listing, {digest}, but {pin} was asked for"
    )


def _check_names(source: Source, items: dict[str, Item]) -> None:
    for name in items:
        if not _NAME.fullmatch(name):
            raise _invalid(
                source, name, "a bundle is a flat folder, and its names are letters, digits, '.', '_' and '-'"
            )
        if pickles.is_pickle(name):
            raise pickles.refusal(source.describe(name))


def _check_listing(source: Source, items: dict[str, Item], files: dict[str, manifest.FileEntry]) -> None:
    if MODEL not in files:
        raise _invalid(source, MANIFEST, f"`files` does not list {MODEL}")
    for name in sorted(items.keys() - files.keys() - {MANIFEST}):
        raise _invalid(source, name, f"{MANIFEST} does not list it")
    for name, expected in files.items():
        if name not in items:
            raise StartupError(
                Reason.SOURCE_NOT_FOUND,
                f"{source.describe(name)} does not exist, but {MANIFEST} lists it",
                subject=source.describe(name),
            )
        if items[name].size != expected.size:
            raise _mismatch(
                source, name, f"it has {items[name].size} bytes, but {MANIFEST} lists it with {expected.size}"
            )


def _mismatch(source: Source, name: str, message: str) -> StartupError:
    subject = source.describe(name)
    return StartupError(Reason.DIGEST_MISMATCH, f"{subject}: {message}", subject=subject)


def _invalid(source: Source, name: str, message: str) -> StartupError:
    subject = source.describe(name)
    return StartupError(Reason.BUNDLE_INVALID, f"{subject}: {message}", subject=subject)
