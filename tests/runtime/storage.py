"""A real S3 server on loopback, for the tests of where bundles come from."""

import contextlib
import json
import os
import pathlib
import secrets
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
    """A running server with one empty bucket, `models`. `authority` is the file of its CA, with TLS.

    `binary` is its program, which is also the one that makes users.
    """

    port: int
    binary: pathlib.Path
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

    @contextlib.contextmanager
    def reader(self) -> Iterator["Reader"]:
        """Somebody else with keys of his own, who may list and get everything in the bucket."""
        reader = Reader(self, access_key=f"reader-{secrets.token_hex(4)}", secret_key=secrets.token_hex(16))
        self._administer("create-user", f"--secret={reader.secret_key}", "--role=user", reader=reader)
        reader.may("s3:ListBucket", "s3:GetObject")
        try:
            yield reader
        finally:
            self.client().delete_bucket_policy(Bucket=BUCKET)
            self._administer("delete-user", reader=reader)

    def _administer(self, command: str, *options: str, reader: "Reader") -> None:
        keys = [f"--access={ACCESS_KEY}", f"--secret={SECRET_KEY}", f"--endpoint-url={self.url}"]
        user = f"--access={reader.access_key}"
        subprocess.run(
            [self.binary, "admin", *keys, command, user, *options],
            check=True,
            capture_output=True,
            timeout=30,
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """A user whose rights can be taken away. Made by S3Server.reader."""

    server: S3Server
    access_key: str
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return {**self.server.environment, **keys}

    def may(self, *actions: str) -> None:
        """Only this from now on."""
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [self.access_key]},
            "Action": actions,
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.server.client().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


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
    for name in ("objects", "facts", "versions", "users"):
        (directory / name).mkdir(parents=True)
    port = _free_port()
    process = subprocess.Popen(
        [
            binary,
            f"--port=127.0.0.1:{port}",
            f"--access={ACCESS_KEY}",
            f"--secret={SECRET_KEY}",
            "--quiet",
            f"--iam-dir={directory / 'users'}",
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
        server = S3Server(port, binary, tls.authority if tls else None)
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
