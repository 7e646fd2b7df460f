"""The life of the process: it stands by, leads while it holds the Lease, and leaves the Lease behind.

Exit codes: 0 told to end, 1 a watch or the Lease was lost (it is started again), 2 settings without sense.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import uuid
from collections.abc import Coroutine
from typing import NoReturn

import pydantic
import structlog

from slipway_operator import settings as configuration
from slipway_operator.controller import leadership, probes, wiring
from slipway_operator.kube import bucket, client, echoes, fence, lease
from slipway_operator.telemetry import logs, metrics

log = structlog.get_logger(__name__)


def main() -> int:
    """The exit code."""
    try:
        chosen = configuration.Settings()
    except pydantic.ValidationError as error:
        for problem in error.errors():
            name = "_".join(["slipway", *(str(part) for part in problem["loc"])])
            print(f"slipway-operator: {name.upper()}: {problem['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    logs.configure(level=chosen.log_level, style=chosen.log_format)
    return asyncio.run(Process(chosen).run())


class Process:
    """One candidate, from its start to its end."""

    def __init__(self, chosen: configuration.Settings) -> None:
        self.chosen = chosen
        # A container that is started again in the same pod is the same candidate: its predecessor is dead for
        # certain, and nobody has to wait until its Lease has ended.
        self.identity = f"{chosen.pod_name or 'operator'}_{chosen.pod_uid or uuid.uuid4()}"
        self.fence = fence.Fence(slack=chosen.lease_seconds - chosen.lease_renew_seconds)
        self.lease: lease.Lease | None = None
        self.term: leadership.Leadership | None = None

    async def run(self) -> int:
        stop = asyncio.Event()
        _listen(stop)
        ports = self.chosen
        async with probes.serving(
            health_port=ports.health_port,
            metrics_port=ports.metrics_port,
            alive=self.alive,
            ready=self.ready,
            measure=self.measure,
        ):
            return await self._serve(stop)

    async def _serve(self, stop: asyncio.Event) -> int:
        connection = await client.connect()
        heard = echoes.Echoes(wiring.streams(self.chosen), clock=time.monotonic)
        try:
            self.lease = self._claim(client.Api(connection, echoes=heard))
            if not await _unless(stop, self.lease.acquire()):
                log.info("ended while standing by")
                return 0
            limit = bucket.Bucket(
                rate=self.chosen.write_qps, burst=self.chosen.write_burst, clock=time.monotonic
            )
            server = client.Api(connection, self.fence, limit, heard)
            self.term = leadership.Leadership(self.chosen, server, heard, self.identity)
            return await self._lead(self.lease, self.term, stop)
        finally:
            await connection.close()

    def _claim(self, server: client.Api) -> lease.Lease:
        timing = lease.Timing(
            duration=self.chosen.lease_seconds,
            renew=self.chosen.lease_renew_seconds,
            retry=self.chosen.lease_retry_seconds,
        )
        return lease.Lease(
            server,
            namespace=self.chosen.namespace,
            name=self.chosen.lease_name,
            identity=self.identity,
            timing=timing,
            gate=self.fence,
        )

    async def _lead(self, held: lease.Lease, term: leadership.Leadership, stop: asyncio.Event) -> int:
        # Begun before kopf: at its end kopf cancels every task that is younger than itself.
        holding = asyncio.create_task(_hold(held))
        try:
            # kopf's own handlers leave a task behind, and it waits five seconds for that.
            await wiring.watch(term, stop=stop, on_start=lambda: _listen(stop))
        except Exception as error:  # whatever it was: nothing is watched any more
            log.exception("the watches ended", why=str(error))
            return 1
        else:
            return 0
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding
            await held.release()

    def alive(self) -> probes.Health:
        """A candidate that waits is alive; a leader is while its watches and workers are."""
        if self.term is None:
            return probes.Health(well=True, words=self._waiting())
        if complaints := self.term.complaints():
            log.error("not alive", why=complaints)
            return probes.Health(well=False, words="\n".join(complaints))
        return probes.Health(well=True, words=f"leading as {self.identity}")

    def ready(self) -> probes.Health:
        """Once it leads, or knows who does."""
        if self.term is None:
            return probes.Health(
                well=self.lease is not None and bool(self.lease.holder), words=self._waiting()
            )
        started = self.term.started
        return probes.Health(well=started, words=f"leading as {self.identity}" if started else "starting")

    def _waiting(self) -> str:
        holder = self.lease.holder if self.lease else ""
        return f"standing by: the Lease is held by {holder}" if holder else "starting"

    def measure(self) -> None:
        """Fills in what is true only at the moment of asking."""
        metrics.LEADER.set(float(self.fence.is_open))
        if self.term is None:
            return
        signs = self.term.signs()
        metrics.QUEUE_DEPTH.set(self.term.queue.depth)
        metrics.QUEUE_AGE.set(signs.queued)
        metrics.LOOK_AGE.set(signs.look)
        kinds = {stream.kind for stream in signs.silences}
        for kind in kinds:
            ages = [age for stream, age in signs.silences.items() if stream.kind == kind]
            metrics.WATCH_AGE.labels(kind).set(max(ages))


def _listen(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> bool:
    """Whether `work` came to its end before `stop` was set; it is cancelled otherwise."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    finished = working.done()
    for task in (working, stopping):
        task.cancel()
    results = await asyncio.gather(working, stopping, return_exceptions=True)
    if finished and isinstance(results[0], Exception):
        raise results[0]
    return finished


async def _hold(held: lease.Lease) -> None:
    """Ends the process with the Lease: the fence is closed already, and nothing waits for anything."""
    try:
        await held.hold()
    except lease.Lost as lost:
        log.warning("no longer the leader", why=str(lost))
        _end(1)
    except Exception:  # a bug of ours: without renewals we are no leader for long
        log.exception("the Lease can no longer be renewed")
        _end(1)


def _end(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
