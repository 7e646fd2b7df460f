"""Whatever a library makes of a malformed credential, nothing of it leaves the process.

For every variable in which a credential may stand: it holds one that no Secret should, the others hold
good ones, and the real libraries ask a server that repeats all that it is sent.
"""

import hashlib
import pathlib
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway_runtime.telemetry import redaction
from tests.runtime import leaks

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_JOINTS = (
    *(
        "\n",
        "\r\n",
        "\r",
        "\t",
        " ",
        "\x0b",
        "\u2028",
        "'",
        '"',
        "`",
        "\\",
        "\\n",
        "%",
        "%41",
        "%zz",
        "é",
        "\u2019",
    ),
    *(
        "\ufeff",
        "😀",
        "\udcff",
        "/",
        "//",
        "@",
        ":",
        "#",
        "?",
        "&",
        "=",
        "+",
        ",",
        ";",
        "<",
        "&amp;",
        "[",
        "]",
    ),
)
_RUNS = st.text(_ALPHABET, min_size=9, max_size=24)
_JOINT = st.sampled_from(_JOINTS)
_ENDS = st.sampled_from(("", "", "\n", "\r\n", " ", "\n\n", "'", '"', "é"))


@st.composite
def _malformed(draw: st.DrawFn) -> str:
    first, joint, second = draw(_RUNS), draw(_JOINT), draw(_RUNS)
    return draw(_ENDS) + first + joint + second + draw(_ENDS)


