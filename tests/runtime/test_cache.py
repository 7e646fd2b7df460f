"""What was verified once is not downloaded again, and serves while its source is away."""

import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from slipway_runtime.artifacts import cache, location, retrieval
from slipway_runtime.artifacts.origin import Fetched
from slipway_runtime.artifacts.retrieval import Request, Retrieved
from slipway_runtime.artifacts.store import Listing, Store
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, forwarder, models_files, processes
from tests.runtime.models_files import ModelsFile
from tests.runtime.storage import BUCKET, S3Server

_LARGE = 1 << 30


def _file(directory: pathlib.Path, content: bytes) -> tuple[pathlib.Path, str]:
    path = directory / f"file-{hashlib.sha256(content).hexdigest()[:8]}"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path: pathlib.Path) -> Store:
    return Store(tmp_path / "store", max_bytes=3000)


def test_a_file_is_kept_by_its_digest(store: Store, tmp_path: pathlib.Path) -> None:
    path, sha256 = _file(tmp_path, b"x" * 1000)
    store.add(path, sha256)
    path.unlink()

    assert store.take(sha256, 1000, tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == b"x" * 1000
    assert not store.take(sha256, 999, tmp_path / "of another size")


def test_a_broken_file_is_thrown_away(store: Store, tmp_path: pathlib.Path) -> None:
    path, sha256 = _file(tmp_path, b"x" * 1000)
    store.add(path, sha256)
    path.write_bytes(b"y" * 1000)  # the same file under both names

    assert not store.take(sha256, 1000, tmp_path / "taken")
    assert not (tmp_path / "taken").exists()
    assert not store.holds(sha256, 1000)


def test_the_file_that_was_used_longest_ago_leaves_first(store: Store, tmp_path: pathlib.Path) -> None:
    files = [_file(tmp_path, bytes([number]) * 1000) for number in range(4)]
    for age, (path, sha256) in enumerate(files[:3]):
        store.add(path, sha256)
        os.utime(tmp_path / "store" / "files" / sha256, (age, age))
    assert store.take(files[0][1], 1000, tmp_path / "taken")

    store.add(*files[3])

    assert [store.holds(sha256, 1000) for _, sha256 in files] == [True, False, True, True]


def test_a_file_larger_than_the_store_is_not_kept(store: Store, tmp_path: pathlib.Path) -> None:
    path, sha256 = _file(tmp_path, b"x" * 3001)

    store.add(path, sha256)

    assert not store.holds(sha256, 3001)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b'{"uri": "s3://b/1"}',
        b'{"uri": "s3://b/2", "resolved": "", "digest": "", "files": []}',
    ],
    ids=["empty", "half of it", "a list", "without files", "of something else"],
)
def test_a_listing_that_is_no_listing_is_none(store: Store, tmp_path: pathlib.Path, text: bytes) -> None:
    store.remember("s3://b/1", Listing(resolved="s3://b/1", digest="", files=()))
    [path] = (tmp_path / "store" / "listings").iterdir()
    path.write_bytes(text)

    assert store.recall("s3://b/1") is None


def test_a_listing_does_not_lead_out_of_the_store(store: Store) -> None:
    outside = Fetched(name="model.onnx", size=1, sha256="../../../etc/passwd")
    store.remember("s3://b/1", Listing(resolved="s3://b/1", digest="", files=(outside,)))

    assert store.recall("s3://b/1") is None


def test_a_listing_is_known_while_all_its_files_are_there(store: Store, tmp_path: pathlib.Path) -> None:
    path, sha256 = _file(tmp_path, b"x" * 10)
    listing = Listing(
        resolved="s3://b/1", digest="d", files=(Fetched(name="model.onnx", size=10, sha256=sha256, etag="e"),)
    )
    store.add(path, sha256)
    store.remember("s3://b/1", listing)
    assert store.recall("s3://b/1") == listing

    (tmp_path / "store" / "files" / sha256).unlink()

    assert store.recall("s3://b/1") is None


