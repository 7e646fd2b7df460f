"""Who a pod is to its storage, and how it gets there: keys, roles, authorities, proxies, addresses."""

import contextlib
import http.server
import pathlib
import threading
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from slipway_runtime.artifacts import addresses, location, sources
from slipway_runtime.artifacts.source import Item
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import certificates, proxy, storage
from tests.runtime.storage import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server

pytestmark = pytest.mark.s3

_URI = f"s3://{BUCKET}/identity/1"
_ROLE = "arn:aws:iam::000000000000:role/models"
_OUTSIDE = "storage.slipway.test"  # resolves nowhere: only the proxy knows where it is
_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE")


@pytest.fixture(scope="module")
def stored(s3: S3Server) -> S3Server:
    """The server with one small object."""
    s3.client().put_object(Bucket=BUCKET, Key="identity/1/notes.txt", Body=b"hello")
    return s3


@pytest.fixture
def given(stored: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> S3Server:
    """An environment with the server's address and without keys."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", stored.url)
    return stored


def _items() -> list[Item]:
    source = sources.at(location.parse(_URI, variable="MODEL_URI"), deadline=time.monotonic() + 20)
    return source.items()


def _set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


def test_keys_that_were_rotated_are_read_at_the_next_load(
    given: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    secret = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(secret))
    secret.write_text("[default]\naws_access_key_id=old\naws_secret_access_key=old\n")
    with pytest.raises(StartupError, match="refused these credentials"):
        _items()

    secret.write_text(f"[default]\naws_access_key_id={ACCESS_KEY}\naws_secret_access_key={SECRET_KEY}\n")

    assert [item.name for item in _items()] == ["notes.txt"]


@contextlib.contextmanager
def _token_service(token: str) -> Iterator[str]:
    """Speaks the one call of STS that a pod with a web identity makes. Hands out the storage's keys."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
            known = form["Action"] == "AssumeRoleWithWebIdentity" and form["RoleArn"] == _ROLE
            good = known and form["WebIdentityToken"] == token
            body = (_GRANTED if good else _DENIED).encode()
            self.send_response(200 if good else 400)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


# Without a session's token: the storage of the tests issues none, and refuses those that it did not issue.
_GRANTED = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{ACCESS_KEY}</AccessKeyId>
<SecretAccessKey>{SECRET_KEY}</SecretAccessKey><SessionToken></SessionToken>
<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><AssumedRoleId>a:b</AssumedRoleId><Arn>{_ROLE}</Arn></AssumedRoleUser>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""
_DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>InvalidIdentityToken</Code><Message>The token is not known here</Message></Error></ErrorResponse>"""


@pytest.fixture
def pod_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """What a cluster gives to a pod with a role. Returns the file of its token."""
    token = tmp_path / "token"
    token.write_text("a-projected-token")
    with _token_service("a-projected-token") as url:
        monkeypatch.setenv("AWS_ROLE_ARN", _ROLE)
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield token


def test_a_pod_with_a_role_needs_no_keys(given: S3Server, pod_identity: pathlib.Path) -> None:
    assert [item.name for item in _items()] == ["notes.txt"]


def test_a_token_that_is_refused_is_said(given: S3Server, pod_identity: pathlib.Path) -> None:
    pod_identity.write_text("expired")

    with pytest.raises(StartupError, match="STS did not give the role") as caught:
        _items()

    assert caught.value.reason is Reason.SOURCE_FORBIDDEN
    assert "The token is not known here" in caught.value.message


def test_a_token_that_is_not_mounted_is_said(given: S3Server, pod_identity: pathlib.Path) -> None:
    pod_identity.unlink()

    with pytest.raises(StartupError, match="AWS_WEB_IDENTITY_TOKEN_FILE") as caught:
        _items()

    assert caught.value.reason is Reason.CONFIGURATION_INVALID


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, s3: S3Server) -> Iterator[S3Server]:
    """A server behind TLS, whose authority nobody knows."""
    directory = tmp_path_factory.mktemp("tls")
    binary = storage.find_binary()
    assert binary is not None
    with storage.serve(binary, directory, tls=certificates.make(directory, _OUTSIDE)) as server:
        server.client().put_object(Bucket=BUCKET, Key="identity/1/notes.txt", Body=b"hello")
        yield server


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(
    given: S3Server, secure: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", secure.url)
    with pytest.raises(StartupError, match="certificate is not trusted") as caught:
        _items()
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE

    monkeypatch.setenv("AWS_CA_BUNDLE", str(secure.authority))

    assert [item.name for item in _items()] == ["notes.txt"]


def test_an_authority_that_is_not_mounted_is_said(
    given: S3Server, secure: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", secure.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")

    with pytest.raises(StartupError, match=r"/nowhere/ca\.pem does not exist"):
        _items()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_storage_is_reached_through_a_proxy(
    given: S3Server, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{_OUTSIDE}:7070")
    with proxy.proxying({_OUTSIDE: given.port}) as forward:
        monkeypatch.setenv(variable, forward.url)

        assert [item.name for item in _items()] == ["notes.txt"]
        assert forward.asked == [f"GET {_OUTSIDE}:7070"]


def test_storage_behind_tls_is_reached_through_a_proxy(
    given: S3Server, secure: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"https://{_OUTSIDE}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(secure.authority))
    with proxy.proxying({_OUTSIDE: secure.port}) as forward:
        monkeypatch.setenv("HTTPS_PROXY", forward.url)

        assert [item.name for item in _items()] == ["notes.txt"]
        assert forward.asked == [f"CONNECT {_OUTSIDE}:443"]


def test_no_proxy_is_used_for_what_no_proxy_names(given: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with proxy.proxying({}) as forward:
        monkeypatch.setenv("HTTP_PROXY", forward.url)

        assert [item.name for item in _items()] == ["notes.txt"]
        assert forward.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://169.254.170.2/v2/credentials",
        "http://[fd00:ec2::254]",
        "http://[::ffff:169.254.169.254]:80",
        "http://[fe80::1%25eth0]/",
        "http://2852039166/",
        "http://0xa9.0xfe.0xa9.0xfe",
        "http://100.100.100.200",
    ],
)
def test_a_metadata_address_is_known_in_every_spelling(url: str) -> None:
    with pytest.raises(ValueError, match="metadata service"):
        addresses.refuse_metadata(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:7070", "https://s3.eu-central-1.amazonaws.test", ""])
def test_other_addresses_are_none_of_its_business(url: str) -> None:
    addresses.refuse_metadata(url)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"])
def test_no_endpoint_may_be_a_metadata_address(
    given: S3Server, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    _set_keys(monkeypatch)
    monkeypatch.setenv(variable, "http://169.254.169.254/")

    with pytest.raises(StartupError, match="metadata service") as caught:
        _items()

    assert caught.value.reason is Reason.CONFIGURATION_INVALID
