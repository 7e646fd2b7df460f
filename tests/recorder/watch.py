"""Records what the API server held: every kind listed once and watched from there, a thread a kind.

The operator is never asked. A broken watch goes on where it ended; when the API server no longer knows
what came after that, the loss is written down as a GAP. Must not know what the objects mean.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.recorder import connection, journal, kinds
from tests.recorder.connection import ApiServer, ExpiredError, JsonObject, Listing, RefusedError, Stream
from tests.recorder.journal import Entry, Journal, Line
from tests.recorder.kinds import Kind

_log = logging.getLogger(__name__)
_RENEWAL = 60  # seconds until a watch is renewed: a connection that went deaf is noticed within this time
_PAUSE = 0.3  # seconds between two tries
_SEEN = {"ADDED": Line.ADDED, "MODIFIED": Line.MODIFIED, "DELETED": Line.DELETED}


class RecorderError(RuntimeError):
    """The recording could not start."""


class Recorder:
    """Writes the history of some namespaces (None: of all) into `path`, between `start` and `stop`."""

    def __init__(
        self,
        kubeconfig: Path,
        path: Path,
        *,
        namespaces: Iterable[str] | None = None,
        observed: Sequence[Kind] = kinds.ALL,
        context: str | None = None,
        renewal: int = _RENEWAL,
    ) -> None:
        self._api = ApiServer(kubeconfig, context=context)
        self._journal = Journal(path)
        kept = None if namespaces is None else frozenset(namespaces)
        self._watches = [_Watch(self._api, self._journal, kind, kept, renewal) for kind in observed]

    def __enter__(self) -> "Recorder":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *, timeout: float = 60) -> None:
        """Return once every kind has been listed and is watched; raises RecorderError when one cannot be."""
        for watch in self._watches:
            watch.start()
        for watch in self._watches:
            if not watch.settled.wait(timeout) or watch.failure is not None:
                self._end()
                raise RecorderError(
                    f"{watch.kind.name} could not be listed and watched: "
                    f"{watch.failure or f'no answer within {timeout:g} s'}"
                )

    def stop(self, *, timeout: float = 30) -> None:
        """Wait until all that the API server holds by now has been recorded, and end.

        What cannot be waited for is written down as a GAP.
        """
        for watch in self._watches:
            self._drain(watch, timeout)
        self._end()

    def _drain(self, watch: "_Watch", timeout: float) -> None:
        try:
            listing = self._api.list(watch.kind)
        except connection.ApiError as error:
            watch.lose(f"the recording could not be completed: {error}")
            return
        if watch.wait_for(listing, timeout):
            watch.write(Line.ENDED, position=listing.position)
        else:
            watch.lose(f"the watch had not caught up {timeout:g} s after the end of the recording")

    def _end(self) -> None:
        for watch in self._watches:
            watch.end()
        self._journal.close()
        self._api.close()


@dataclass(frozen=True, slots=True)
class _Last:
    """The last that was recorded of an object."""

    position: int
    namespace: str
    name: str
    exists: bool


class _Watch:
    """One kind, and the thread that follows it."""

    def __init__(
        self, api: ApiServer, file: Journal, kind: Kind, namespaces: frozenset[str] | None, renewal: int
    ) -> None:
        self.kind = kind
        self.settled = threading.Event()  # it is watched, or has failed
        self.failure: RefusedError | None = None
        self._api = api
        self._file = file
        self._namespaces = namespaces
        self._renewal = renewal
        self._position: int | None = None  # up to which everything has been recorded
        self._last: dict[tuple[str, str], _Last] = {}
        self._stream: Stream | None = None
        self._ending = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"recorder-{kind.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop the thread and wait for it."""
        self._ending.set()
        while self._thread.is_alive():
            with self._changed:
                if self._stream is not None:
                    self._stream.close()
            self._thread.join(0.2)

    def wait_for(self, listing: Listing, timeout: float) -> bool:
        """Whether, within the timeout, all that the listing shows has been recorded."""
        with self._changed:
            return self._changed.wait_for(lambda: self._covers(listing), timeout)

    def lose(self, reason: str) -> None:
        """Write down that the history of this kind is incomplete from here."""
        _log.warning("%s: %s", self.kind.name, reason)
        self.write(Line.GAP, position=self._position or 0, reason=reason)

    def write(self, line: Line, *, position: int, item: JsonObject | None = None, reason: str = "") -> None:
        """One line about this kind."""
        kept = None if item is None else journal.trim(self.kind.name, item)
        self._file.write(Entry(journal.now(), self.kind.name, line, position, kept, reason))

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._list_once()
                self._follow()
            except ExpiredError as error:
                self.lose(str(error))
                self._position = None
            except connection.ApiError as error:
                self._failed(error)
                self._ending.wait(_PAUSE)

    def _failed(self, error: connection.ApiError) -> None:
        if self._ending.is_set():
            return
        _log.info("%s: the watch goes on after: %s", self.kind.name, error)
        # 4xx before the first list will not heal: the kind is unknown or may not be read.
        if isinstance(error, RefusedError) and 400 <= error.status < 429 and not self.settled.is_set():
            self.failure = error
            self.settled.set()
            self._ending.set()

    def _list_once(self) -> None:
        if self._position is not None:
            return
        listing = self._api.list(self.kind)
        mine = [item for item in listing.items if self._is_observed(item)]
        with self._changed:
            self._forget_vanished({_key(item) for item in mine}, listing.position)
            for item in mine:
                self._record(Line.LISTED, item, position=listing.position)
            self.write(Line.SYNCED, position=listing.position)
            self._position = listing.position
            self._changed.notify_all()

    def _forget_vanished(self, present: set[tuple[str, str]], position: int) -> None:
        """After a gap: what is no longer there has been deleted at some time."""
        for key, last in list(self._last.items()):
            if last.exists and key not in present:
                self._record(Line.DELETED, _stub(last, position), position=position)

    def _follow(self) -> None:
        assert self._position is not None
        with self._api.watch(self.kind, position=self._position, seconds=self._renewal) as stream:
            with self._changed:
                self._stream = stream
            self.settled.set()
            try:
                for event in stream:
                    self._hear(event)
            finally:
                with self._changed:
                    self._stream = None

    def _hear(self, event: JsonObject) -> None:
        item = event["object"]
        if event["type"] == "ERROR":
            raise connection.refusal(item, f"watching {self.kind.path}")
        position = int(item["metadata"]["resourceVersion"])
        with self._changed:
            if event["type"] in _SEEN and self._is_observed(item):
                self._record(_SEEN[event["type"]], item, position=position)
            self._position = position  # bookmarks move it too
            self._changed.notify_all()

    def _record(self, line: Line, item: JsonObject, *, position: int) -> None:
        self.write(line, position=position, item=item)
        at = int(item["metadata"]["resourceVersion"])
        self._last[_key(item)] = _Last(at, *_key(item), exists=line is not Line.DELETED)

    def _is_observed(self, item: JsonObject) -> bool:
        return self._namespaces is None or item["metadata"].get("namespace") in self._namespaces

    def _covers(self, listing: Listing) -> bool:
        listed = {_key(item): item for item in listing.items if self._is_observed(item)}
        for key, item in listed.items():
            last = self._last.get(key)
            if last is None or last.position < int(item["metadata"]["resourceVersion"]):
                return False
        return not any(
            last.exists and last.position <= listing.position
            for key, last in self._last.items()
            if key not in listed
        )


def _key(item: JsonObject) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _stub(last: _Last, position: int) -> JsonObject:
    metadata = {"namespace": last.namespace, "name": last.name, "resourceVersion": str(position)}
    return {"metadata": metadata}
