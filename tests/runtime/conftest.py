"""What the ring's tests share: a bundle, a process that serves it, and a real S3 server."""

import os
import pathlib
from collections.abc import Iterator

import pytest

from tests.runtime import bundles, processes, storage
from tests.runtime.processes import RuntimeProcess


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A bundle that answers correctly. Not to be changed."""
    directory = tmp_path_factory.mktemp("bundle") / "sentiment-1"
    bundles.write(directory)
    return directory


@pytest.fixture(scope="session")
def slow_bundle(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The same answers, at some 10 ms a short text."""
    directory = tmp_path_factory.mktemp("slow") / "sentiment-1"
    bundles.write(directory, bundles.BundleOptions(work=2000, max_tokens=8))
    return directory


@pytest.fixture(scope="module")
def runtime(bundle: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    """A ready process, shared by the tests of a module: no test may stop it."""
    with processes.running(tmp_path_factory.mktemp("runtime"), bundle) as process:
        yield process


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[storage.S3Server]:
    """A real S3 server over a folder. In CI its absence is a failure, elsewhere a skip."""
    binary = storage.find_binary()
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("the S3 server could not be had; the tests that need it must not be skipped in CI")
        pytest.skip("versitygw is not built yet: run `make cluster`, or set CI=true to build it here")
    with storage.serve(binary, tmp_path_factory.mktemp("s3")) as server:
        yield server
