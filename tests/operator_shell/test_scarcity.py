"""Of what there is too little, and who holds it, as nodes, pods and a refusal of the API server tell."""

import datetime
from typing import Any

import pytest

from slipway_operator.api import reasons
from slipway_operator.api.reasons import HolderKind
from slipway_operator.domain import scarcity as values
from slipway_operator.domain.scarcity import Holder
from slipway_operator.kube import scarcity
from tests.operator_shell import objects

A, B = "aaaaaaaaaa", "bbbbbbbbbb"
GPU = "nvidia.com/gpu"
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
REASON = reasons.ConditionReason
NO_GPU = f"0/2 nodes are available: 2 Insufficient {GPU}. preemption: 0/2 nodes are available: 2 No victims."


def deployment(*, each: int = 1, replicas: int = 2, refusal: str = "") -> objects.Object:
    """The revision that finds no room."""
    made = objects.deployment(B, replicas=replicas)
    made["metadata"]["namespace"] = "default"
    made["metadata"]["labels"]["slipway.dev/model"] = "sentiment"
    made["spec"]["template"] = {"spec": {"containers": [{"resources": {"limits": {GPU: each}}}]}}
    failure = {"type": "ReplicaFailure", "status": "True", "message": refusal}
    made["status"]["conditions"] = [failure | {"lastTransitionTime": objects.NOW}] if refusal else []
    return made


def pod(name: str, *, gpus: int = 1, node: str = "n1", namespace: str = "default", **labels: str) -> Any:
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {f"slipway.dev/{k}": v for k, v in labels.items()},
        },
        "spec": {"nodeName": node, "containers": [{"resources": {"limits": {GPU: str(gpus)}}}]},
        "status": {"phase": "Running"},
    }


def pending(name: str = "new", *, says: str = NO_GPU, gpus: int = 1, **spec: Any) -> Any:
    made = pod(name, gpus=gpus, node="", model="sentiment", revision=B)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": says}
    made["status"] = {"phase": "Pending", "conditions": [condition | {"lastTransitionTime": objects.NOW}]}
    made["spec"] |= spec
    return made


def ending(made: Any) -> Any:
    made["metadata"]["deletionTimestamp"] = objects.NOW
    return made


def old(name: str = "old", **fields: Any) -> Any:
    return pod(name, model="sentiment", revision=A, **fields)


def node(name: str = "n1", *, gpus: int = 2, cordoned: bool = False, **labels: str) -> Any:
    spec = {"unschedulable": True} if cordoned else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": {GPU: str(gpus)}},
    }


def found(
    *others: Any, nodes: list[Any] | None, waiting: list[Any] | None = None, each: int = 1
) -> values.Shortage:
    waiting = waiting or [pending(gpus=each)]
    shortage = scarcity.on_nodes(deployment(each=each), waiting, nodes=nodes, others=[*others, *waiting])
    assert shortage is not None
    return shortage


@pytest.mark.parametrize(
    ("others", "free", "held", "reason"),
    [
        pytest.param(
            [old("o1"), old("o2")],
            0,
            [
                Holder(HolderKind.OLD_VERSION, "default/o1", 1),
                Holder(HolderKind.OLD_VERSION, "default/o2", 1),
            ],
            REASON.HELD_BY_OLD_VERSION,
            id="by the model's own old version",
        ),
        pytest.param(
            [ending(old("o1")), pod("x", namespace="shop")],
            0,
            [Holder(HolderKind.ENDING, "default/o1", 1), Holder(HolderKind.OTHER, "shop/x", 1)],
            REASON.HELD_BY_ENDING_PODS,
            id="by a pod that is ending, and will be free by itself",
        ),
        pytest.param(
            [pod("x", gpus=2, namespace="shop")],
            0,
            [Holder(HolderKind.OTHER, "shop/x", 2)],
            REASON.HELD_BY_OTHERS,
            id="by somebody else",
        ),
        pytest.param(
            [pod("x", namespace="shop", model="sentiment", revision=A), old()],
            0,
            [Holder(HolderKind.OLD_VERSION, "default/old", 1), Holder(HolderKind.OTHER, "shop/x", 1)],
            REASON.HELD_BY_OLD_VERSION,
            id="by a namesake in another namespace, who is somebody else",
        ),
        pytest.param([], 2, [], REASON.UNSCHEDULABLE, id="by nobody: the want is another one"),
    ],
)
def test_a_device_is_held(others: list[Any], free: int, held: list[Holder], reason: object) -> None:
    shortage = found(*others, nodes=[node()])
    assert (shortage.resource, shortage.each, shortage.needed, shortage.since) == (GPU, 1, 1, AT)
    assert (shortage.free, list(shortage.holders)) == (free, held)
    assert values.reason_of(shortage) is reason


