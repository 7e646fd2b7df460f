"""How long a bundle takes from S3 to verified on disk, beside a plain boto3 download of the same objects.

    python -m bench.download [--megabytes 500] [--pairs 5]

The storage is a real S3 server on loopback, so both are bound by the processors; the pairs alternate, and
boto3 gets the best of a few settings first. Says also what the rest of a pod's start takes. The exit
status: 0 the goal is reached, 1 it is not.
"""

import argparse
import datetime
import functools
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from boto3.s3.transfer import TransferConfig

from slipway_runtime.artifacts import bundle, cache, location, sources
from slipway_runtime.artifacts.source import Source
from tests.runtime import bundles, processes, storage
from tests.runtime.storage import BUCKET, S3Server

_PREFIX = "large/1"
_MIB = 1 << 20
GOAL = 0.8  # of the speed of the plain download, which verifies nothing
_SETTINGS = ((4, 8), (8, 16), (8, 64), (10, 8))  # connections, MiB a part


def main() -> int:
    """Print medians, and whether the goal is reached."""
    arguments = _arguments()
    binary = storage.find_binary()
    if binary is None:
        raise SystemExit("the S3 server is not built yet: run `make cluster`, or set CI=true")
    with tempfile.TemporaryDirectory(prefix="download-") as name:
        directory = pathlib.Path(name)
        with storage.serve(binary, directory / "s3") as server:
            _fill(server, directory / "bundle", arguments.megabytes)
            ratio = _compare(server, directory, arguments)
            _start(server, directory)
    return 0 if ratio >= GOAL else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=5)
    return parser.parse_args()


def _fill(server: S3Server, folder: pathlib.Path, megabytes: int) -> None:
    bundles.write(folder)
    with (folder / "weights.bin").open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    bundles.write_manifest(folder, bundles.BundleOptions())
    client = server.client()
    for path in folder.iterdir():
        client.upload_file(str(path), BUCKET, f"{_PREFIX}/{path.name}")
        path.unlink()


def _compare(server: S3Server, directory: pathlib.Path, arguments: argparse.Namespace) -> float:
    """The speed of ours over that of the plain download, by the median of the pairs."""
    os.environ.update(server.environment)
    client = server.client()
    best = min(_SETTINGS, key=lambda setting: _timed(lambda: _plain(client, directory, setting)))
    plain, ours = [], []
    for _ in range(arguments.pairs):
        plain.append(_timed(lambda: _plain(client, directory, best)))
        source = _source()  # with a client that is ready, as boto3's is
        ours.append(_timed(functools.partial(_ours, source, directory)))
    _tell(f"boto3, plain, {best[0]} connections, {best[1]} MiB parts", plain)
    _tell("slipway, verified", ours)
    ratio = statistics.median(one / other for one, other in zip(plain, ours, strict=True))
    word = "reached" if ratio >= GOAL else "missed"
    print(f"{word}: at least {GOAL}x the speed of plain boto3, verified: {ratio:.2f}x ({len(ours)} pairs)")
    return ratio


def _timed(action: Callable[[], None]) -> float:
    os.sync()  # what the last one left to be written is not this one's
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _plain(client: Any, directory: pathlib.Path, setting: tuple[int, int]) -> None:
    connections, mebibytes = setting
    part = mebibytes * _MIB
    config = TransferConfig(
        max_concurrency=connections, multipart_chunksize=part, multipart_threshold=part, io_chunksize=_MIB
    )
    with cache.private_directory(directory / "plain") as target:
        for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=f"{_PREFIX}/")["Contents"]:
            name = entry["Key"].rsplit("/", 1)[-1]
            client.download_file(BUCKET, entry["Key"], str(target / name), Config=config)


def _source() -> Source:
    where = location.parse(f"s3://{BUCKET}/{_PREFIX}", variable="MODEL_URI")
    return sources.at(where, deadline=time.monotonic() + 600)


def _ours(source: Source, directory: pathlib.Path) -> None:
    with cache.private_directory(directory / "ours") as target:
        bundle.fetch(source, target, pin=None)


def _tell(what: str, seconds: list[float]) -> None:
    each = ", ".join(f"{second:.2f}" for second in seconds)
    print(f"{what}: median {statistics.median(seconds):.2f} s ({each})")


def _start(server: S3Server, directory: pathlib.Path) -> None:
    """A whole pod's start, and one that finds the bundle in its cache."""
    environment = {**server.environment, "MODEL_URI": f"s3://{BUCKET}/{_PREFIX}"}
    for what in ("a first start", "a restart with its cache"):
        with processes.starting(directory / "pod", **environment) as process:
            process.wait_until_ready()
            print(f"{what}: {_steps(process)}")


def _steps(process: processes.RuntimeProcess) -> str:
    """The log says when each step ended."""
    names = {
        "bundle_retrieved": "download and verification",
        "loaded": "load",
        "warmed_up": "warm-up",
        "examples_answered": "golden examples",
    }
    moments = {entry["message"]: entry["timestamp"] for entry in process.log if "timestamp" in entry}
    last, steps = _moment(moments["loading"]), []
    for message, name in names.items():
        now = _moment(moments[message])
        steps.append(f"{name} {(now - last).total_seconds():.2f} s")
        last = now
    return ", ".join(steps)


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


if __name__ == "__main__":
    sys.exit(main())
