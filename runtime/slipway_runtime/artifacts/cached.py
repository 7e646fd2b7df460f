"""A source with a store before it: what is known to be here is not downloaded.

A bundle that is pinned and whole in the store needs no source at all. Otherwise the source is asked
first, and only when it does not answer the last verified listing is served, which is said.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

import structlog

from slipway_runtime.artifacts.origin import Fetched, Origin
from slipway_runtime.artifacts.source import Item, Source
from slipway_runtime.artifacts.store import Listing, Store
from slipway_runtime.failures import Reason, StartupError

_log = structlog.get_logger("slipway.artifacts")


class Cached:
    """A Source over another that is opened only when it is needed. For one fetch, in one thread."""

    def __init__(self, uri: str, open_source: Callable[[], Source], store: Store, *, pin: str | None) -> None:
        self._uri = uri
        self._open = open_source
        self._store = store
        self._pin = pin
        self._source: Source | None = None
        self._current: Mapping[str, Item] = {}
        self._known = store.recall(uri)
        self._kept: list[Fetched] = []
        self._away = False

    def describe(self, name: str = "") -> str:
        if self._source is not None:
            return self._source.describe(name)
        return f"{self._uri}/{name}" if name else self._uri

    def items(self) -> list[Item]:
        if self._known is not None and self._pin is not None and self._known.digest == self._pin:
            return _items(self._known)
        try:
            return self._ask()
        except StartupError as failure:
            if failure.reason is not Reason.SOURCE_UNAVAILABLE or self._known is None or self._pin:
                raise
            _log.warning("source_is_away", source=self._uri, detail=failure.message, served_from="the cache")
            self._away = True
            return _items(self._known)

    def save(self, item: Item, target: pathlib.Path) -> str:
        sha256 = item.sha256 or self._remembered(item)
        if sha256 and self._store.take(sha256, item.size, target):
            self._kept.append(self._as_known(item, sha256))
            return sha256
        sha256 = self._download(item, target)
        self._store.add(target, sha256)
        return sha256

    def origin(self) -> Origin:
        uri = self._uri
        if self._source is None or self._away:
            resolved = self._known.resolved if self._known else uri
            return Origin(
                uri=uri, resolved=resolved, files=tuple(self._kept), cached=len(self._kept), away=self._away
            )
        read = self._source.origin()
        return dataclasses.replace(
            read, uri=uri, files=(*self._kept, *read.files), cached=len(self._kept), away=self._away
        )

    def verified(self, digest: str | None) -> None:
        """The bundle that was read is right: it is what will be served while the source is away."""
        if not self._away:
            origin = self.origin()
            listing = Listing(resolved=origin.resolved, digest=digest or "", files=origin.files)
            self._store.remember(self._uri, listing)

    def _ask(self) -> list[Item]:
        self._source = self._source or self._open()
        found = self._source.items()
        self._current = {item.name: item for item in found}
        return found

    def _remembered(self, item: Item) -> str:
        """The digest of bytes that the source still calls by the same name."""
        for file in self._known.files if self._known else ():
            if (file.name, file.size, file.etag) == (item.name, item.size, item.etag) and item.etag:
                return file.sha256
        return ""

    def _as_known(self, item: Item, sha256: str) -> Fetched:
        fetched = Fetched(name=item.name, size=item.size, sha256=sha256, etag=item.etag)
        for file in self._known.files if self._known else ():
            if dataclasses.replace(file, version="") == fetched:
                return file
        return fetched

    def _download(self, item: Item, target: pathlib.Path) -> str:
        """A file of the store may turn out to be broken: the source is asked after all."""
        if not self._current:
            self._ask()
        current = self._current.get(item.name)
        if self._source is None or current is None or (self._away or current.size != item.size):
            raise StartupError(
                Reason.SOURCE_UNAVAILABLE,
                f"{self.describe(item.name)}: it is broken in the cache, and the source has it no more",
                subject=self.describe(item.name),
            )
        self._store.make_room(current.size)
        return self._source.save(current, target)


def _items(listing: Listing) -> list[Item]:
    return [
        Item(name=file.name, size=file.size, etag=file.etag, sha256=file.sha256) for file in listing.files
    ]
