"""spec.source: where a bundle lies. Parsed here once; nobody behind this module reads a URI's text again.

It never opens a connection, and knows neither endpoint nor credentials.
"""

from typing import Annotated

from pydantic import Field

from slipway_operator.api import names
from slipway_operator.api.part import Part, matching, must

_is_bucket = matching(r"[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]")
_is_host = matching(
    r"([0-9]+[.])+[0-9]+|2852039166|0x[0-9a-f]+"
    r"|localhost|metadata[.].+[.]internal|instance-data[.]ec2[.]internal"
)
_is_prefix = matching(r"[-A-Za-z0-9!_.*()=+/]+")


def _bucket(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[0]


def _prefix(uri: str) -> str:
    return uri.removeprefix("s3://").partition("/")[2]


Uri = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    must(
        lambda uri: uri.startswith("s3://"),
        "spec.source.uri must begin with s3:// (s3://bucket/prefix): other schemes come in a later release",
    ),
    must(
        lambda uri: _is_bucket(_bucket(uri)),
        "the bucket in spec.source.uri must be 3 to 63 lower-case letters, digits, '.' and '-', "
        "and begin and end with a letter or a digit",
    ),
    must(
        lambda uri: not _is_host(_bucket(uri)),
        "the bucket in spec.source.uri must be the name of a bucket, and not the address or the name "
        "of a host",
    ),
    must(
        lambda uri: _prefix(uri) and not uri.endswith("/"),
        "spec.source.uri must name a folder in the bucket, without a slash at its end (s3://bucket/prefix)",
    ),
    must(
        lambda uri: "//" not in uri.removeprefix("s3://"),
        "spec.source.uri must not contain '//' after s3://",
    ),
    must(lambda uri: ".." not in uri, "spec.source.uri must not contain '..'"),
    must(
        lambda uri: "?" not in uri and "#" not in uri,
        "spec.source.uri must not contain a query or a fragment ('?' or '#')",
    ),
    must(
        lambda uri: _is_prefix(_prefix(uri)),
        "the prefix in spec.source.uri must consist of letters, digits and the characters "
        "- ! _ . * ( ) = + /",
    ),
]
Sha256 = Annotated[
    str,
    Field(min_length=64, max_length=64),
    must(matching(r"[0-9a-f]{64}"), "spec.source.sha256 must be 64 hexadecimal digits in lower case"),
]
SecretName = Annotated[
    str,
    Field(min_length=1, max_length=253),
    must(
        matching(names.SUBDOMAIN),
        "spec.source.credentialsSecretName must be the name of a Secret: lower-case letters, digits, "
        "'-' and '.', without a namespace",
    ),
]


class Source(Part):
    """A bundle's place and, when it is pinned, its digest."""

    uri: Uri
    sha256: Sha256 | None = None
    credentials_secret_name: SecretName | None = None

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return _bucket(self.uri)

    @property
    def prefix(self) -> str:
        """The folder's key, without a slash at either end."""
        return _prefix(self.uri)
