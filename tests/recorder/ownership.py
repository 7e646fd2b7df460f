"""I4, I11 and I12: which objects are the operator's, and that it touches no others."""

from collections.abc import Iterator

from tests.recorder import writers
from tests.recorder.history import History, Moment, World
from tests.recorder.metadata import Key, Meta
from tests.recorder.objects import Deployment, Model, Object, Service
from tests.recorder.violation import Violation

ADOPTION = "slipway.dev/adopt"
_MANAGED_BY = "app.kubernetes.io/managed-by"
_PREVIEW = "-preview"  # of the Service at which a version can be tried before it is promoted
_OWNERS = ("InferenceModel", "Deployment")  # a Deployment owns what proves and guards its pods
# Deleted by nobody's hand: by owners, by the endpoint controllers, by their age, or by users alone.
_COME_AND_GO = ("Event", "EndpointSlice", "Pod", "ReplicaSet", "InferenceModel")


def one_deployment_a_revision(history: History) -> Iterator[Violation]:
    """I4: one Deployment a revision, named after it, owned by the model; foreign namesakes are let be."""
    for moment in history.moments():
        if moment.change.deleted:
            continue
        if isinstance(moment.object, Deployment | Service) and _made_by_operator(moment.object.meta):
            if moment.before is not None and _is_foreign(moment.before, moment.world):
                yield from _foreign_namesake(moment)
            else:
                yield from _badly_made(moment)


def others_are_untouched(history: History, deletions: frozenset[Key] = frozenset()) -> Iterator[Violation]:
    """I11: the operator changes no object that is not its own, and of a model only the status.

    A delete leaves no trace of its author: those that the test made are named in `deletions`.
    """
    for moment in history.moments():
        if moment.change.deleted:
            yield from _deleted_by_whom(moment, deletions)
        elif isinstance(moment.object, Model):
            yield from _model_written(moment, moment.object)
        elif not _is_own(moment) and moment.change.key.kind != "Event":
            yield from _foreign_written(moment)


def templates_stay(history: History) -> Iterator[Violation]:
    """I12: the pod template of an existing Deployment never changes."""
    for moment in history.moments():
        before, now = moment.before, moment.object
        if not isinstance(before, Deployment) or not isinstance(now, Deployment) or moment.change.deleted:
            continue
        if before.meta.uid == now.meta.uid and before.template != now.template and now.meta.model:
            by = ", ".join(sorted(moment.writers)) or "somebody unknown"
            yield Violation(
                "I12",
                moment.at,
                f"the pod template of {now.meta.key} was changed by {by}: its pods restart",
                now.meta.key,
                (f"resourceVersion {moment.position}",),
            )


def is_adopted(meta: Meta) -> bool:
    """Whether its owner has said that the operator may have it."""
    return ADOPTION in meta.annotations


def is_child(meta: Meta) -> bool:
    """Whether it bears a model's label or is owned by one."""
    return meta.model is not None or (meta.owner is not None and meta.owner.kind == "InferenceModel")


def has_lost_its_owner(meta: Meta) -> bool:
    """A child of the operator's that nothing controls: deleted was its model alone, or it was restored."""
    ours = _made_by_operator(meta) or meta.labels.get(_MANAGED_BY) == "slipway"
    return meta.model is not None and meta.owner is None and ours and not list(_misnamed(meta))


def _made_by_operator(meta: Meta) -> bool:
    return any(writers.is_operator(mark.manager) for mark in meta.marks)


def _is_foreign(item: Object, world: World) -> bool:
    """Whether it has the name of a model's object and is not the model's."""
    owner = item.meta.owner
    if is_adopted(item.meta) or (is_child(item.meta) and owner is not None and owner.kind in _OWNERS):
        return False
    if has_lost_its_owner(item.meta):
        return False
    return _namesake(item, world) is not None


def _namesake(item: Object, world: World) -> Model | None:
    key = item.meta.key
    for model in world.models():
        name = model.meta.key.name
        if model.meta.key.namespace == key.namespace and (key.name == name or _is_revision(key.name, name)):
            return model
    return None


def _is_revision(name: str, model: str) -> bool:
    head, _, tail = name.rpartition("-")
    return head == model and len(tail) == 10 and not set(tail) - set("0123456789abcdef")


