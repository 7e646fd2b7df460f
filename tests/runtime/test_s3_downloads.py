"""What can happen to an object between its listing and the disk, against a real server."""

import contextlib
import hashlib
import http.server
import pathlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from slipway_runtime.artifacts import disk, location, sources
from slipway_runtime.artifacts.source import Item, Source, listing_digest
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import forwarder, processes
from tests.runtime.storage import BUCKET, Reader, S3Server

pytestmark = pytest.mark.s3

_PREFIX = "downloads/1"
_URI = f"s3://{BUCKET}/{_PREFIX}"
_PATIENCE = 20.0
_CONTENT = b"".join(index.to_bytes(4, "big") for index in range(10_000_000))  # 40 MB


@pytest.fixture(scope="module")
def stored(s3: S3Server) -> S3Server:
    """The server with an object that takes several requests where they are cut short."""
    s3.client().put_object(Bucket=BUCKET, Key=f"{_PREFIX}/model.onnx", Body=_CONTENT)
    return s3


@pytest.fixture
def given(stored: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> S3Server:
    """The environment of a process that reads from it."""
    for name, value in {**stored.environment, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return stored


def _open(uri: str = _URI, *, patience: float = _PATIENCE) -> Source:
    return sources.at(location.parse(uri, variable="MODEL_URI"), deadline=time.monotonic() + patience)


def test_an_object_of_several_parts_arrives_whole_with_its_names(
    given: S3Server, tmp_path: pathlib.Path
) -> None:
    source = _open()
    [item] = source.items()

    sha256 = source.save(item, tmp_path / "model.onnx")

    assert sha256 == hashlib.sha256(_CONTENT).hexdigest()
    assert (tmp_path / "model.onnx").read_bytes() == _CONTENT
    [fetched] = source.origin().files
    assert (fetched.name, fetched.size, fetched.sha256) == ("model.onnx", len(_CONTENT), sha256)
    assert fetched.etag == given.client().head_object(Bucket=BUCKET, Key=f"{_PREFIX}/model.onnx")["ETag"]


def test_the_version_of_an_object_is_recorded_where_the_bucket_keeps_versions(
    given: S3Server, tmp_path: pathlib.Path
) -> None:
    client = given.client()
    client.create_bucket(Bucket="versioned")
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="versioned", Key="a/model.onnx", Body=b"first")
    version = client.put_object(Bucket="versioned", Key="a/model.onnx", Body=b"second")["VersionId"]
    source = _open("s3://versioned/a")

    source.save(source.items()[0], tmp_path / "model.onnx")

    assert source.origin().files[0].version == version


def test_an_empty_object_is_an_empty_file(given: S3Server, tmp_path: pathlib.Path) -> None:
    given.client().put_object(Bucket=BUCKET, Key="empty/1/notes.txt", Body=b"")
    source = _open(f"s3://{BUCKET}/empty/1")

    sha256 = source.save(source.items()[0], tmp_path / "notes.txt")

    assert (sha256, (tmp_path / "notes.txt").read_bytes()) == (hashlib.sha256().hexdigest(), b"")


def test_a_part_that_breaks_off_goes_on_where_it_stopped(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forwarder.forwarding(given.port) as breaking:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{breaking.port}")
        breaking.cuts, breaking.cut_bytes = 6, 5_000_000
        source = _open()
        sha256 = source.save(source.items()[0], tmp_path / "model.onnx")

    assert sha256 == hashlib.sha256(_CONTENT).hexdigest()
    assert breaking.cuts <= 0
    # Begun again from their starts, these parts would have cost half as much again.
    assert breaking.sent < len(_CONTENT) * 1.2


def test_an_object_replaced_after_the_listing_is_not_taken(given: S3Server, tmp_path: pathlib.Path) -> None:
    source = sources.at(
        location.parse(f"s3://{BUCKET}/replaced/1", variable="X"), deadline=time.monotonic() + 9
    )
    given.client().put_object(Bucket=BUCKET, Key="replaced/1/model.onnx", Body=b"x" * 1000)
    [item] = source.items()
    given.client().put_object(Bucket=BUCKET, Key="replaced/1/model.onnx", Body=b"y" * 1000)

    with pytest.raises(StartupError, match="was replaced while it was downloaded") as caught:
        source.save(item, tmp_path / "model.onnx")

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_an_object_replaced_in_the_middle_of_a_download_is_never_mixed(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, key = f"s3://{BUCKET}/mixed/1", "mixed/1/model.onnx"
    given.client().put_object(Bucket=BUCKET, Key=key, Body=b"x" * 8_000_000)
    with forwarder.forwarding(given.port) as breaking:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{breaking.port}")
        source = _open(uri)
        [item] = source.items()
        breaking.cuts, breaking.cut_bytes = 1, 4_000_000
        breaking.on_cut = lambda: given.client().put_object(Bucket=BUCKET, Key=key, Body=b"y" * 8_000_000)

        with pytest.raises(StartupError, match="was replaced while it was downloaded"):
            source.save(item, tmp_path / "model.onnx")

    assert breaking.cuts == 0
    assert list(tmp_path.iterdir()) == []


def test_keys_that_may_list_and_not_get_are_told_what_is_missing(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with given.reader() as reader:
        _use(reader, monkeypatch)
        reader.may("s3:ListBucket")
        source = _open()
        [item] = source.items()
        with pytest.raises(StartupError, match="which could list it: allow s3:GetObject") as caught:
            source.save(item, tmp_path / "model.onnx")

    assert (caught.value.reason, caught.value.subject) == (Reason.SOURCE_FORBIDDEN, f"{_URI}/model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_was_deleted_after_the_listing_is_named(
    given: S3Server, tmp_path: pathlib.Path
) -> None:
    given.client().put_object(Bucket=BUCKET, Key="deleted/1/model.onnx", Body=b"x" * 1000)
    source = _open(f"s3://{BUCKET}/deleted/1")
    [item] = source.items()
    given.client().delete_object(Bucket=BUCKET, Key="deleted/1/model.onnx")

    with pytest.raises(StartupError, match="it was deleted after the folder was listed") as caught:
        source.save(item, tmp_path / "model.onnx")

    subject = f"s3://{BUCKET}/deleted/1/model.onnx"
    assert (caught.value.reason, caught.value.subject) == (Reason.SOURCE_NOT_FOUND, subject)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_lose_their_rights_in_the_middle_of_a_file_leave_nothing_of_it(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with given.reader() as reader, forwarder.forwarding(given.port) as breaking:
        _use(reader, monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{breaking.port}")
        source = _open()
        [item] = source.items()
        breaking.cuts, breaking.cut_bytes = 1, 4_000_000
        breaking.on_cut = lambda: reader.may("s3:ListBucket")
        with pytest.raises(StartupError, match="S3 refused to give it to these credentials") as caught:
            source.save(item, tmp_path / "model.onnx")

    assert breaking.cuts <= 0
    assert (caught.value.reason, caught.value.subject) == (Reason.SOURCE_FORBIDDEN, f"{_URI}/model.onnx")
    assert list(tmp_path.iterdir()) == []


def _use(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in reader.environment.items():
        monkeypatch.setenv(name, value)


def test_keys_that_have_expired_are_told_so(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _misbehaving(_answering(400, b"<Error><Code>ExpiredToken</Code></Error>")) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(StartupError, match="these S3 credentials have expired") as caught:
            _open().save(Item(name="model.onnx", size=500), tmp_path / "model.onnx")

    assert caught.value.reason is Reason.SOURCE_FORBIDDEN


def test_a_server_that_dies_in_the_middle_is_unavailable(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forwarder.forwarding(given.port) as dying:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{dying.port}")
        source = _open()
        [item] = source.items()
        dying.cuts, dying.cut_bytes = 1000, 2_000_000

        def die() -> None:
            dying.cut_bytes = 1

        dying.on_cut = die
        with pytest.raises(StartupError) as caught:
            source.save(item, tmp_path / "model.onnx")

    assert (caught.value.reason, caught.value.subject) == (Reason.SOURCE_UNAVAILABLE, f"{_URI}/model.onnx")


def test_a_server_that_falls_silent_is_left_at_the_deadline(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with forwarder.forwarding(given.port) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.port}")
        source = _open(patience=3)
        [item] = source.items()
        silent.cuts, silent.cut_bytes, silent.stalls = 1000, 1_000_000, True
        began = time.monotonic()
        with pytest.raises(StartupError, match="SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS"):
            source.save(item, tmp_path / "model.onnx")

    assert time.monotonic() - began < 10  # the socket's own patience is 30 s, four times over


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def _answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


@contextlib.contextmanager
def _misbehaving(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """A server that gives the same answer to everything. Yields its URL and the paths it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (_answering(500), "S3 answered 500: "),
        (_answering(503, b"<Error><Code>SlowDown</Code></Error>"), "S3 answered 503: SlowDown"),
        (_answering(200, b"<html>a portal that wants a login"), "S3 answered"),
    ],
    ids=["an error of its own", "too many requests", "a page instead of a listing"],
)
def test_a_server_that_cannot_answer_is_unavailable(
    given: S3Server, monkeypatch: pytest.MonkeyPatch, answer: Answer, says: str
) -> None:
    with _misbehaving(answer) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(StartupError) as caught:
            _open().items()

    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE
    assert says in caught.value.message


def test_a_redirect_is_not_followed(given: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        _misbehaving(_answering(200)) as (elsewhere, asked),
        _misbehaving(_answering(307, Location=f"{elsewhere}/latest/meta-data")) as (url, _),
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(StartupError, match="S3 points elsewhere") as caught:
            _open().items()

    assert (caught.value.reason, asked) == (Reason.SOURCE_UNAVAILABLE, [])


def test_a_server_that_sends_the_whole_object_for_a_part_is_not_believed(
    given: S3Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _misbehaving(_answering(200, b"x" * 1000)) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(StartupError, match="bytes 0 to 499 of 500 were asked for"):
            _open().save(Item(name="model.onnx", size=500), tmp_path / "model.onnx")


def test_a_disk_without_room_is_said_before_anything_is_downloaded(
    given: S3Server, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(StartupError, match=r"MiB are to be written, and \d+ MiB are free") as caught:
        _open().save(Item(name="model.onnx", size=1 << 60), tmp_path / "model.onnx")

    assert (caught.value.subject, list(tmp_path.iterdir())) == ("SLIPWAY_CACHE_DIR", [])
    assert caught.value.reason is Reason.DISK_FULL


def test_a_disk_that_fills_up_is_said() -> None:
    with (
        open("/dev/full", "wb", buffering=0) as full,
        pytest.raises(StartupError, match=r"SLIPWAY_CACHE_DIR: .* No space left on device"),
    ):
        disk.write(full.fileno(), b"x", 0)


_MEASURE = """
import pathlib, sys, time
from slipway_runtime.artifacts import location, sources

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

source = sources.at(location.parse(sys.argv[1], variable="X"), deadline=time.monotonic() + 60)
items = source.items()
before = peak()
for item in items:
    source.save(item, pathlib.Path(sys.argv[2]) / item.name)
print(peak() - before)
"""


def test_a_download_takes_little_memory_however_large_it_is(given: S3Server, tmp_path: pathlib.Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(400 << 20)
    given.client().upload_file(str(tmp_path / "large"), BUCKET, "memory/1/model.onnx")
    environment = {**given.environment, "HOME": str(tmp_path), "PYTHONPATH": str(processes.ROOT / "runtime")}

    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, f"s3://{BUCKET}/memory/1", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    given.client().delete_object(Bucket=BUCKET, Key="memory/1/model.onnx")

    assert int(done.stdout) < 64 << 10  # kB


@pytest.mark.parametrize(
    "change",
    [Item("model.onnx", 2, "b"), Item("model.onnx", 1, "c"), Item("other.onnx", 1, "b")],
    ids=["another size", "another ETag", "another name"],
)
def test_the_digest_of_a_listing_covers_names_sizes_and_etags(change: Item) -> None:
    tokenizer = Item("tokenizer.json", 3, "a")
    listing = [Item("model.onnx", 1, "b"), tokenizer]

    assert listing_digest(listing) == listing_digest(reversed(listing))
    assert listing_digest(listing) != listing_digest([change, tokenizer])
    assert listing_digest([Item("model.onnx", 1), tokenizer]) is None
