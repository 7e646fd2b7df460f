"""What is wanted made true: versions are loaded beside the others, pointed at, drained and unloaded.

The decisions are made in `plan`; here they are carried out, one load at a time, on the main loop.
Knows no HTTP: requests meet it in the catalog.
"""

import asyncio
import contextlib
import pathlib
import time
import weakref
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import structlog

from slipway_runtime.engine.model import Model
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.lifecycle import Lifecycle, Phase
from slipway_runtime.scheduling.catalog import Catalog, Served
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.settings import Settings
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.versions import memory, models_file, plan, wanted, watching
from slipway_runtime.versions.loading import Loaded, Loader, MakePredictor, Progress
from slipway_runtime.versions.reporting import Report
from slipway_runtime.versions.wanted import Wanted

_LAST_HOLDERS_SECONDS = (0.05, 0.5, 5.0)

_log = structlog.get_logger("slipway.versions")


class Repository:
    """The versions of one process. Everything in it happens on the loop that runs `run`."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        lifecycle: Lifecycle,
        metrics: Metrics,
        *,
        predictor: MakePredictor = Predictor,
    ) -> None:
        """Raises StartupError(ConfigurationInvalid) when the environment names no model."""
        self._settings = settings
        self._catalog = catalog
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._loader = Loader(settings, metrics, predictor)
        self._report = Report(catalog, metrics)
        self._own = wanted.from_environment(settings)
        self._listed: tuple[Wanted, ...] = ()
        self._loaded: dict[Wanted, Served] = {}
        self._failures: dict[Wanted, plan.Failure] = {}
        self._latest: dict[str, Wanted] = {}
        self._reached = Phase.STARTING
        self._loading: tuple[Wanted, asyncio.Task[None]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    @property
    def own_version(self) -> str:
        """The version that the environment asks for; "" when only a models file asks."""
        return self._own.version if self._own else ""

    async def run(self) -> None:
        """Does not return. Raises StartupError when there is nothing to serve at the start.

        Once something is served, whatever fails is told and tried again, and what serves goes on.
        """
        if self._settings.models_file is not None:
            await self._follow(self._settings.models_file)
        while True:
            self._changed.clear()
            wake_at = self._step_safely()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wake_at is None else wake_at - time.monotonic()):
                    await self._changed.wait()

    @property
    def _wanted(self) -> tuple[Wanted, ...]:
        return (*([self._own] if self._own else []), *self._listed)

    @property
    def _starting(self) -> bool:
        return self._lifecycle.phase is not Phase.READY

    def _step_safely(self) -> float | None:
        try:
            return self._step()
        except Exception:
            if self._starting:
                raise
            _log.exception("versions_step_failed")
            return time.monotonic() + self._settings.models_retry_seconds

    def _step(self) -> float | None:
        """Do what is to be done now. Returns when to look again at the latest. Raises StartupError."""
        if self._starting:
            self._give_up_or_get_ready()
        decided = plan.decide(self._situation(), time.monotonic())
        self._point(decided)
        for one in decided.unload:
            self._spawn(self._unload(one, self._loaded.pop(one)))
        self._abandon_what_is_not_wanted()
        if decided.load is not None and self._loading is None:
            self._loading = decided.load, self._spawn(self._load(decided.load))
        self._show(decided)
        return decided.wake_at

    def _situation(self) -> plan.Situation:
        return plan.Situation(
            wanted=self._wanted,
            loaded=tuple(self._loaded),
            failures=self._failures,
            pinned=self._settings.model_name if self._own or self._settings.names_a_model else None,
            default=self._catalog.default,
            latest=self._latest,
            first_wait=self._settings.models_retry_seconds,
        )

    def _give_up_or_get_ready(self) -> None:
        """Ready when each version that is wanted has been tried, and the default model serves."""
        untried = [one for one in self._wanted if one not in self._loaded and one not in self._failures]
        if self._own in self._failures:
            raise self._failures[self._own].error()
        if untried or self._loading is not None:
            return
        if not self._catalog.ready:
            raise self._nothing_to_serve()
        memory.settle()
        self._lifecycle.phase = Phase.READY
        _log.info("ready")

    def _nothing_to_serve(self) -> StartupError:
        failed = [one for one in reversed(self._wanted) if one in self._failures]
        for one in sorted(failed, key=lambda one: one.name != self._catalog.default):
            return self._failures[one].error()
        message = f"{models_file.VARIABLE}: no version of {self._catalog.default!r} is listed"
        return StartupError(Reason.CONFIGURATION_INVALID, message, subject=models_file.VARIABLE)

    def _point(self, decided: plan.Plan) -> None:
        self._catalog.default = decided.default
        for name, one in decided.latest.items():
            before = self._latest.get(name)
            self._catalog.prefer(self._loaded[one])
            if before is not None and before != one:
                self._report.switched(one, before)
        self._latest = dict(decided.latest)

    def _abandon_what_is_not_wanted(self) -> None:
        if self._loading is not None and self._loading[0] not in self._wanted:
            self._loading[1].cancel()
            self._loading = None

    async def _load(self, one: Wanted) -> None:
        try:
            loaded = await self._loader.load(one, self._progress(one), beside=bool(self._loaded))
        except StartupError as failure:
            self._failed(one, failure)
        except Exception as error:  # whatever it is, the others serve on
            _log.exception("load_crashed", model=one.name, version=one.version)
            message = f"an error that nobody foresaw: {error!r}; the log has its traceback"
            self._failed(one, StartupError(Reason.MODEL_LOAD_FAILED, message, subject=str(one.location)))
        else:
            self._serve(one, loaded)
        self._loading = None
        self._changed.set()

    def _progress(self, one: Wanted) -> Progress:
        loop = asyncio.get_running_loop()

        def tell(phase: Phase) -> None:
            with contextlib.suppress(RuntimeError):  # the process ends, and with it the loop
                loop.call_soon_threadsafe(self._progressed, one, phase)

        return tell

    def _progressed(self, one: Wanted, phase: Phase) -> None:
        if self._loading is None or self._loading[0] != one:
            return
        self._reached = phase
        if self._starting:
            self._lifecycle.phase = phase
        self._changed.set()

    def _serve(self, one: Wanted, loaded: Loaded) -> None:
        self._failures.pop(one, None)
        self._loaded[one] = self._catalog.serve(loaded.predictor, self._report.served(one, loaded))

    def _failed(self, one: Wanted, error: StartupError) -> None:
        before = self._failures.get(one)
        self._failures[one] = failure = plan.Failure(
            attempts=before.attempts + 1 if before else 1,
            at=time.monotonic(),
            reason=error.reason,
            message=error.message,
            subject=error.subject,
        )
        self._report.failed(one, failure, beside=one.name in self._latest)

    async def _unload(self, one: Wanted, served: Served) -> None:
        await self._catalog.retire(served)
        await served.predictor.close()
        model = weakref.ref(served.predictor.model)
        del served
        gone = await _is_gone(model)
        self._report.unloaded(one, anonymous_bytes=memory.anonymous_bytes(), gone=gone)

    def _show(self, decided: plan.Plan) -> None:
        missing = [(one, self._failures.get(one)) for one in self._wanted if one not in self._loaded]
        progress = f"it is being loaded ({self._reached})" if self._loading else "it is to be loaded next"
        self._report.situation(loaded=self._loaded, kept=decided.kept, missing=missing, progress=progress)

    async def _follow(self, path: pathlib.Path) -> None:
        """Read the models file, and go on reading it beside everything else. Raises StartupError."""
        contents = watching.contents(
            path, interval=self._settings.models_poll_seconds, most=models_file.MAX_BYTES
        )
        try:
            self._listed = models_file.understand(await anext(contents), own=self._own)
            self._report.file("")
        except StartupError as failure:
            if self._own is None:
                raise
            self._report.file(failure.message)
        self._spawn(self._keep_following(contents))

    async def _keep_following(self, contents: AsyncIterator[bytes | str]) -> None:
        async for content in contents:
            try:
                self._listed = models_file.understand(content, own=self._own)
            except StartupError as failure:
                self._report.file(failure.message)
            else:
                self._forget_old_failures()
                self._report.file("")
                self._changed.set()

    def _forget_old_failures(self) -> None:
        wanted_now = set(self._wanted)
        self._failures = {one: failure for one, failure in self._failures.items() if one in wanted_now}

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # the loop keeps no reference of its own
        task.add_done_callback(self._tasks.discard)
        return task


async def _is_gone(model: weakref.ref[Model]) -> bool:
    """Give its memory back. What still ends (its thread, a request's last lines) may hold it for a moment."""
    for pause in _LAST_HOLDERS_SECONDS:
        await asyncio.sleep(pause)
        await asyncio.to_thread(memory.give_back)
        if model() is None:
            return True
    return False
