"""I5: the status says what is so, and never goes back."""

from collections.abc import Callable, Iterator

from tests.recorder import switches
from tests.recorder.history import History, Moment, World
from tests.recorder.metadata import Key
from tests.recorder.objects import Model, Service
from tests.recorder.recent import Recent
from tests.recorder.violation import Limits, Violation

RevisionOf = Callable[[str], str]  # the revision that a spec (as JSON) asks for


def status_is_true(
    history: History, limits: Limits, *, revision_of: RevisionOf | None = None
) -> Iterator[Violation]:
    """I5: observedGeneration never falls, activeRevision names what the selector held, Ready tells the truth.

    A status that nobody has rewritten is old, not false: only writes are judged. `revision_of` also
    tells apart specs of one version; without it versions are compared.
    """
    watching = _Watching(history, limits, revision_of)
    for moment in history.moments():
        yield from watching.look(moment)


def status_at_rest(history: History) -> Iterator[Violation]:
    """I5 at the end of a run that has come to rest: the last status is what the selector says.

    A first version that never had a ready pod need not be called active.
    """
    world = history.at_end()
    for model in world.models():
        service = world.service(model.meta.key.namespace, model.meta.key.name)
        selected = service.selected_revision if service else None
        claimed = model.status.active_revision or None
        idle = claimed is None and not world.ready(model.meta.key.namespace, model.meta.key.name)
        if history.ended_at is not None and claimed != selected and not idle:
            yield Violation(
                "I5",
                history.ended_at,
                f"at rest the status of {model.meta.key} says activeRevision "
                f"{model.status.active_revision!r} and the Service selects {selected!r}",
                model.meta.key,
            )


class _Watching:
    def __init__(self, history: History, limits: Limits, revision_of: RevisionOf | None) -> None:
        self._selected: Recent[Key, str | None] = Recent(limits.truth_lag)
        self._specs: dict[tuple[str, int], Model] = {}  # by uid and generation
        self._versions: dict[tuple[Key, str], str] = {}  # of revisions, also those that are gone
        self._revision_of = revision_of
        world = history.at_start()
        for item in world.objects.values():
            self._learn(item.meta.key, world)
            if isinstance(item, Model):
                self._specs[item.meta.uid, item.meta.generation] = item
            if history.started_at is not None and isinstance(item, Service) and switches.stable(item):
                self._selected.note(_model_key(item), item.selected_revision, history.started_at)

    def look(self, moment: Moment) -> Iterator[Violation]:
        self._learn(moment.change.key, moment.world)
        service = switches.stable(moment.object)
        if service is not None:
            held = None if moment.change.deleted else service.selected_revision
            self._selected.note(_model_key(service), held, moment.at)
        if isinstance(moment.object, Model) and not moment.change.deleted:
            self._specs[moment.object.meta.uid, moment.object.meta.generation] = moment.object
            yield from self._judge(moment, moment.object)

    def _learn(self, key: Key, world: World) -> None:
        item = world.objects.get(key)
        if item is None or key.kind != "Deployment" or item.meta.model is None:
            return
        model = Key("InferenceModel", key.namespace, item.meta.model)
        self._versions[model, item.meta.revision or ""] = item.meta.version or ""

    def _judge(self, moment: Moment, model: Model) -> Iterator[Violation]:
        before = moment.before
        if isinstance(before, Model) and before.meta.uid == model.meta.uid:
            if before.status == model.status:
                return
            yield from _went_back(moment, before, model)
        yield from self._claims(moment, model)
        yield from self._ready(moment, model)

    def _claims(self, moment: Moment, model: Model) -> Iterator[Violation]:
        revision, version = model.status.active_revision, model.status.active_version
        held = self._selected.of(model.meta.key, moment.at)
        if revision and revision not in held:
            shown = ", ".join(str(each) for each in held) or "nothing"
            yield _violation(
                moment, f"claims activeRevision {revision} and the Service has lately selected {shown}"
            )
        known = {self._versions.get((model.meta.key, each or "")) for each in held}
        if version and None not in known and version not in known:
            yield _violation(
                moment, f"claims activeVersion {version} and the Service selected {_listed(known)}"
            )

    def _ready(self, moment: Moment, model: Model) -> Iterator[Violation]:
        ready = model.status.conditions.get("Ready")
        if ready is None or ready.status != "True":
            return
        generation = ready.generation if ready.generation is not None else model.status.generation
        asked = self._specs.get((model.meta.uid, generation or model.meta.generation))
        service = moment.world.service(model.meta.key.namespace, model.meta.key.name)
        selected = service.selected_revision if service else None
        if asked is not None and asked.replicas == 0:  # it is so that nothing serves: that was asked for
            if service is not None and moment.world.ready(service.meta.key.namespace, service.meta.key.name):
                yield _violation(moment, "says Ready=True at 0 replicas and pods still answer")
            return
        if selected is None and model.strategy == "Rolling":
            return  # while it rolls, the selector names no single revision
        if selected is None:
            yield _violation(moment, "says Ready=True and no revision is selected")
        elif asked is not None:
            yield from self._serves(moment, asked, selected)

    def _serves(self, moment: Moment, asked: Model, selected: str) -> Iterator[Violation]:
        version = self._versions.get((asked.meta.key, selected))
        if version is not None and version != asked.version:
            yield _violation(
                moment, f"says Ready=True for version {asked.version} and the traffic goes to {version}"
            )
            return
        wanted = self._revision_of(asked.spec) if self._revision_of else selected
        if wanted != selected:
            yield _violation(
                moment, f"says Ready=True for revision {wanted} and the traffic goes to {selected}"
            )


def _went_back(moment: Moment, before: Model, model: Model) -> Iterator[Violation]:
    old, new = before.status.generation, model.status.generation
    if old is not None and (new is None or new < old):
        yield _violation(moment, f"went back from observedGeneration {old} to {new}")
    if new is not None and new > model.meta.generation:
        yield _violation(moment, f"has observedGeneration {new} and the spec is at {model.meta.generation}")


def _model_key(service: Service) -> Key:
    return Key("InferenceModel", service.meta.key.namespace, service.meta.key.name)


def _listed(values: set[str | None]) -> str:
    return ", ".join(sorted(str(each) for each in values))


def _violation(moment: Moment, what: str) -> Violation:
    return Violation(
        "I5",
        moment.at,
        f"the status of {moment.change.key} {what}",
        moment.change.key,
        (f"resourceVersion {moment.position}",),
    )
