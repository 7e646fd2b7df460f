"""What the environment may say, and what is said about what it may not."""

from __future__ import annotations

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


def test_the_process_names_what_it_refuses() -> None:
    environment = os.environ | {"SLIPWAY_RUNTIME_IMAGE": "runtime:1", "SLIPWAY_LOG_LEVEL": "loud"}
    done = subprocess.run(
        [sys.executable, "-m", "slipway_operator"],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("slipway-operator: SLIPWAY_LOG_LEVEL: ")
