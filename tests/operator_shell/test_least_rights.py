"""What the chart grants is enough: with these rights alone an operator leads, hears its heart and rolls out.

The rules are the chart's, the API server that enforces them is real.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import commands, paths, toolchain
from tests.operator_shell import owners
from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import started, until
from tests.operator_shell.proxy import Proxy

pytestmark = pytest.mark.cluster

_ACCOUNT = "slipway"
_KINDS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


@pytest.mark.parametrize("named", [True, False], ids=["namespaces named to it", "all namespaces"])
def test_the_charts_rights_are_enough(place: Place, folder: Path, *, named: bool) -> None:
    _grant(place, {"namespaces": [place.models] if named else []})
    token = place.plane.kubectl.run("create", "token", _ACCOUNT, "-n", place.operators).strip()
    settings = place.settings | {"lease_name": _ACCOUNT, "watch_namespaces": place.models if named else ""}
    with (
        Proxy(place.rest).listening() as proxy,
        started(
            "one", proxy.kubeconfig(folder, token=token), folder, **settings, heartbeat_seconds="20"
        ) as operator,
    ):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        where = place.models if named else place.operators
        until(lambda: bool(place.lease(where, _ACCOUNT).get("renewTime")), "its heart beats", operator)
        until(lambda: _owed(operator.metrics()) == 0, "every watch has brought what it owed", operator)
        refused = [name for name in operator.metrics() if 'code="403"' in name]
        assert refused == []
        assert "forbidden" not in operator.words()


def test_they_are_enough_to_take_over_what_has_lost_its_owner(place: Place, folder: Path) -> None:
    """Also where the API server guards ownerReferences, as this one does."""
    _grant(place, {"namespaces": [place.models]})
    token = place.plane.kubectl.run("create", "token", _ACCOUNT, "-n", place.operators).strip()
    settings = place.settings | {"lease_name": _ACCOUNT}
    with (
        Proxy(place.rest).listening() as proxy,
        started("one", proxy.kubeconfig(folder, token=token), folder, **settings) as operator,
    ):
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        owners.strip(place)
        until(lambda: owners.nobodys(place) == [], "all of it is taken over", operator)
        assert [name for name in operator.metrics() if 'code="403"' in name] == []
        assert "forbidden" not in operator.words()


def _owed(shown: dict[str, float]) -> float:
    return max(value for name, value in shown.items() if name.startswith("slipway_watch_heartbeat_age"))


def _grant(place: Place, watch: dict[str, list[str]]) -> None:
    image = {"repository": "registry.test/slipway", "tag": "1"}
    values: dict[str, Any] = {
        "image": image,
        "runtimeImage": image,
        "watch": watch,
        "crds": {"enabled": False},
    }
    helm: list[str | Path] = [
        toolchain.binary("helm"),
        "template",
        _ACCOUNT,
        paths.ROOT / "charts" / "slipway",
    ]
    rendered = commands.run(
        [*helm, "--namespace", place.operators, "--kube-version", "1.35", "--values", "-"],
        stdin=json.dumps(values),
    )
    objects = [found for found in yaml.safe_load_all(rendered) if found and found["kind"] in _KINDS]
    everything = {"apiVersion": "v1", "kind": "List", "items": objects}
    place.plane.kubectl.run("apply", "-f", "-", stdin=json.dumps(everything))
