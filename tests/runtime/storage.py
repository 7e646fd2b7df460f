"""A real S3 server on loopback, for the tests of where bundles come from."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config

from tests.cluster import toolchain
from tests.cluster.errors import ClusterError
from tests.runtime import certificates

ACCESS_KEY = "slipway-tests"
SECRET_KEY = "not-a-secret-1234567890"
BUCKET = "models"


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server with one empty bucket, `models`. `authority` is the file of its CA, with TLS."""

    port: int
    authority: pathlib.Path | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a runtime needs to read from it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }

    def client(self) -> Any:  # boto3 makes its clients at run time
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            verify=str(self.authority) if self.authority else None,
            config=botocore.config.Config(s3={"addressing_style": "path"}),
        )

    def upload(self, folder: pathlib.Path, prefix: str) -> None:
        client = self.client()
        for path in folder.iterdir():
            client.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.name}", Body=path.read_bytes())


def find_binary() -> pathlib.Path | None:
    """The server's program: built already, or built now where CI asks for it. None when it is neither."""
    try:
        tool = next(tool for tool in toolchain.TOOLS if "versitygw" in tool.binaries)
        return toolchain.binary("versitygw") if tool.built or os.environ.get("CI") else None
    except ClusterError:
        return None


@contextlib.contextmanager
def serve(
    binary: pathlib.Path, directory: pathlib.Path, *, tls: certificates.Certificates | None = None
) -> Iterator[S3Server]:
    """Run the server over `directory` and make the bucket."""
    for name in ("objects", "facts", "versions"):
        (directory / name).mkdir(parents=True)
    port = _free_port()
    process = subprocess.Popen(
        [
            binary,
            f"--port=127.0.0.1:{port}",
            f"--access={ACCESS_KEY}",
            f"--secret={SECRET_KEY}",
            "--quiet",
            *([f"--cert={tls.certificate}", f"--key={tls.key}"] if tls else []),
            "posix",
            f"--versioning-dir={directory / 'versions'}",
            # Metadata beside the objects: not every file system has extended attributes.
            f"--sidecar={directory / 'facts'}",
            directory / "objects",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port)
        server = S3Server(port, tls.authority if tls else None)
        server.client().create_bucket(Bucket=BUCKET)
        yield server
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the S3 server did not open its port")
