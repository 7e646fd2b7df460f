"""At rest no watch owes anything: only objects come along on a watch, and a list is none.

Against a real API server: the version of a list is the store's newest, far ahead of what it lists.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from kubernetes import aio
from kubernetes.aio import config

from slipway_operator.api import labels
from slipway_operator.kube import client, echoes, paths
from tests.operator_shell.conftest import Place
from tests.operator_shell.processes import started, until
from tests.operator_shell.rest import Body

pytestmark = pytest.mark.cluster

LIMIT = 20
"""Seconds for which a watch may owe something, here; by default 120. A busy machine needs some of them."""
RESYNC = 10
"""Seconds between two lists of all models, here; by default 300."""
RESYNCS = 4  # what the first list would owe is 30 seconds old at the last


def test_a_list_is_owed_by_no_watch_and_an_object_is(place: Place) -> None:
    place.ask("1")
    model = place.model()
    assert model is not None
    heard = echoes.Echoes(frozenset({echoes.Stream("inferencemodels", "")}), clock=time.monotonic)
    heard.came("inferencemodels", place.models, model)
    _write_something_else(place)

    listed = asyncio.run(_listed(place, heard))
    assert [body["metadata"]["uid"] for body in listed] == [model["metadata"]["uid"]]
    assert set(heard.silences().values()) == {0.0}

    place.rest.patch(_path(place), {"metadata": {"labels": {"example.com/by": "somebody"}}})
    asyncio.run(_listed(place, heard))
    assert min(heard.silences().values()) > 0, "what a list shows of an object is owed"


def test_an_operator_at_rest_stays_alive(place: Place, folder: Path) -> None:
    settings = place.settings | {"heartbeat_seconds": str(LIMIT), "resync_seconds": str(RESYNC)}
    with started("one", place.plane.kubeconfig, folder, **settings) as operator:
        place.ask("1")
        until(lambda: place.arrived_at("1"), "version 1 is there", operator)
        lists = 'slipway_api_requests_total{code="200",kind="inferencemodels",verb="list"}'
        before = operator.metrics().get(lists, 0)
        words = set()

        def resynced() -> bool:
            words.add(operator.probe("/livez"))
            return operator.metrics().get(lists, 0) >= before + RESYNCS

        until(resynced, "all models have been listed some times", operator)
        assert {status for status, _ in words} == {200}, words
        assert "not alive" not in operator.words()


async def _listed(place: Place, heard: echoes.Echoes) -> list[Body]:
    await config.load_kube_config(str(place.plane.kubeconfig))
    async with aio.client.ApiClient() as connection:
        api = client.Api(connection, echoes=heard)
        found = await api.list_metadata(paths.all_models(place.models))
        for collection in (paths.deployments(place.models), paths.pods(place.models)):
            await api.list(collection, selector=f"{labels.MODEL}=sentiment")
    return found


def _write_something_else(place: Place) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "something-else"}}
    place.rest.create(f"/api/v1/namespaces/{place.models}/configmaps", body)


def _path(place: Place) -> str:
    return f"/apis/slipway.dev/v1alpha1/namespaces/{place.models}/inferencemodels/sentiment"
