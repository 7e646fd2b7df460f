"""`make dev`: the settings of the operator that runs on the developer's machine."""

from __future__ import annotations

from typing import Any

from tests.cluster import dev

DEPLOYED: dict[str, Any] = {
    "metadata": {"namespace": "slipway-system"},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "env": [
                            {"name": "SLIPWAY_NAMESPACE", "valueFrom": {"fieldRef": {}}},
                            {"name": "SLIPWAY_RUNTIME_IMAGE", "value": "slipway.local/runtime:abc"},
                            {"name": "SLIPWAY_LOG_FORMAT", "value": "json"},
                            {"name": "SLIPWAY_LOG_LEVEL", "value": "debug"},
                            {"name": "SLIPWAY_HEALTH_PORT", "value": "8081"},
                        ]
                    }
                ]
            }
        }
    },
}


def test_it_has_the_charts_settings_but_for_its_own_ports_and_readable_logs() -> None:
    settings = dev.environment(DEPLOYED, {"SLIPWAY_HEALTH_PORT": 5001, "SLIPWAY_METRICS_PORT": 5002})
    assert settings.pop("SLIPWAY_POD_NAME")
    assert settings == {
        "SLIPWAY_NAMESPACE": "slipway-system",
        "SLIPWAY_RUNTIME_IMAGE": "slipway.local/runtime:abc",
        "SLIPWAY_LOG_FORMAT": "console",
        "SLIPWAY_LOG_LEVEL": "debug",
        "SLIPWAY_HEALTH_PORT": "5001",
        "SLIPWAY_METRICS_PORT": "5002",
    }
