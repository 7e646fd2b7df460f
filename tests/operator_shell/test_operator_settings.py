"""What the environment may say, and what is said about what it may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pydantic
import pytest

from slipway_operator import settings
from tests.cluster import paths


def test_the_defaults_make_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_RUNTIME_IMAGE", "runtime:1")
    chosen = settings.Settings()
    assert (chosen.lease_seconds, chosen.lease_renew_seconds, chosen.lease_retry_seconds) == (15, 10, 2)
    assert chosen.heartbeat_seconds == 120
    assert chosen.resync_seconds == 300


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("SLIPWAY_LEASE_RENEW_SECONDS", "15", id="a holder that gives up too late"),
        pytest.param("SLIPWAY_LEASE_RETRY_SECONDS", "10", id="a holder that tries too seldom"),
        pytest.param("SLIPWAY_WRITE_QPS", "0", id="no writes at all"),
        pytest.param("SLIPWAY_WRITE_BURST", "0", id="no write at once"),
        pytest.param("SLIPWAY_METRICS_PORT", "99999", id="no such port"),
        pytest.param("SLIPWAY_LEASE_NAME", "", id="a Lease without a name"),
        pytest.param("SLIPWAY_COMMON_LABELS", "team=ml", id="labels that are no JSON"),
        pytest.param("SLIPWAY_COMMON_LABELS", '["team"]', id="labels without values"),
        pytest.param("SLIPWAY_COMMON_LABELS", '{"team": 7}', id="a label that is a number"),
        pytest.param("SLIPWAY_COMMON_LABELS", '{"a b": "c"}', id="a label that cannot be one"),
        pytest.param("SLIPWAY_COMMON_LABELS", '{"team": "m l"}', id="a value that cannot be one"),
        pytest.param("SLIPWAY_COMMON_LABELS", '{"slipway.dev/model": "x"}', id="a label that is ours"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", "cpu=1", id="amounts that are no JSON"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '["cpu"]', id="amounts that are a list"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"cpu": "1"}', id="amounts of neither kind"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"limits": ["cpu"]}', id="limits without amounts"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"limits": {"cpu": "-1"}}', id="less than nothing"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"limits": {"cpu": "one"}}', id="an amount in words"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"limits": {"cpu": true}}', id="an amount that is none"),
        pytest.param("SLIPWAY_RESOLVER_RESOURCES", '{"limits": {"nvidia.com/gpu": 1}}', id="a GPU"),
        pytest.param(
            "SLIPWAY_RESOLVER_RESOURCES",
            '{"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}',
            id="a request above its limit",
        ),
        pytest.param("SLIPWAY_RESOLVER_NODE_SELECTOR", "arch=arm64", id="labels of nodes that are no JSON"),
        pytest.param("SLIPWAY_RESOLVER_NODE_SELECTOR", '["arch"]', id="labels of nodes without values"),
        pytest.param("SLIPWAY_RESOLVER_NODE_SELECTOR", '{"gpus": 8}', id="a label of nodes that is a number"),
        pytest.param("SLIPWAY_RESOLVER_NODE_SELECTOR", '{"a b": "c"}', id="a label that no node can have"),
        pytest.param("SLIPWAY_RESOLVER_TOLERATIONS", "gpu:NoSchedule", id="tolerations that are no JSON"),
        pytest.param("SLIPWAY_RESOLVER_TOLERATIONS", '{"key": "gpu"}', id="a toleration alone"),
        pytest.param("SLIPWAY_RESOLVER_TOLERATIONS", '["gpu"]', id="a toleration that is a text"),
        pytest.param("SLIPWAY_RESOLVER_TOLERATIONS", '[{"key": "gpu", "effct": "x"}]', id="a typo"),
        pytest.param("SLIPWAY_RESOLVER_TOLERATIONS", '[{"effect": "NoSchedule"}]', id="no key and no Exists"),
        pytest.param("SLIPWAY_RESOLVER_SIDECARS", "perhaps", id="neither yes nor no"),
    ],
)
def test_what_makes_no_sense_is_refused(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_RUNTIME_IMAGE", "runtime:1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(pydantic.ValidationError):
        settings.Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="none"),
        pytest.param(
            '{"team": "ml", "example.com/cost": ""}', {"team": "ml", "example.com/cost": ""}, id="two"
        ),
    ],
)
def test_common_labels_are_read(text: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_RUNTIME_IMAGE", "runtime:1")
    monkeypatch.setenv("SLIPWAY_COMMON_LABELS", text)
    assert settings.Settings().common_labels == expected


def test_what_is_set_for_resolver_pods_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_RUNTIME_IMAGE", "runtime:1")
    for name in ("RESOURCES", "NODE_SELECTOR", "TOLERATIONS"):
        monkeypatch.setenv(f"SLIPWAY_RESOLVER_{name}", "")
    none = settings.Settings()
    assert not any((none.resolver_resources, none.resolver_node_selector, none.resolver_tolerations))
    assert none.resolver_sidecars is False

    amounts = {"requests": {"cpu": 0.5}, "limits": {"cpu": "1", "memory": "1Gi"}}
    tolerations = [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]
    monkeypatch.setenv("SLIPWAY_RESOLVER_RESOURCES", json.dumps(amounts))
    monkeypatch.setenv("SLIPWAY_RESOLVER_NODE_SELECTOR", '{"kubernetes.io/arch": "arm64"}')
    monkeypatch.setenv("SLIPWAY_RESOLVER_TOLERATIONS", json.dumps(tolerations))
    monkeypatch.setenv("SLIPWAY_RESOLVER_SIDECARS", "true")
    some = settings.Settings()
    assert some.resolver_resources == {"requests": {"cpu": "0.5"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    assert some.resolver_node_selector == {"kubernetes.io/arch": "arm64"}
    assert some.resolver_tolerations == tolerations
    assert some.resolver_sidecars is True


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        pytest.param("LOG_LEVEL", "loud", "Input should be", id="a word that is none of those"),
        pytest.param(
            "RESOLVER_RESOURCES",
            '{"limits": {"nvidia.com/gpu": 1}}',
            "limits names 'nvidia.com/gpu', where only cpu, memory and ephemeral-storage may stand",
            id="a GPU for a resolver",
        ),
        pytest.param(
            "RESOLVER_RESOURCES",
            '{"requests": {"memory": "2Gi"}, "limits": {"memory": "1G"}}',
            "the request of memory, 2Gi, is above its limit, 1G",
            id="a request above its limit",
        ),
        pytest.param("RESOLVER_TOLERATIONS", "gpu", "must be JSON", id="no JSON"),
        pytest.param(
            "RESOLVER_TOLERATIONS", '[{"key": "a", "vlue": "b"}]', "'vlue'", id="a typo in a toleration"
        ),
        pytest.param(
            "RESOLVER_TOLERATIONS",
            '[{"operator": "Equal"}]',
            "a toleration without a key must have the operator Exists",
            id="a toleration that the API server would refuse",
        ),
        pytest.param("RESOLVER_NODE_SELECTOR", '{"gpus": 8}', "gpus", id="a number for a label"),
    ],
)
def test_the_process_names_what_it_refuses(variable: str, value: str, words: str) -> None:
    environment = os.environ | {"SLIPWAY_RUNTIME_IMAGE": "runtime:1", f"SLIPWAY_{variable}": value}
    done = subprocess.run(
        [sys.executable, "-m", "slipway_operator"],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"slipway-operator: SLIPWAY_{variable}: ")
    assert words in line
