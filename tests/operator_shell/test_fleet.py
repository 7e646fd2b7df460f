"""Places in the queue of rollouts, from what the API server lists of models and Deployments."""

import asyncio
import datetime
import json
from typing import Any

import pytest

from slipway_operator.api import model as api
from slipway_operator.domain import fleet as values
from slipway_operator.domain import revision, target
from slipway_operator.kube import fleet
from tests.operator_shell import objects
from tests.rendering import models

NOW = datetime.datetime(2026, 1, 2, 4, 0, tzinfo=datetime.UTC)


def model(
    name: str, *, asked: str = "2026-01-02T03:30:00Z", version: str = "2", gpus: int = 0
) -> objects.Object:
    """A model as it is listed, whose spec somebody has changed at that time."""
    spec = {**models.LEAST, "version": version}
    if gpus:
        spec["resources"] = {"limits": {"nvidia.com/gpu": gpus}}
    notes = [
        {"time": asked, "fieldsV1": {"f:spec": {}}},
        {"time": "2026-01-02T03:59:00Z", "fieldsV1": {"f:status": {}}, "subresource": "status"},
        {"time": "2026-01-02T03:59:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}, "subresource": "scale"},
        {"time": "2026-01-02T03:59:00Z", "fieldsV1": {"f:metadata": {}}},
    ]
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "managedFields": notes}
    return {"metadata": metadata | {"creationTimestamp": objects.NOW}, "spec": spec}


def child(of: str, version: str, *, replicas: int = 1, served: bool = False) -> objects.Object:
    made = objects.deployment(
        revision.revision_of({**models.LEAST, "version": version}),
        replicas=replicas,
        annotations={"slipway.dev/promoted-at": objects.NOW} if served else {},
    )
    made["metadata"]["ownerReferences"] = objects.owned_by("InferenceModel", of, f"uid-{of}")
    return made


def resolved(of: objects.Object) -> objects.Object:
    """Its resolver pod, which has found what the source leads to."""
    name = of["metadata"]["name"]
    answer = json.dumps({"uri": "s3://models/sentiment/2"})
    ended = {"exitCode": 0, "message": answer, "finishedAt": objects.NOW}
    return {
        "metadata": {
            "name": f"{name}-resolver-1",
            "creationTimestamp": objects.NOW,
            "labels": {"slipway.dev/resolves-revision": revision.revision_of(of["spec"])},
            "ownerReferences": objects.owned_by("InferenceModel", name, f"uid-{name}"),
        },
        "status": {
            "phase": "Succeeded",
            "containerStatuses": [{"name": "resolver", "state": {"terminated": ended}}],
        },
    }


def served(name: str) -> objects.Object:
    return child(name, "1", served=True)


def target_of(found: api.InferenceModel, body: dict[str, Any]) -> target.Target:
    return target.Target(revision.revision_of(body["spec"]), found.spec.version, found.spec.replicas)


class Server:
    """The API server's lists."""

    def __init__(
        self,
        listed: list[objects.Object],
        deployments: list[objects.Object],
        resolvers: list[objects.Object] | None = None,
    ) -> None:
        self.listed, self.deployments, self.asked = listed, deployments, list[str]()
        self.resolvers = [resolved(body) for body in listed] if resolvers is None else resolvers

    async def list(self, path: str, *, selector: str) -> list[objects.Object]:
        self.asked.append(f"{path}?{selector}")
        if path.endswith("/pods"):
            return self.resolvers if selector.startswith("slipway.dev/resolves") else []
        return self.deployments if path.endswith("/deployments") else self.listed


def place(models: fleet.Fleet, name: str, *, now: datetime.datetime = NOW) -> values.Place | None:
    return asyncio.run(models.place(api.InferenceModel.parse(model(name)), target_of, now=now))


def a_fleet(server: Server, limits: values.Limits, namespaces: tuple[str, ...] = ()) -> fleet.Fleet:
    return fleet.Fleet(server, limits, namespaces=namespaces)  # type: ignore[arg-type]


def test_who_asked_first_begins_first() -> None:
    early = model("early", asked="2026-01-02T03:10:00Z")
    server = Server([model("late"), early], [served("late"), served("early")])
    late = place(a_fleet(server, values.Limits(1)), "late")
    assert late == values.Place(2, ("default/early",), ())
    assert place(a_fleet(server, values.Limits(1)), "early") is None


def test_a_rollout_that_is_under_way_is_in_the_way() -> None:
    server = Server([model("a"), model("b")], [served("a"), child("a", "2"), served("b")])
    assert place(a_fleet(server, values.Limits(1)), "b") == values.Place(1, (), ("default/a",))
    assert place(a_fleet(server, values.Limits(2)), "b") is None