_TWO_AT_ONCE = """
import hashlib, pathlib, sys
from slipway_runtime.artifacts.store import Store

directory = pathlib.Path(sys.argv[1])
store = Store(directory / "store", max_bytes=20_000)
for number in range(300):
    content = bytes([number % 50]) * 1000
    sha256 = hashlib.sha256(content).hexdigest()
    path = directory / f"{sys.argv[2]}-{number}"
    if not store.take(sha256, 1000, path):
        path.write_bytes(content)
        store.add(path, sha256)
    assert path.read_bytes() == content
    path.unlink()
"""


def test_two_processes_share_a_store(tmp_path: pathlib.Path) -> None:
    environment = {"PYTHONPATH": str(processes.ROOT / "runtime")}
    workers = [
        subprocess.Popen([sys.executable, "-c", _TWO_AT_ONCE, str(tmp_path), name], env=environment)
        for name in ("one", "other")
    ]

    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert 0 < sum(path.stat().st_size for path in (tmp_path / "store" / "files").iterdir()) <= 20_000


class _Starts:
    """Loads of one bundle, one after the other, over one cache."""

    def __init__(self, s3: S3Server, directory: pathlib.Path, prefix: str) -> None:
        self.s3 = s3
        self.prefix = prefix
        self.folder = directory / "bundle"
        self.pin = bundles.write(self.folder)
        self.cache = directory / "cache"
        s3.upload(self.folder, prefix)

    def start(self, *, pin: str | None = None, max_bytes: int = _LARGE) -> Retrieved:
        request = Request(
            location=location.parse(f"s3://{BUCKET}/{self.prefix}", variable="MODEL_URI"),
            pin=pin,
            timeout=20,
            cache_dir=self.cache,
            cache_max_bytes=max_bytes,
        )
        with cache.private_directory(self.cache) as directory:
            retrieved = retrieval.retrieve(request, directory)
            for path in directory.iterdir():
                assert path.read_bytes() == (self.folder / path.name).read_bytes()
        return retrieved

    def cached(self, name: str) -> pathlib.Path:
        return self.cache / "store" / "files" / hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


