"""Few GPUs: so many on the nodes, or so many that the pods of a namespace may ask for.

Must not know of any rollout.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import gpus
from tests.cluster.interface import GPU
from tests.cluster.kubectl import JsonObject
from tests.cluster.stack import Installed
from tests.scenario.run import Run

ONE_EACH: JsonObject = {"resources": {"limits": {GPU: 1}}}
"""Changes of a model's spec: each pod wants a GPU."""


@contextmanager
def on_nodes(installed: Installed, *counts: int) -> Iterator[None]:
    """So many GPUs on the nodes, in their order; afterwards as many as before."""
    cluster = installed.cluster
    before = {node: gpus.allocatable(cluster.kubectl, node) for node in cluster.nodes()}
    try:
        set_on_nodes(installed, *counts)
        yield
    finally:
        for node, count in before.items():
            cluster.set_gpus(node, count)


def set_on_nodes(installed: Installed, *counts: int) -> None:
    """So many from now on."""
    for node, count in zip(installed.cluster.nodes(), counts, strict=False):
        installed.cluster.set_gpus(node, count)


def grant(run: Run, count: int) -> None:
    """The namespace's pods may ask for so many GPUs together, and no more."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "gpus"},
        "spec": {"hard": {f"requests.{GPU}": str(count)}},
    }
    run.kubectl.apply(quota, namespace=run.namespace)
