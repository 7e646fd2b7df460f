"""The operator's writes in the miniature cluster, under the rules of the API and of the real executor.

A write that no longer fits is refused, and with it the rest of its plan.
"""

from __future__ import annotations

from typing import assert_never

from slipway_operator.domain import observed, target
from slipway_operator.planning import actions
from tests.planning import world


class Refused(Exception):  # noqa: N818 - it reads as what it says of the write
    """Conflict, AlreadyExists or NotFound: the next look plans anew."""


def carry_out(cluster: world.World, action: actions.Action, *, asked: target.Target) -> None:
    """One write of a plan that was made for `asked`. Raises Refused."""
    match action:
        case actions.CreateDeployment(revision=revision, replicas=replicas, at=at, beside=beside):
            _refuse_if(revision in cluster.deployments)
            _refuse_if(not knows(cluster, revision))
            cluster.create_deployment(revision, replicas, at, beside)
        case actions.CreateRevisionService(revision=revision):
            _deployment(cluster, revision).has_service = True
        case actions.CreateTrafficService(to=to):
            _refuse_if(cluster.service is not None)
            cluster.create_service(to)
        case actions.SwitchTraffic():
            _switch(cluster, action)
        case actions.Scale(revision=revision, replicas=replicas):
            lower = replicas < _deployment(cluster, revision).desired and replicas < asked.replicas
            _refuse_if(lower and _has_traffic(cluster, revision))
            cluster.scale(revision, replicas)
        case actions.GiveWay() | actions.TakeDown():
            _take(cluster, action)
        case actions.DeleteRevision(revision=revision):
            _refuse_if(_has_traffic(cluster, revision))
            _deployment(cluster, revision)
            cluster.deployment_is_deleted(revision)
        case actions.WidenTraffic() | actions.CreatePreviewService() | actions.PointPreview():
            _select(cluster, action)
        case (
            actions.CreateResolver()
            | actions.DeleteResolver()
            | actions.CreateBudget()
            | actions.DeleteBudget()
            | actions.ApplyAccess()
            | actions.DeleteAccess()
            | actions.MarkLentService()
            | actions.MendService()
            | actions.TakeOver()
        ):
            _surround(cluster, action)
        case _:
            _note(_deployment(cluster, action.revision), action)


def _take(cluster: world.World, action: actions.GiveWay | actions.TakeDown) -> None:
    match action:
        case actions.GiveWay(revision=revision):
            _give_way(cluster, revision)
        case actions.TakeDown(revision=revision):
            _deployment(cluster, revision)
            cluster.scale(revision, 0)
        case _:
            assert_never(action)


def _give_way(cluster: world.World, revision: str) -> None:
    _deployment(cluster, revision)
    if any(pod.phase is world.Phase.READY for pod in cluster.standing(revision)):
        cluster.slices_catch_up()  # they do while the operator waits after a conflict
        raise Refused
    cluster.scale(revision, 0)


def _select(
    cluster: world.World, action: actions.WidenTraffic | actions.CreatePreviewService | actions.PointPreview
) -> None:
    match action:
        case actions.WidenTraffic(origin=origin, at=at, resource_version=read):
            _refuse_if(cluster.service is None or read != str(cluster.service.resource_version))
            cluster.move_selector(observed.Switch(origin, observed.EVERY_POD, at))
        case actions.CreatePreviewService(to=to):
            _refuse_if(cluster.preview is not None)
            cluster.point_preview(to)
        case actions.PointPreview(to=to, resource_version=read):
            _refuse_if(cluster.preview is None or cluster.preview.resource_version != read)
            cluster.point_preview(to)
        case _:
            assert_never(action)


def _surround(cluster: world.World, action: actions.Around) -> None:
    match action:
        case actions.CreateResolver(revision=revision, number=number, attempt=attempt):
            _refuse_if(world.resolver_name(revision, number) in cluster.resolvers)
            cluster.create_resolver(revision, number, attempt)
        case actions.DeleteResolver(name=name):
            _refuse_if(name not in cluster.resolvers)
            cluster.delete_resolver(name)
        case actions.CreateBudget(revision=revision):
            _refuse_if(_deployment(cluster, revision).has_budget)
            _deployment(cluster, revision).has_budget = True
            _deployment(cluster, revision).spoilt_budget = False
        case actions.DeleteBudget(revision=revision):
            _refuse_if(not _deployment(cluster, revision).has_budget)
            _deployment(cluster, revision).has_budget = False
        case actions.ApplyAccess():
            cluster.access = observed.Access.CURRENT
        case actions.DeleteAccess():
            cluster.access = observed.Access.ABSENT
        case actions.MarkLentService(resource_version=read):
            service = cluster.service
            _refuse_if(service is None or read != str(service.resource_version))
            cluster.mark_service()
        case actions.MendService(revision=revision):
            _refuse_if(revision not in cluster.spoilt)
            cluster.spoilt.discard(revision)
        case actions.TakeOver(kind=kind, name=name):
            _refuse_if((kind, name) not in cluster.unowned & cluster.children())
            cluster.take_over(kind, name)
        case _:
            assert_never(action)


def knows(cluster: world.World, revision: str) -> bool:
    """A resolver pod has said what the revision's source leads to."""
    return any(r.revision == revision and r.source for r in cluster.resolvers.values())


def fits(cluster: world.World, move: actions.SwitchTraffic) -> bool:
    """The API server's answer to the resourceVersion that the switch carries."""
    service = cluster.service
    return service is not None and move.resource_version == str(service.resource_version)


def _switch(cluster: world.World, move: actions.SwitchTraffic) -> None:
    _refuse_if(cluster.service is None or not fits(cluster, move))
    cluster.move_selector(observed.Switch(move.origin, move.to, move.at, move.back))


def _note(deployment: world.Deployment, action: actions.Note) -> None:
    match action:
        case actions.StartAttempt(at=at, replicas=replicas, number=number, beside=beside):
            deployment.attempt_started_at, deployment.latched = at, replicas
            deployment.beside = beside
            deployment.attempt_number = number
            deployment.rejected = deployment.released = None
            deployment.slower = ""
        case actions.MarkPromoted(at=at):
            deployment.promoted_at = at
        case actions.Reject(verdict=verdict):
            deployment.rejected = verdict
        case actions.Release(verdict=verdict):
            deployment.released = verdict
        case actions.NoteSlowness(message=message):
            deployment.slower = message
        case _:
            assert_never(action)


def _deployment(cluster: world.World, revision: str) -> world.Deployment:
    _refuse_if(revision not in cluster.deployments)
    return cluster.deployments[revision]


def _has_traffic(cluster: world.World, revision: str) -> bool:
    return cluster.service is not None and cluster.service.revision == revision


def _refuse_if(unfit: bool) -> None:  # noqa: FBT001 - it reads as a sentence
    if unfit:
        raise Refused
