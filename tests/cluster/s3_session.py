"""One connection to the S3 server: buckets, bundles, and the account that may only read.

Must not know where the server runs.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore.config

from tests.cluster import commands, toolchain
from tests.cluster.s3_manifests import REGION

READER = "models-reader"


@dataclass(frozen=True, slots=True)
class Keys:
    """What an account signs its requests with."""

    access: str
    secret: str


@dataclass(frozen=True)
class Session:
    """The server at an address of this machine."""

    endpoint: str
    root: Keys
    reader: Keys

    @cached_property
    def client(self) -> Any:  # boto3 ships no types
        """boto3's client, as the root."""
        return self.client_of(self.root)

    def client_of(self, keys: Keys) -> Any:
        """boto3's client for an account."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret,
            config=botocore.config.Config(s3={"addressing_style": "path"}),
        )

    def ensure_bucket(self, bucket: str) -> None:
        """Have the bucket, and let the reader read it."""
        if bucket not in {found["Name"] for found in self.client.list_buckets()["Buckets"]}:
            self.client.create_bucket(Bucket=bucket)
        self._ensure_reader()
        self.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_policy(bucket)))

    def upload_bundle(self, folder: Path, prefix: str, *, bucket: str) -> list[str]:
        """Make `s3://bucket/prefix/` hold what the folder holds, and nothing else; the keys that changed."""
        there = self.list(prefix, bucket=bucket)
        files = {f"{prefix}/{file.relative_to(folder)}": file for file in folder.rglob("*") if file.is_file()}
        changed = [key for key, file in files.items() if there.get(key) != _digest(file)]
        for key in changed:
            self.client.put_object(Bucket=bucket, Key=key, Body=files[key].read_bytes())
        surplus = there.keys() - files.keys()
        for key in surplus:
            self.client.delete_object(Bucket=bucket, Key=key)
        return sorted([*changed, *surplus])

    def list(self, prefix: str, *, bucket: str) -> dict[str, str]:
        """Keys below `prefix/`, each with its ETag."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        objects = [found for page in pages for found in page.get("Contents", [])]
        return {found["Key"]: found["ETag"].strip('"') for found in objects}

    def delete(self, prefix: str, *, bucket: str) -> None:
        """Remove everything below `prefix/`."""
        for key in self.list(prefix, bucket=bucket):
            self.client.delete_object(Bucket=bucket, Key=key)

    def _ensure_reader(self) -> None:
        if self.reader.access not in self._admin("list-users"):
            account = ("-a", self.reader.access, "-s", self.reader.secret, "-r", "user")
            self._admin("create-user", *account)

    def _admin(self, *arguments: str) -> str:
        keys = {"ADMIN_ACCESS_KEY_ID": self.root.access, "ADMIN_SECRET_ACCESS_KEY": self.root.secret}
        program: list[str | Path] = [toolchain.binary("versitygw"), "admin", "--endpoint-url", self.endpoint]
        return commands.run([*program, *arguments], env=os.environ | keys)


def _policy(bucket: str) -> dict[str, object]:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    rules = [
        {"Effect": "Allow", "Principal": {"AWS": [READER]}, "Action": action, "Resource": resource}
        for resource, action in zip(resources, (["s3:ListBucket"], ["s3:GetObject"]), strict=True)
    ]
    return {"Version": "2012-10-17", "Statement": rules}


def _digest(file: Path) -> str:
    """The ETag of an object that was put in one piece."""
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
