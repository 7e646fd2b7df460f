"""Looks at the cluster and at the ledger once a second, in a thread, and keeps the latest facts.

Must not know what the story waits for, nor how anything is shown.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.cluster.errors import ClusterError
from tests.demo import manifests, reading
from tests.demo.snapshot import Facts, Traffic
from tests.ledger.counts import Counts

INTERVAL = 1.0
MODELS = f"/apis/slipway.dev/v1alpha1/namespaces/{manifests.NAMESPACE}/inferencemodels"
PODS = f"/api/v1/namespaces/{manifests.NAMESPACE}/pods?labelSelector=slipway.dev/model%3D{manifests.NAME}"


class Watcher:
    """`with Watcher(...)` looks until the end of the block."""

    def __init__(self, raw: Callable[[str], str], counts: Callable[[], Counts]) -> None:
        self._raw = raw
        self._counts = counts
        self._counting = threading.Event()
        self._over = threading.Event()
        self._changed = threading.Condition()
        self._facts = Facts()
        self._began_at = 0.0
        self._last: tuple[Counts, float] | None = None
        self._thread = threading.Thread(target=self._work, name="watcher", daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def facts(self) -> Facts:
        """The latest."""
        return self._facts

    def count(self, *, on: bool) -> None:
        """Begin, or cease, to ask the ledger."""
        if on:
            self._counting.set()
        else:
            self._counting.clear()

    def after(self, moment: float, *, within: float) -> Facts | None:
        """Facts that were gathered wholly after this `time.monotonic()`; None when there are none in time."""
        with self._changed:
            fresh = self._changed.wait_for(lambda: self._began_at >= moment, timeout=within)
            return self._facts if fresh else None

    def _work(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            began = time.monotonic()
            self._publish(self._look(), began)
            due = max(due + INTERVAL, time.monotonic() + INTERVAL / 4)
            self._over.wait(due - time.monotonic())

    def _publish(self, facts: Facts, began: float) -> None:
        with self._changed:
            self._facts = facts
            # What could not be looked at is shown as it was, and counts as no look at all.
            self._began_at = self._began_at if facts.problem else began
            self._changed.notify_all()

    def _look(self) -> Facts:
        known = self._facts
        try:
            model = self._model()
            pods: list[dict[str, Any]] = json.loads(self._raw(PODS))["items"]
            return Facts(
                model=reading.model(model) if model else None,
                pods=reading.pods(pods, model),
                traffic=self._traffic(known.traffic),
            )
        except ClusterError as error:
            return Facts(known.model, known.pods, known.traffic, problem=str(error))

    def _model(self) -> dict[str, Any] | None:
        items: list[dict[str, Any]] = json.loads(self._raw(MODELS))["items"]
        return next((item for item in items if item["metadata"]["name"] == manifests.NAME), None)

    def _traffic(self, known: Traffic | None) -> Traffic | None:
        if not self._counting.is_set():
            return known
        counts, now = self._counts(), time.monotonic()
        last, then = self._last or (None, now - INTERVAL)
        self._last = counts, now
        return reading.traffic(known, last, counts, now - then)
