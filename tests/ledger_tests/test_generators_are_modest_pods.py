"""The generators' manifests: valid for the API server, restricted, and telling the pod all it must know."""

from __future__ import annotations

from typing import Any

import kubernetes_validate

from tests.ledger import counts, manifests
from tests.ledger.generator import settings
from tests.ledger.generator.load import ClientClass, Load, Rate

LOAD = Load(
    clients={ClientClass.FAST: 3, ClientClass.NEW: 1},
    paces={ClientClass.NEW: Rate(5)},
    seed=42,
    max_seconds=90,
    max_requests=1000,
)


def pod() -> dict[str, Any]:
    return manifests.generator(
        "generator-0",
        namespace="slipway-ledger",
        image="slipway.local/ledger:abc",
        target="http://sentiment.default/v1/predict",
        load=LOAD,
    )


def test_the_api_server_would_take_them() -> None:
    for manifest in (pod(), manifests.namespace("slipway-ledger")):
        kubernetes_validate.validate(manifest, "1.35", strict=True)


def test_the_pod_is_restricted_and_has_no_account() -> None:
    spec = pod()["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_pod_never_lives_twice_nor_for_ever() -> None:
    assert pod()["spec"]["restartPolicy"] == "Never"
    assert 90 < pod()["spec"]["activeDeadlineSeconds"] < 3600


def test_the_generator_reads_the_load_that_the_driver_wrote() -> None:
    environment = {entry["name"]: entry["value"] for entry in pod()["spec"]["containers"][0]["env"]}
    read = settings.read([], environment)
    assert read.load == LOAD
    assert (read.name, read.port) == ("generator-0", manifests.PORT)
    assert read.target.url == "http://sentiment.default:80/v1/predict"


def test_counts_of_all_generators_add_up() -> None:
    document = {
        "generator": "a",
        "state": "running",
        "requests": 10,
        "failed": 1,
        "in_flight": 2,
        "reasons": {"status 503": 1},
        "by_class": {"fast": {"1": {"served": 6}, "": {"failed": 1}}, "new": {"2": {"served": 1}}},
        "last_second": {"failed": 1, "versions": {"2": 1, "1": 4}},
    }
    merged = counts.merge([document, document | {"generator": "b", "state": "done"}])
    assert (merged.requests, merged.failed, merged.in_flight, merged.per_second) == (20, 2, 4, 12)
    assert merged.served == {"fast": {"1": 12}, "new": {"2": 2}}
    assert merged.states == {"a": "running", "b": "done"}
    assert merged.reasons == {"status 503": 2}
    assert merged.versions == {"1": 8, "2": 2}
