"""What `kubectl get imodel` prints during a rollout, held against what the API server had at that moment.

A person decides by these columns: which version serves, which is coming, what is being waited for.
Must not know how a table is made by the API server, only how it is read.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.recorder import journal
from tests.recorder.history import History, World
from tests.recorder.metadata import Key, Place
from tests.recorder.objects import Deployment, Model, Service
from tests.recorder.violation import Violation

Kubectl = Callable[..., str]  # kubectl("get", "imodel", …) -> standard output; raises when kubectl fails
TOLERANCE = timedelta(seconds=2)
COLUMNS = ("VERSION", "ACTIVE", "TARGET", "READY", "REPLICAS", "STEP")


@dataclass(frozen=True, slots=True)
class Sample:
    """One printed row, or why there was none; printed at some time between `begin` and `end`."""

    begin: datetime
    end: datetime
    row: Mapping[str, str] | None
    error: str = ""


class Sampler:
    """Prints the columns of one model each `interval` seconds, between `start` and `stop`."""

    def __init__(self, kubectl: Kubectl, *, namespace: str, name: str, interval: float = 1.0) -> None:
        self.key = Key("InferenceModel", namespace, name)
        self.samples: list[Sample] = []
        self._kubectl = kubectl
        self._interval = interval
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"columns-{name}", daemon=True)

    def __enter__(self) -> "Sampler":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after a last sample."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._interval):
            self.samples.append(self._sample())
        self.samples.append(self._sample())

    def _sample(self) -> Sample:
        begin = journal.now()
        try:
            text = self._kubectl("get", "imodel", self.key.name, "--namespace", self.key.namespace)
        except Exception as error:  # whatever the caller's kubectl raises: it is judged with the rest
            return Sample(begin, journal.now(), None, str(error))
        rows = parse(text)
        return Sample(begin, journal.now(), rows[0] if rows else None, "" if rows else "nothing was printed")


def parse(table: str) -> list[dict[str, str]]:
    """The rows of a table by its headings. A cell may be empty: it ends where the next heading begins."""
    lines = [line for line in table.splitlines() if line.strip()]
    if not lines:
        return []
    names = lines[0].split()
    begins = [_column(lines[0], name) for name in names]
    ends: list[int | None] = [*begins[1:], None]
    return [
        {name: line[begin:end].strip() for name, begin, end in zip(names, begins, ends, strict=True)}
        for line in lines[1:]
    ]


def check(
    samples: Sequence[Sample], history: History, key: Key, *, tolerance: timedelta = TOLERANCE
) -> Iterator[Violation]:
    """Every cell that was true at no moment from `tolerance` before its printing to `tolerance` after."""
    timeline = _timeline(history, key)
    for sample in samples:
        if sample.row is None:
            yield _violation(sample, key, f"the columns could not be printed: {sample.error}")
            continue
        truths = timeline.during(sample.begin - tolerance, sample.end + tolerance)
        if truths:  # before the recording and before the model nothing is known
            yield from _wrong_cells(sample, sample.row, truths, key)


@dataclass(frozen=True, slots=True)
class Truth:
    """What the API server held of one model, the selector and the EndpointSlices read from themselves."""

    version: str  # asked for
    selected: str  # the version that the stable Service selects; "" for none
    coming: frozenset[str]  # versions that have a Deployment with replicas, besides the selected
    arrived: bool  # the asked-for revision is selected
    asked: int
    ready: int  # ready pods of the selected revision
    warm: bool  # another revision still has replicas
    coming_ready: bool  # the asked-for revision has as many ready pods as it wants
    judged: bool  # the asked-for revision is marked rejected
    resolving: bool  # a resolver pod is there: what is asked for has no Deployment, or a moment ago had none
    refused: bool  # and has ended with a reason
    step: str  # what the status says, for sentences

    @property
    def short(self) -> bool:
        """The asked-for revision does not serve, or not with all its pods."""
        return not self.arrived or self.ready < self.asked


# What must be so for a step to be named. A step without an entry is not known and is reported.
STEPS: Mapping[str, Callable[[Truth], bool]] = {
    "Resolving": lambda truth: not truth.arrived or truth.resolving,
    "Queued": lambda truth: not truth.arrived and not truth.warm,
    "WaitingForReadyPods": lambda truth: truth.short,
    "WaitingForPromotion": lambda truth: truth.coming_ready and not truth.arrived,
    "Switching": lambda truth: truth.coming_ready or truth.arrived,
    "Rolling": lambda truth: not truth.arrived,
    "Baking": lambda truth: truth.arrived and truth.warm,
    "KeepingWarm": lambda truth: truth.arrived and truth.warm,
    "Draining": lambda truth: truth.arrived,
    "Complete": lambda truth: truth.arrived and not truth.warm,
    # A first version has the traffic from the start: it is rejected in its place, without a mark.
    "Rejected": lambda truth: truth.refused or (truth.judged if not truth.arrived else truth.short),
    "Blocked": lambda truth: truth.short or truth.resolving,
    "Hibernated": lambda truth: truth.asked == 0,
    "Paused": lambda truth: not truth.arrived or truth.warm,
    "Stopped": lambda _: True,
    "": lambda truth: not truth.selected,  # before the first status
}


def _wrong_cells(
    sample: Sample, row: Mapping[str, str], truths: Sequence[Truth], key: Key
) -> Iterator[Violation]:
    for name in COLUMNS:
        if name not in row:
            yield _violation(sample, key, f"kubectl printed no column {name}")
        elif not any(_agrees(name, row, truth) for truth in truths):
            held = "; ".join(dict.fromkeys(_told(name, truth) for truth in truths))
            yield _violation(sample, key, f"{name} was printed as {row[name]!r}, and so it was: {held}")


def _agrees(column: str, row: Mapping[str, str], truth: Truth) -> bool:
    cell = row[column]
    match column:
        case "VERSION":
            return cell == truth.version
        case "ACTIVE":
            return cell == truth.selected or (not cell and not truth.ready)  # a first one that comes up
        case "TARGET":
            return cell in {truth.version, truth.selected, *truth.coming}
        case "READY":
            return cell != "True" or truth.asked == 0 or (truth.arrived and truth.ready > 0)
        case "REPLICAS":
            return (cell or "0") == str(truth.ready)
        case _:
            return cell in STEPS and STEPS[cell](truth)


def _told(column: str, truth: Truth) -> str:
    serves = f"version {truth.selected} serves" if truth.selected else "nothing serves"
    match column:
        case "VERSION" | "TARGET":
            return f"version {truth.version} was asked for, {serves}"
        case "REPLICAS":
            return f"{truth.ready} ready pods"
        case _:
            warm = ", another revision still has replicas" if truth.warm else ""
            return f"version {truth.version} was asked for, {serves} with {truth.ready} ready pods{warm}"


def _violation(sample: Sample, key: Key, sentence: str) -> Violation:
    evidence = tuple(f"{name}: {cell}" for name, cell in (sample.row or {}).items())
    return Violation("columns", sample.begin, sentence, key, evidence)


@dataclass(slots=True)
class _Timeline:
    truths: list[tuple[datetime, Truth | None]] = field(default_factory=list)

    def note(self, at: datetime, truth: Truth | None) -> None:
        if not self.truths or self.truths[-1][1] != truth:
            self.truths.append((at, truth))

    def during(self, begin: datetime, end: datetime) -> list[Truth]:
        """Everything that held at some time in between; none when the model was missing for a part of it."""
        untils = [at for at, _ in self.truths[1:]] + [datetime.max.replace(tzinfo=end.tzinfo)]
        held = [t for (at, t), until in zip(self.truths, untils, strict=True) if at <= end and until >= begin]
        return [t for t in held if t is not None] if None not in held else []


def _timeline(history: History, key: Key) -> _Timeline:
    timeline = _Timeline()
    if history.started_at is not None:
        timeline.note(history.started_at, _truth(history.at_start(), key))
    for moment in history.moments():
        timeline.note(moment.at, _truth(moment.world, key))
    return timeline


def _truth(world: World, key: Key) -> Truth | None:
    model = world.model(key.namespace, key.name)
    if model is None:
        return None
    service = world.service(key.namespace, key.name)
    selected = service.selected_revision if service else None
    live = world.deployment(key.namespace, key.name, selected)
    place = Place(key.namespace, key.name)
    others = [d for d in world.deployments(place) if d.meta.revision != selected]
    asked = _asked_for(model, world.deployments(place))
    return Truth(
        version=model.version,
        selected=(live.meta.version or "") if live else "",
        coming=frozenset(d.meta.version or "" for d in others if d.replicas > 0),
        arrived=asked is not None and asked.meta.revision == selected,
        asked=model.replicas,
        ready=_ready(world, key, service),
        warm=any(d.replicas > 0 for d in others),
        coming_ready=asked is not None and _is_full(world, asked),
        judged=asked is not None and asked.rejected,
        resolving=bool(world.resolvers(place)),
        refused=any(pod.reason for pod in world.resolvers(place)),
        step=model.status.step,
    )


def _ready(world: World, key: Key, service: Service | None) -> int:
    """Of the selected revision, or of all together; what leads to somebody else's pods leads to none."""
    if service is None or service.selected_model is None:
        return 0
    selected = service.selected_revision
    return len(world.ready(key.namespace, f"{key.name}-{selected}" if selected else key.name))


def _asked_for(model: Model, deployments: Sequence[Deployment]) -> Deployment | None:
    """Of the Deployments of the asked-for version (its resources may have changed) the one tried last."""
    mine = [d for d in deployments if d.meta.version == model.version]
    return max(mine, key=lambda d: d.attempt or "", default=None)


def _is_full(world: World, deployment: Deployment) -> bool:
    ready = world.ready(deployment.meta.key.namespace, deployment.meta.key.name)
    return 0 < deployment.replicas <= len(ready)


def _column(heading: str, name: str) -> int:
    return f" {heading} ".index(f" {name} ")
