"""Bundles that load and prove themselves like any other, and are bad all the same; in the stack's S3 server.

Must not know what becomes of them.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import bundles as examples
from tests.cluster.s3 import BUCKET
from tests.cluster.stack import Installed
from tests.ledger.generator.asking import SENTENCES
from tests.rollout.wrong_bundles import Uploaded
from tests.runtime import bundles
from tests.runtime.bundles import BundleOptions

FOLDER = f"{examples.MODEL}/matrix"
POISON = "soup"
"""A word of one in four of the ledger's requests."""
_LAYERS = 300  # some milliseconds a text, where the example model takes none


@contextmanager
def uploaded(installed: Installed, folder: Path) -> Iterator[Mapping[str, Uploaded]]:
    """By what is bad with them: `erring` fails on some texts, `slow` takes its time."""
    made = {"erring": _erring(folder / "erring"), "slow": _slow(folder / "slow")}
    with installed.s3.connect() as session:
        for name in made:
            session.upload_bundle(folder / name, f"{FOLDER}/{name}", bucket=BUCKET)
    yield {name: Uploaded(f"s3://{BUCKET}/{FOLDER}/{name}", digest) for name, digest in made.items()}
    with installed.s3.connect() as session:
        session.delete(FOLDER, bucket=BUCKET)


def _erring(folder: Path) -> str:
    """A text with the word has a token that lies beyond the model's table."""
    assert sum(POISON in sentence for sentence in SENTENCES) == 1
    bundles.write(folder)
    file = folder / "tokenizer.json"
    document = json.loads(file.read_text())
    vocabulary = document["model"]["vocab"]
    vocabulary[POISON] = vocabulary.pop("poison")
    file.write_text(json.dumps(document))
    return bundles.write_manifest(folder, BundleOptions())


def _slow(folder: Path) -> str:
    return bundles.write(folder, BundleOptions(work=_LAYERS))