def test_pods_of_the_revision_that_have_found_room_hold_it_and_are_not_named() -> None:
    lucky = pod("lucky", model="sentiment", revision=B)
    shortage = found(lucky, nodes=[node(gpus=1)])
    assert (shortage.free, shortage.holders) == (0, ())


def test_no_pod_of_the_old_version_helps_one_that_needs_more_than_it_holds() -> None:
    shortage = found(old(), pod("x", gpus=7, namespace="shop"), nodes=[node(gpus=8)], each=8)
    assert values.reason_of(shortage) is REASON.HELD_BY_OTHERS


@pytest.mark.parametrize(
    ("nodes", "spec", "free"),
    [
        pytest.param([node(), node("n2")], {}, 4, id="all nodes"),
        pytest.param([node(), node("n2", cordoned=True)], {}, 2, id="no node that is cordoned"),
        pytest.param(
            [node(zone="a"), node("n2", zone="b", gpus=3)],
            {"nodeSelector": {"zone": "b"}},
            3,
            id="the nodes that the pod may go to",
        ),
        pytest.param([], {}, 0, id="no node at all"),
    ],
)
def test_what_is_free_is_counted_on(nodes: list[Any], spec: dict[str, Any], free: int) -> None:
    assert found(nodes=nodes, waiting=[pending(**spec)]).free == free


def test_without_a_right_to_see_nodes_the_namespace_is_told_of() -> None:
    shortage = found(old(), nodes=None)
    assert (shortage.free, values.reason_of(shortage)) == (None, REASON.HELD_BY_OLD_VERSION)
    assert "how many are free is not known" in values.sentence(shortage)


def test_as_many_are_needed_as_pods_are_missing() -> None:
    shortage = found(nodes=[], waiting=[pending("a", gpus=4), pending("b", gpus=4)], each=4)
    assert (shortage.each, shortage.needed) == (4, 8)


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param([], id="there is no pod"),
        pytest.param([old()], id="every pod has its place"),
        pytest.param([ending(pending())], id="the pod that waits is ending"),
        pytest.param(
            [pending(says="0/2 nodes are available: 2 Insufficient memory.")], id="memory is lacking"
        ),
        pytest.param(
            [pending(says="0/2 nodes are available: 2 node(s) had untolerated taint")], id="a taint"
        ),
    ],
)
def test_no_device_is_lacking_when(waiting: list[Any]) -> None:
    assert scarcity.on_nodes(deployment(), waiting, nodes=[], others=[]) is None


QUOTA = (
    'pods "sentiment-b-x" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1,'
    "used: requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=2"
).replace("=1,used", "=1, used")


def test_a_quota_is_told_in_the_words_of_the_refusal() -> None:
    made = deployment(refusal=QUOTA)
    assert scarcity.is_told(made, [])
    shortage = scarcity.in_quota(made, [], others=[old("o1"), old("o2"), pod("y", gpus=0)])
    assert shortage == values.Shortage(
        resource=GPU,
        each=1,
        needed=2,
        free=0,
        holders=(
            Holder(HolderKind.OLD_VERSION, "default/o1", 1),
            Holder(HolderKind.OLD_VERSION, "default/o2", 1),
        ),
        since=AT,
        quota="gpus",
    )
    assert values.reason_of(shortage) is REASON.QUOTA_EXCEEDED
    assert values.sentence(shortage) == (
        "2 nvidia.com/gpu are needed (1 a pod), 0 are free within the quota gpus, since 03:04:05Z; "
        "held by default/o1 (OldVersion, 1), default/o2 (OldVersion, 1)"
    )


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param("", id="nothing was refused"),
        pytest.param('pods "x" is forbidden: violates PodSecurity', id="it was refused for another reason"),
        pytest.param(
            "exceeded quota: x, requested: memory=4Gi, used: memory=0, limited: memory=1",
            id="it is a quota of memory",
        ),
    ],
)
def test_no_quota_of_a_device_is_told_when(refusal: str) -> None:
    assert scarcity.in_quota(deployment(refusal=refusal), [], others=[]) is None


def test_many_holders_are_cut_short() -> None:
    shortage = found(*(pod(f"x{n:02}", namespace="shop") for n in range(30)), nodes=[node(gpus=30)])
    assert len(shortage.holders) == scarcity.HOLDERS
    assert values.sentence(shortage).endswith("shop/x02 (Other, 1), 7 more")
