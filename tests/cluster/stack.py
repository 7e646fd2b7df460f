"""A cluster with all that the tests, the demo and a curious person need: `python -m tests.cluster.stack up`.

The images in its nodes, an S3 server with the example model, and the chart. Each step is a stage, each may be
repeated, and one with nothing to do is over at once. Must not know what is tested on it.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import bundles, images, locks, paths, selection
from tests.cluster.errors import ClusterError
from tests.cluster.existing import REGISTRY
from tests.cluster.images import Built
from tests.cluster.interface import Cluster
from tests.cluster.kubectl import Kubectl
from tests.cluster.release import NAMESPACE, Release
from tests.cluster.s3 import BUCKET, ENDPOINT, S3
from tests.cluster.s3_manifests import REGION
from tests.cluster.stages import say, stage

CREDENTIALS = "s3-models"
MODELS_NAMESPACE = "default"
NODES = 2
ABSENT_IMAGE = "slipway.local/runtime:absent"
"""On the administrator's list and nowhere else: what becomes of an image that no node can pull."""


# Nodes that share one machine with all the tests may be slow for longer than any real cluster.
_PATIENCE = {"SLIPWAY_LEASE_SECONDS": "40", "SLIPWAY_LEASE_RENEW_SECONDS": "30"}


@dataclass(frozen=True, slots=True)
class Installed:
    """What `ensure` has made sure of."""

    cluster: Cluster
    references: Mapping[str, str]
    """The images' full names in the nodes: runtime, operator, ledger, s3."""
    bundles: Mapping[str, Path]
    """The example model's versions, each with the folder that was uploaded."""

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl

    @property
    def s3(self) -> S3:
        return S3(self.kubectl)

    def release(self, root: Path = paths.ROOT) -> Release:
        """The chart's release, to be upgraded with other values."""
        return Release(self.kubectl, root / "charts" / "slipway")


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack of the clone at `root` on a cluster."""

    root: Path = paths.ROOT
    cluster: Cluster = field(default_factory=selection.choose)

    def ensure(self, nodes: int = NODES) -> Installed:
        """Return once all of it stands. ClusterError says what does not, and why."""
        with locks.alone("stack"):
            self.cluster.up(nodes)
            built = images.ensure(root=self.root)
            self._load(built)
            installed = Installed(self.cluster, _references(built), bundles.ensure(self.root))
            self._serve_models(installed)
            self._install(installed)
            return installed

    def _load(self, built: Mapping[str, Built]) -> None:
        with stage(f"images in the nodes: {', '.join(built)}"):
            for image in built.values():
                self.cluster.load_image(image.archive, image.reference)

    def _serve_models(self, installed: Installed) -> None:
        with stage(f"S3 server with the example model at s3://{BUCKET}/{bundles.MODEL}"):
            installed.s3.deploy(installed.references["s3"])
            with installed.s3.connect() as session:
                session.ensure_bucket(BUCKET)
                for version, folder in installed.bundles.items():
                    session.upload_bundle(folder, f"{bundles.MODEL}/{version}", bucket=BUCKET)
            installed.s3.give_reader(CREDENTIALS, MODELS_NAMESPACE)

    def _install(self, installed: Installed) -> None:
        with stage(f"chart in {NAMESPACE}: the operator is ready"):
            installed.release(self.root).install(values(installed.references))


def values(references: Mapping[str, str]) -> dict[str, Any]:
    """The chart's values for these images and the S3 server of the stack."""
    return {
        "image": _image(references["operator"]),
        "runtimeImage": _image(references["runtime"]),
        "runtimeImagesAllowed": [ABSENT_IMAGE, references["ledger"]],  # the latter is no runtime
        "s3": {"endpointUrl": ENDPOINT, "region": REGION},
        "logLevel": "debug",
        "extraEnv": [{"name": name, "value": value} for name, value in _PATIENCE.items()],
    }


def _image(reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


def _references(built: Mapping[str, Built]) -> dict[str, str]:
    """The names in the nodes; those of a cluster that is not ours come from the registry named for it."""
    registry = os.environ.get(REGISTRY, images.REGISTRY).rstrip("/")
    return {name: f"{registry}/{image.reference.partition('/')[2]}" for name, image in built.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 it stands, 1 an expected failure that was explained, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster.stack", description="A cluster with Slipway on it."
    )
    parser.add_argument("command", choices=["up"], help="bring up what is missing")
    parser.add_argument("--nodes", type=int, default=NODES, help=f"how many nodes ({NODES})")
    options = parser.parse_args(arguments)
    try:
        installed = Stack().ensure(options.nodes)
    except ClusterError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; run it again to go on, or `make down` to remove all of it.", file=sys.stderr)
        return 130
    say(f"Slipway is ready on {installed.cluster.description}.")
    print(f"export KUBECONFIG={installed.cluster.kubeconfig}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