def test_gpus_are_counted_in_addition_to_what_serves() -> None:
    listed = [model("a", gpus=3), model("b", gpus=2)]
    children = [served("a"), child("a", "2"), served("b")]
    assert place(a_fleet(Server(listed, children), values.Limits(devices=4)), "b") is not None
    assert place(a_fleet(Server(listed, children), values.Limits(devices=5)), "b") is None


def test_what_was_granted_counts_until_the_lists_show_it() -> None:
    server = Server([model("a"), model("b")], [served("a"), served("b")])
    models = a_fleet(server, values.Limits(1))
    assert place(models, "a") is None
    assert place(models, "b") == values.Place(1, (), ("default/a",))
    assert place(models, "a") is None, "leave that was given is not taken back"
    later = NOW + datetime.timedelta(seconds=fleet.GRANTED_SECONDS + 1)
    assert place(models, "b", now=later) == values.Place(2, ("default/a",), ())


def parsed(name: str) -> api.InferenceModel:
    return api.InferenceModel.parse(model(name))


def test_who_was_looked_at_and_has_not_asked_keeps_nobody_waiting() -> None:
    early = model("early", asked="2026-01-02T03:10:00Z")
    server = Server([model("late"), early], [served("late"), served("early")])
    models = a_fleet(server, values.Limits(1))
    models.rests(parsed("early"))
    assert place(models, "late") is None
    assert place(a_fleet(server, values.Limits(1)), "late") is not None, "a restart forgets no place"


def test_who_rested_and_asks_has_its_place_again() -> None:
    early = model("early", asked="2026-01-02T03:10:00Z")
    deployments = [served("late"), served("early"), served("a"), child("a", "2")]
    models = a_fleet(Server([model("late"), early, model("a")], deployments), values.Limits(1))
    models.rests(parsed("early"))
    assert place(models, "late") == values.Place(1, (), ("default/a",))
    assert place(models, "early") == values.Place(1, (), ("default/a",))
    assert place(models, "late") == values.Place(2, ("default/early",), ("default/a",))


def test_what_was_refused_gives_its_leave_back() -> None:
    early = model("early", asked="2026-01-02T03:10:00Z")
    server = Server([model("late"), early], [served("late"), served("early")])
    models = a_fleet(server, values.Limits(1))
    assert place(models, "early") is None
    assert place(models, "late") is not None
    models.was_refused(parsed("early"))
    assert place(models, "late") is None
    assert place(models, "early") == values.Place(1, (), ("default/late",)), "and asks when it tries again"


def test_who_rests_and_is_gone_is_forgotten() -> None:
    models = a_fleet(Server([model("me")], [served("me")]), values.Limits(1))
    models.rests(parsed("gone"))
    assert place(models, "me") is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            {"metadata": {"name": "x", "namespace": "default"}, "spec": {}}, id="one that makes no sense"
        ),
        pytest.param(
            {
                **(gone := model("gone", asked="2026-01-02T03:10:00Z")),
                "metadata": gone["metadata"] | {"deletionTimestamp": objects.NOW},
            },
            id="one that is being deleted",
        ),
        pytest.param(model("new", asked="2026-01-02T03:10:00Z"), id="one that serves nobody yet"),
    ],
)
def test_waits_for_nobody_like(other: objects.Object) -> None:
    server = Server([other, model("me")], [served("me"), served("gone")])
    assert place(a_fleet(server, values.Limits(1)), "me") is None


def test_nobody_waits_behind_one_whose_source_is_not_known() -> None:
    early = model("early", asked="2026-01-02T03:10:00Z")
    server = Server([early, model("me")], [served("early"), served("me")], [resolved(model("me"))])
    assert place(a_fleet(server, values.Limits(1)), "me") is None


def test_a_model_that_has_gone_has_no_place() -> None:
    assert place(a_fleet(Server([], []), values.Limits(1)), "me") is None


def test_only_the_namespaces_are_listed_that_are_named() -> None:
    server = Server([], [])
    place(a_fleet(server, values.Limits(1), ("x", "y")), "me")
    assert server.asked == [
        "/apis/apps/v1/namespaces/x/deployments?app.kubernetes.io/managed-by=slipway",
        "/apis/apps/v1/namespaces/y/deployments?app.kubernetes.io/managed-by=slipway",
        "/api/v1/namespaces/x/pods?slipway.dev/resolves",
        "/api/v1/namespaces/y/pods?slipway.dev/resolves",
        "/apis/slipway.dev/v1alpha1/namespaces/x/inferencemodels?",
        "/apis/slipway.dev/v1alpha1/namespaces/y/inferencemodels?",
    ]