@pytest.fixture
def starts(
    s3: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> _Starts:
    for name, value in {**s3.environment, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return _Starts(s3, tmp_path, f"cache/{abs(hash(request.node.name))}")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the storage vanish."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return lambda: monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")


@pytest.mark.s3
def test_a_second_start_downloads_nothing(starts: _Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    first = starts.start()
    with forwarder.forwarding(starts.s3.port) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{service.port}")
        second = starts.start()

    assert (first.origin.cached, second.origin.cached) == (0, 4)
    assert {file.etag for file in second.origin.files} == {file.etag for file in first.origin.files}
    assert 0 < service.sent < 4000  # one listing


@pytest.mark.s3
def test_an_object_that_changed_is_downloaded_though_the_cache_has_the_old_one(starts: _Starts) -> None:
    starts.start()
    old = starts.pin
    starts.pin = bundles.write(starts.folder, bundles.BundleOptions(flipped=True))
    starts.s3.upload(starts.folder, starts.prefix)

    assert starts.pin != old
    assert starts.start().bundle.digest == starts.pin


@pytest.mark.s3
def test_a_pinned_bundle_needs_no_source_once_it_is_here(starts: _Starts, away: Callable[[], None]) -> None:
    starts.start(pin=starts.pin)
    away()

    retrieved = starts.start(pin=starts.pin)

    assert (retrieved.bundle.digest, retrieved.origin.cached) == (starts.pin, 4)
    assert not retrieved.origin.away


@pytest.mark.s3
def test_a_bundle_that_is_not_pinned_is_served_as_it_was_last_seen(
    starts: _Starts, away: Callable[[], None]
) -> None:
    starts.start()
    away()

    retrieved = starts.start()

    assert (retrieved.bundle.digest, retrieved.origin.away) == (starts.pin, True)


@pytest.mark.s3
def test_a_bundle_without_a_manifest_is_pinned_and_kept_by_its_listing(
    starts: _Starts, away: Callable[[], None]
) -> None:
    starts.s3.client().delete_object(Bucket=BUCKET, Key=f"{starts.prefix}/slipway.yaml")
    digest = starts.start().bundle.digest
    assert digest is not None
    with pytest.raises(StartupError, match=digest) as caught:
        starts.start(pin="0" * 64)
    assert caught.value.reason is Reason.DIGEST_MISMATCH
    away()

    assert starts.start(pin=digest).bundle.digest == digest


@pytest.mark.s3
@pytest.mark.parametrize("pinned", ["pinned", ""], ids=["pinned", "not pinned"])
def test_what_was_never_here_is_unavailable(starts: _Starts, away: Callable[[], None], pinned: str) -> None:
    away()

    with pytest.raises(StartupError) as caught:
        starts.start(pin=starts.pin if pinned else None)

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.s3
def test_another_pin_than_the_one_that_is_here_is_not_served_from_the_cache(
    starts: _Starts, away: Callable[[], None]
) -> None:
    starts.start()
    away()

    with pytest.raises(StartupError) as caught:
        starts.start(pin="0" * 64)

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.s3
def test_credentials_that_were_taken_away_are_not_a_source_that_is_away(
    starts: _Starts, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts.start()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")

    with pytest.raises(StartupError) as caught:
        starts.start()

    assert caught.value.reason is Reason.SOURCE_FORBIDDEN


@pytest.mark.s3
@pytest.mark.parametrize("pinned", ["pinned", ""], ids=["pinned", "not pinned"])
def test_a_file_that_was_damaged_in_the_cache_is_downloaded_again(starts: _Starts, pinned: str) -> None:
    pin = starts.pin if pinned else None
    starts.start(pin=pin)
    path = starts.cached("model.onnx")
    path.write_bytes(b"x" * path.stat().st_size)

    assert starts.start(pin=pin).origin.cached == 3
    assert starts.start(pin=pin).origin.cached == 4


@pytest.mark.s3
def test_a_damaged_cache_and_no_source_is_unavailable(starts: _Starts, away: Callable[[], None]) -> None:
    starts.start()
    path = starts.cached("model.onnx")
    path.write_bytes(b"x" * path.stat().st_size)
    away()

    with pytest.raises(StartupError) as caught:
        starts.start()

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.s3
def test_a_cache_that_was_emptied_by_hand_fills_again(starts: _Starts) -> None:
    starts.start()
    for path in (starts.cache / "store" / "files").iterdir():
        path.unlink()

    assert starts.start().origin.cached == 0
    assert starts.start().origin.cached == 4


@pytest.mark.s3
def test_nothing_is_kept_where_no_cache_is_wanted(starts: _Starts) -> None:
    starts.start(max_bytes=0)

    assert list(starts.cache.iterdir()) == []


@pytest.mark.s3
def test_a_pod_that_restarts_without_its_storage_serves_and_says_so(
    s3: S3Server, tmp_path: pathlib.Path
) -> None:
    bundles.write(tmp_path / "bundle")
    s3.upload(tmp_path / "bundle", "restart/1")
    environment = {**s3.environment, "MODEL_URI": f"s3://{BUCKET}/restart/1"}
    with processes.starting(tmp_path / "pod", **environment) as process:
        process.wait_until_ready()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment["AWS_ENDPOINT_URL"] = nowhere
    with processes.starting(tmp_path / "pod", **environment) as process:
        process.wait_until_ready()
        assert process.predict("great").json()["predictions"][0]["label"] == "positive"
        assert process.metric("slipway_bundle_source_away") == 1
        [warning] = [entry for entry in process.log if entry["message"] == "source_is_away"]

    assert nowhere in warning["detail"]


@pytest.mark.s3
def test_a_version_as_it_was_last_seen_is_told_until_it_goes_whatever_is_loaded_beside_it(
    s3: S3Server, bundle: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    s3.upload(bundle, "stale/1")
    file = ModelsFile(tmp_path / "mounted")
    stale = {"name": "sentiment", "version": "1", "uri": f"s3://{BUCKET}/stale/1"}
    file.write(stale)
    with models_files.serving(tmp_path / "pod", file, **s3.environment):
        pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
    environment = {**s3.environment, "AWS_ENDPOINT_URL": nowhere}
    with models_files.serving(tmp_path / "pod", file, **environment) as process:
        assert process.metric("slipway_bundle_source_away") == 1

        file.write(stale, models_files.model(bundle, "2"))
        _wait(lambda: process.predict("good").headers["x-slipway-version"] == "2")
        assert process.metric("slipway_bundle_source_away") == 1

        file.write(models_files.model(bundle, "2"))
        _wait(lambda: process.metric("slipway_bundle_source_away") == 0)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