def _foreign_namesake(moment: Moment) -> Iterator[Violation]:
    by = writers.operators(moment.writers)
    if by:
        yield Violation(
            "I4",
            moment.at,
            f"{moment.change.key} bears a model's name and belongs to somebody else, and {by[0]} wrote to it",
            moment.change.key,
            (f"resourceVersion {moment.position}",),
        )


def _badly_made(moment: Moment) -> Iterator[Violation]:
    if _loses_its_owner(moment):
        return
    for fault in _faults(moment.object, moment.world):
        if moment.before is None or fault not in _faults(moment.before, moment.world):
            yield Violation(
                "I4",
                moment.at,
                f"{moment.change.key} {fault}",
                moment.change.key,
                (f"resourceVersion {moment.position}",),
            )


def _loses_its_owner(moment: Moment) -> bool:
    """By the garbage collector's hand, or a person's: whoever comes after takes it over."""
    had = moment.before is not None and moment.before.meta.owner is not None
    return had and has_lost_its_owner(moment.object.meta) and not writers.operators(moment.writers)


def _faults(item: Object, world: World) -> list[str]:
    meta = item.meta
    if meta.model is None:
        return []
    return [*_misnamed(meta), *_misowned(meta, world), *_doubled(item, world)]


def _misnamed(meta: Meta) -> list[str]:
    whole = meta.revision is None or (meta.key.kind == "Service" and meta.key.name == meta.model)
    name = f"{meta.model}" if whole else f"{meta.model}-{meta.revision}"
    if meta.key.kind == "Service" and whole and meta.key.name == f"{meta.model}{_PREVIEW}":
        return []
    return [] if meta.key.name == name else [f"should be named {name}"]


def _misowned(meta: Meta, world: World) -> list[str]:
    if meta.deleting or is_adopted(meta):
        return []
    kind = "Deployment" if meta.key.kind != "Deployment" and meta.revision else "InferenceModel"
    name = meta.key.name if kind == "Deployment" else meta.model
    if meta.owner is None or (meta.owner.kind, meta.owner.name) != (kind, name):
        return [f"has no {kind} {name} as its controller"]
    owner = world.objects.get(Key(kind, meta.key.namespace, meta.owner.name))
    # Without an owner the garbage collector is at work; an owner of another uid never was its owner.
    if owner is not None and owner.meta.uid != meta.owner.uid:
        return [f"is owned by uid {meta.owner.uid}, and that of {owner.meta.key} is {owner.meta.uid}"]
    return []


def _doubled(item: Object, world: World) -> list[str]:
    if not isinstance(item, Deployment):
        return []
    mine = (item.meta.key.namespace, item.meta.model, item.meta.revision)
    for other in world.objects.values():
        theirs = (other.meta.key.namespace, other.meta.model, other.meta.revision)
        if isinstance(other, Deployment) and theirs == mine and other.meta.key != item.meta.key:
            return [f"is the second Deployment of revision {item.meta.revision} beside {other.meta.key.name}"]
    return []


def _is_own(moment: Moment) -> bool:
    # As it was before the write: the operator's label does not make an object its own.
    meta = (moment.before or moment.object).meta
    return is_child(meta) or is_adopted(meta)


def _foreign_written(moment: Moment) -> Iterator[Violation]:
    for manager in writers.operators(moment.writers):
        verb = "created" if moment.before is None else "changed"
        yield Violation(
            "I11",
            moment.at,
            f"{moment.change.key} is not Slipway's, and {manager} {verb} it",
            moment.change.key,
            (f"resourceVersion {moment.position}",),
        )


def _model_written(moment: Moment, model: Model) -> Iterator[Violation]:
    known = moment.before.meta.marks if moment.before else frozenset()
    for mark in sorted(model.meta.marks - known, key=lambda mark: mark.manager):
        if writers.is_operator(mark.manager) and mark.subresource != "status":
            yield Violation(
                "I11",
                moment.at,
                f"{mark.manager} wrote to {model.meta.key} itself and not to its status",
                model.meta.key,
                (f"resourceVersion {moment.position}",),
            )


def _deleted_by_whom(moment: Moment, deletions: frozenset[Key]) -> Iterator[Violation]:
    before, key = moment.before, moment.change.key
    if before is None or key.kind in _COME_AND_GO or key in deletions:
        return
    if not is_child(before.meta) and before.meta.owner is None:
        yield Violation(
            "I11",
            moment.at,
            f"{key} is not Slipway's, and was deleted by somebody whom the test does not name",
            key,
            (f"resourceVersion {moment.position}",),
        )
