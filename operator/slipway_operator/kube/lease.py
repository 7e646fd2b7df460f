"""Which of several operators acts: the one whose name stands in a Lease that it renews.

The client library's own election is not used: it ends at the first broken connection, measures its deadlines
by the wall clock, lets a renewal take as long as it likes, and gives the Lease back to nobody.

A candidate trusts no clock but its own: the Lease is free when it has not changed for as long as it says,
since it was first seen like that. Must not know what the holder does.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import structlog

from slipway_operator.kube import client, errors, fence, paths

log = structlog.get_logger(__name__)

_MANAGER = "slipway"


class Lost(Exception):  # noqa: N818 - it reads as what it says
    """Another has the Lease, or it could not be renewed in time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long others wait for a silent holder, when the holder gives up, how often each tries."""

    duration: float
    renew: float
    retry: float


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """The Lease as it was last seen to change."""

    version: str
    since: float

    def free(self, spec: dict[str, Any], *, identity: str, duration: float, now: float) -> bool:
        """Whether `identity` may take it."""
        holder = spec.get("holderIdentity") or ""
        patience = max(duration, float(spec.get("leaseDurationSeconds") or 0))
        return holder in ("", identity) or now - self.since >= patience


class Lease:
    """One process's claim to one Lease."""

    def __init__(
        self,
        server: client.Api,
        *,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing,
        gate: fence.Fence,
        now: Callable[[], float] = fence.clock,
    ) -> None:
        """`server` writes without a fence: it is the renewal that holds the fence open."""
        self._server = server
        self._namespace, self._name = namespace, name
        self._identity = identity
        self._timing = timing
        self._gate = gate
        self._now = now
        self._sighting: Sighting | None = None
        self._version = ""
        self._complaint = ""
        self.holder = ""  # as last seen

    async def acquire(self) -> None:
        """Returns when the Lease is ours, however long that takes."""
        while not await self._attempt():  # noqa: ASYNC110 - it is the Lease that is asked
            await asyncio.sleep(self._timing.retry)
        log.info("the Lease is held", lease=self._name, identity=self._identity)

    async def hold(self) -> None:
        """Renews until that fails for too long; then raises Lost. The fence is closed by then."""
        while True:
            await asyncio.sleep(self._timing.retry)
            if not self._gate.is_open:
                raise Lost(f"the Lease {self._name} was not renewed for {self._timing.renew:g} s")
            try:
                await self._renew()
            except errors.ApiError as error:
                self._complain(f"the Lease was not renewed: {error}")

    async def release(self) -> None:
        """Lets another have it at once. Nothing may be written after that."""
        self._gate.close()
        try:
            await self._write({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _timestamp()})
        except errors.ApiError as error:
            log.warning("the Lease was not released; it ends by itself", why=str(error))
        else:
            log.info("the Lease is released", lease=self._name)

    async def _attempt(self) -> bool:
        """One try to get it."""
        try:
            async with asyncio.timeout(self._timing.renew):
                return await self._take_if_free()
        except errors.Conflict:
            return False  # another was faster
        except (errors.ApiError, TimeoutError) as error:
            self._complain(f"the Lease was not reached: {error}")
            return False

    async def _take_if_free(self) -> bool:
        began, found = self._now(), await self._server.find(self._path)
        if found is None:
            await self._create(began)
            return True
        sighting, spec = self._look(found), found.get("spec") or {}
        began = self._now()
        if not sighting.free(spec, identity=self._identity, duration=self._timing.duration, now=began):
            return False
        changes = int(spec.get("leaseTransitions") or 0) + (self.holder != self._identity)
        await self._write(self._claim() | {"acquireTime": _timestamp(), "leaseTransitions": changes})
        self._held_since(began)
        return True

    def _look(self, found: client.Body) -> Sighting:
        self._version = found["metadata"]["resourceVersion"]
        holder = (found.get("spec") or {}).get("holderIdentity") or ""
        if self._sighting is None or self._sighting.version != self._version:
            self._sighting = Sighting(self._version, self._now())
        if holder != self.holder and holder != self._identity:
            log.info("standing by", lease=self._name, holder=holder or "nobody")
        self.holder = holder
        return self._sighting

    async def _create(self, began: float) -> None:
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._claim() | {"acquireTime": _timestamp(), "leaseTransitions": 0},
        }
        made = await self._server.create(paths.leases(self._namespace), body, manager=_MANAGER)
        self._version = made["metadata"]["resourceVersion"]
        self._held_since(began)

    async def _renew(self) -> None:
        """Raises Lost when it is another's, ApiError when this try has failed."""
        began = self._now()
        try:
            async with asyncio.timeout(self._timing.renew):
                await self._write(self._claim())
        except TimeoutError as error:
            raise errors.Transient("no answer in time") from error
        except (errors.Conflict, errors.NotFound):
            await self._recover()
        else:
            self._held_since(began)

    async def _recover(self) -> None:
        """Somebody touched or deleted it: ours still, if nobody else stands in it."""
        began = self._now()
        found = await self._server.find(self._path)
        if found is None:
            await self._create(began)
            return
        self._look(found)
        if self.holder != self._identity:
            self._gate.close()
            raise Lost(f"the Lease {self._name} is held by {self.holder or 'nobody'}")
        await self._write(self._claim())
        self._held_since(began)

    async def _write(self, spec: dict[str, Any]) -> None:
        """Only on the version that was last seen: of two who try, one fails."""
        body = {"metadata": {"resourceVersion": self._version}, "spec": spec}
        made = await self._server.merge(self._path, body, manager=_MANAGER)
        self._version = made["metadata"]["resourceVersion"]

    def _held_since(self, began: float) -> None:
        """`began`: before the request, so that nobody else can count from an earlier moment."""
        self.holder, self._complaint = self._identity, ""
        self._gate.open_until(began + self._timing.renew)

    def _claim(self) -> dict[str, Any]:
        seconds = max(1, round(self._timing.duration))
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": seconds,
            "renewTime": _timestamp(),
        }

    def _complain(self, sentence: str) -> None:
        """Once for as long as it is the same."""
        if sentence != self._complaint:
            log.warning(sentence, lease=self._name)
        self._complaint = sentence

    @property
    def _path(self) -> str:
        return paths.leases(self._namespace, self._name)


def _timestamp() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
