"""The ledger on a real cluster: two generators, a Service whose selector moves, and a generator that dies."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import images, selection, toolchain
from tests.cluster.kubectl import Kubectl
from tests.ledger.driver import Ledger, LedgerError
from tests.ledger.generator.load import ClientClass, Load, Rate, Think

pytestmark = pytest.mark.cluster

NAMESPACE = "slipway-ledger-test"
TARGET = f"http://sentiment.{NAMESPACE}/v1/predict"
LOAD = Load(
    clients={
        ClientClass.FAST: 3,
        ClientClass.SLOW: 3,
        ClientClass.POOL: 2,
        ClientClass.NEW: 2,
        ClientClass.UPLOAD: 1,
    },
    paces={ClientClass.FAST: Rate(20), ClientClass.SLOW: Think(0, 1)},
    max_seconds=120,
)


@pytest.fixture(scope="module")
def image() -> str:
    cluster = selection.choose()
    cluster.up()
    built = images.ensure(["ledger"])["ledger"]
    cluster.load_image(built.archive, built.reference)
    return built.reference


@pytest.fixture(scope="module")
def kubectl(image: str) -> Iterator[Kubectl]:
    """A cluster with a Service and the pods of two versions behind it; the first is selected."""
    kubectl = Kubectl(toolchain.binary("kubectl"), selection.choose().kubeconfig)
    kubectl.apply(objects(image))
    for version in ("1", "2"):
        kubectl.run(
            "wait", "--for=condition=Available", f"deployment/v{version}", "-n", NAMESPACE, timeout=90
        )
    yield kubectl
    for namespace in (NAMESPACE, f"{NAMESPACE}-load"):
        kubectl.delete("namespace", namespace)


@pytest.fixture
def ledger(kubectl: Kubectl, image: str, tmp_path: Path) -> Iterator[Ledger]:
    select(kubectl, "1")
    ledger = Ledger(kubectl, image=image, output=tmp_path / "ledger", namespace=f"{NAMESPACE}-load")
    yield ledger
    ledger.stop()


def select(kubectl: Kubectl, version: str) -> None:
    selector = {"spec": {"selector": {"version": version}}}
    kubectl.patch("service", "sentiment", selector, namespace=NAMESPACE)


def requests_at_least(ledger: Ledger, count: int) -> None:
    deadline = time.monotonic() + 60
    while ledger.counts().requests < count:
        assert time.monotonic() < deadline
        time.sleep(1)


def test_a_switch_is_seen_by_clients_and_costs_them_nothing(
    kubectl: Kubectl, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.start(TARGET, LOAD)
    nodes = {pod["spec"]["nodeName"] for pod in kubectl.list("pod", namespace=f"{NAMESPACE}-load")}
    assert len(nodes) == min(2, len(kubectl.list("node")))
    requests_at_least(ledger, 400)
    before = time.time()
    select(kubectl, "2")
    requests_at_least(ledger, ledger.counts().requests + 600)
    ledger.collect()
    report = ledger.stop()
    assert report.passed, (report.failures, report.findings)
    assert report.unaccounted == 0
    assert {line.client_class for line in report.classes} == set(ClientClass)
    (switch,) = report.switches
    assert (switch.old, switch.new) == ("1", "2")
    assert switch.seen.first_new is not None
    assert 0 < switch.seen.first_new - before < 5
    assert ledger.stop() is report
    assert kubectl.list("pod", namespace=f"{NAMESPACE}-load") == []
    assert (tmp_path / "ledger" / "report.txt").read_text().rstrip().endswith("version switches seen: 1")


def test_a_generator_that_dies_fails_the_run(kubectl: Kubectl, ledger: Ledger) -> None:
    ledger.start(TARGET, LOAD)
    requests_at_least(ledger, 100)
    ledger.collect()
    kubectl.run("delete", "pod", "generator-1", "-n", f"{NAMESPACE}-load", "--grace-period=0", "--force")
    with pytest.raises(LedgerError, match=r"generator-1 does not answer: there is no such pod"):
        ledger.counts()
    report = ledger.stop()
    assert not report.passed
    assert report.unaccounted >= 1
    assert any("generator-1 was lost" in finding for finding in report.findings)
    assert any(finding.startswith("generator-1: its records end") for finding in report.findings)
    assert report.requests > 100, "what was fetched before it died still counts"


def objects(image: str) -> Sequence[dict[str, Any]]:
    source = (Path(__file__).parent / "server.py").read_text()
    place = {"namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "server", **place},
            "data": {"server.py": source},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "sentiment", **place},
            "spec": {"ports": [{"port": 80, "targetPort": 8080}], "selector": {"version": "1"}},
        },
        *(deployment(image, version) for version in ("1", "2")),
    ]


def deployment(image: str, version: str) -> dict[str, Any]:
    labels = {"app": "server", "version": version}
    container = {
        "name": "server",
        "image": image,
        "command": ["/opt/slipway/bin/python", "/server/server.py"],
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        "volumeMounts": [{"name": "server", "mountPath": "/server"}],
    }
    volumes = [{"name": "server", "configMap": {"name": "server"}}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"v{version}", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1},
            },
        },
    }
