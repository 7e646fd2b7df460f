"""Bundles that no runtime may serve, in the stack's S3 server.

Must not know what becomes of them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.models import broken
from tests.cluster import bundles
from tests.cluster.s3 import BUCKET
from tests.cluster.stack import Installed

FOLDER = f"{bundles.MODEL}/wrong"
CLOSED_BUCKET = "closed"
"""A bucket that the models' account may not read."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A bundle in S3, and the digest of its slipway.yaml."""

    uri: str
    sha256: str

    @property
    def source(self) -> dict[str, str]:
        """What stands in `spec.source`."""
        return {"uri": self.uri, "sha256": self.sha256}


@contextmanager
def uploaded(installed: Installed, folder: Path) -> Iterator[Mapping[str, Uploaded]]:
    """By what is wrong with them: `digest`, `golden`, `unloadable`."""
    made = _make(installed, folder)
    with installed.s3.connect() as session:
        for name, path in made.items():
            session.upload_bundle(path, f"{FOLDER}/{name}", bucket=BUCKET)
        if CLOSED_BUCKET not in {found["Name"] for found in session.client.list_buckets()["Buckets"]}:
            session.client.create_bucket(Bucket=CLOSED_BUCKET)
    yield {
        name: Uploaded(f"s3://{BUCKET}/{FOLDER}/{name}", bundles.digest(path)) for name, path in made.items()
    }
    with installed.s3.connect() as session:
        session.delete(FOLDER, bucket=BUCKET)


def _make(installed: Installed, folder: Path) -> dict[str, Path]:
    first, second = (installed.bundles[version] for version in bundles.VERSIONS)
    made = {
        "digest": broken.broken_digest(second, folder / "digest"),
        "golden": broken.mixed_up(first, second, folder / "golden"),
        "unloadable": broken.unloadable(second, folder / "unloadable"),
    }
    return {name: bundle.path for name, bundle in made.items()}