_KEYS = {
    "AWS_ACCESS_KEY_ID": "Xk3JwPq9RtVbNm2LsDfG",
    "AWS_SECRET_ACCESS_KEY": "uY7/tReWqAsDfGhJkLzXcVbNm+1234567890Poi",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzEJrqp4w8hQ2tLk/9zVbnMTyUiOpLkJhGfDsAzXcVbNm==",
}
_OPTIONS = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_WHOLE = (*_KEYS, "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
_FILES = (
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
)
_ADDRESSES = (
    *(
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    *("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"),
    *("NO_PROXY", "no_proxy"),
)
_BESIDE = (
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN"),
    *("AWS_ROLE_SESSION_NAME", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_DATA_PATH", "AWS_DEFAULTS_MODE"),
    *("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_SDK_UA_APP_ID"),
    *("AWS_METADATA_SERVICE_TIMEOUT", "AWS_USE_FIPS_ENDPOINT", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    *("AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_ACCOUNT_ID"),
)
_MLFLOW_WHOLE = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
_MLFLOW_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "HTTP_PROXY", "http_proxy", "ALL_PROXY")


def test_without_a_redaction_the_same_texts_would_tell_it(
    echo: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "text", str)
    environment = {**_mlflow(echo), "MLFLOW_TRACKING_TOKEN": "Xk3JwPq9RtVbNm2LsDfG"}

    texts = leaks.told(leaks.MLFLOW_URI, environment, tmp_path, tidy=True)

    assert all("Xk3JwPq9RtVbNm2LsDfG" in text for text in texts if "MLflow says" in text)
    assert sum("MLflow says" in text for text in texts) > 8  # log, message, health, HTTP, gRPC


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with leaks.echoing() as address, leaks.quick_clients():
        yield address


def _s3(echo: str) -> dict[str, str]:
    return {**_KEYS, "AWS_ENDPOINT_URL": f"http://{echo}", "AWS_EC2_METADATA_DISABLED": "true"}


def _mlflow(echo: str) -> dict[str, str]:
    return {
        "MLFLOW_TRACKING_URI": f"http://{echo}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "DO_NOT_TRACK": "1",
    }


def _untold(texts: list[str], *secrets: str) -> None:
    """No 8 characters in a row of any secret are in any text."""
    told = {found for text in texts for found in re.findall(r"[0-9a-f]{64}", text)}
    assert told <= {hashlib.sha256().hexdigest()}  # no signature; that of an empty body goes with a request
    runs = {one[at : at + 8].lower() for one in secrets for at in range(len(one) - 7)}
    for text in texts:
        said = text.lower()
        found = [run for run in runs if run in said]
        assert not found, (found, text)


@pytest.mark.parametrize("variable", _WHOLE)
@given(secret=_malformed(), tidy=st.booleans())
@_OPTIONS
def test_nothing_of_a_key_or_a_token_is_told(
    echo: str, tmp_path: pathlib.Path, variable: str, secret: str, *, tidy: bool
) -> None:
    environment = {**_s3(echo), variable: secret}
    if variable == "AWS_SECURITY_TOKEN":
        del environment["AWS_SESSION_TOKEN"]
    if variable == "AWS_CONTAINER_AUTHORIZATION_TOKEN":
        environment = _from_a_container(echo) | {variable: secret}

    texts = leaks.told(leaks.S3_URI, environment, tmp_path, tidy=tidy)

    assert texts
    _untold(texts, secret, *_KEYS.values())


def _from_a_container(echo: str) -> dict[str, str]:
    keyless = {name: value for name, value in _s3(echo).items() if name not in _KEYS}
    return {**keyless, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{echo}/credentials"}


@pytest.mark.parametrize("variable", _FILES)
@given(secret=_malformed(), tidy=st.booleans())
@_OPTIONS
def test_nothing_of_what_a_file_holds_is_told(
    echo: str, tmp_path: pathlib.Path, variable: str, secret: str, *, tidy: bool
) -> None:
    file = tmp_path / "file"
    keys = (
        f"[default]\naws_access_key_id={secret}\naws_secret_access_key={secret}\naws_session_token={secret}\n"
    )
    content = keys if variable == "AWS_SHARED_CREDENTIALS_FILE" else secret
    file.write_bytes(content.encode(errors="surrogateescape"))
    environment = _from_a_container(echo) | {variable: str(file)}
    if variable != "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
        del environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    role = {"AWS_ROLE_ARN": "arn:aws:iam::000000000000:role/models", "AWS_ENDPOINT_URL_STS": f"http://{echo}"}

    texts = leaks.told(leaks.S3_URI, {**environment, **role}, tmp_path, tidy=tidy)

    _untold(texts, secret)


@pytest.mark.parametrize("variable", _ADDRESSES)
@given(user=st.sampled_from(("user", "")), secret=_malformed(), tidy=st.booleans())
@_OPTIONS
def test_nothing_of_a_password_in_an_address_is_told(
    echo: str, tmp_path: pathlib.Path, variable: str, user: str, secret: str, *, tidy: bool
) -> None:
    environment = {**_s3(echo), variable: f"http://{user}:{secret}@{echo}"}
    if variable == "AWS_CONTAINER_CREDENTIALS_FULL_URI":
        environment = _from_a_container(echo) | {variable: environment[variable]}

    _untold(leaks.told(leaks.S3_URI, environment, tmp_path, tidy=tidy), secret, *_KEYS.values())


@pytest.mark.parametrize("variable", _BESIDE)
@given(value=_malformed(), tidy=st.booleans())
@settings(_OPTIONS, max_examples=6)
def test_a_malformed_setting_tells_no_key(
    echo: str, tmp_path: pathlib.Path, variable: str, value: str, *, tidy: bool
) -> None:
    _untold(leaks.told(leaks.S3_URI, {**_s3(echo), variable: value}, tmp_path, tidy=tidy), *_KEYS.values())


@pytest.mark.parametrize("variable", _MLFLOW_WHOLE)
@given(secret=_malformed(), tidy=st.booleans())
@_OPTIONS
def test_nothing_of_a_registry_s_credentials_is_told(
    echo: str, tmp_path: pathlib.Path, variable: str, secret: str, *, tidy: bool
) -> None:
    user = {"MLFLOW_TRACKING_USERNAME": "somebody", "MLFLOW_TRACKING_PASSWORD": "a-good-password-1"}
    environment = {**_mlflow(echo), **({} if variable.endswith("TOKEN") else user), variable: secret}

    texts = leaks.told(leaks.MLFLOW_URI, environment, tmp_path, tidy=tidy)

    assert texts
    _untold(texts, secret)


@pytest.mark.parametrize("variable", _MLFLOW_ADDRESSES)
@given(secret=_malformed(), tidy=st.booleans())
@_OPTIONS
def test_nothing_of_a_password_in_a_registry_s_address_is_told(
    echo: str, tmp_path: pathlib.Path, variable: str, secret: str, *, tidy: bool
) -> None:
    environment = {**_mlflow(echo), variable: f"http://user:{secret}@{echo}"}

    _untold(leaks.told(leaks.MLFLOW_URI, environment, tmp_path, tidy=tidy), secret)
