"""Credentials as a Secret holds them: what is trimmed, what is refused, and that none is ever shown."""

import json
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from slipway_runtime import credentials
from slipway_runtime.artifacts import s3_client
from slipway_runtime.failures import Reason, StartupError
from tests.runtime import bundles, grpc_clients, leaks, models_files, processes
from tests.runtime.processes import Ending, RuntimeProcess
from tests.runtime.storage import BUCKET, S3Server

KEY_ID = "Xk3JwPq9RtVbNm2LsDfG"
SECRET = "uY7tReWqAsDfGhJkLzXcVbNm1234567890PoiLkJ"
TOKEN = "FwoGZXIvYXdzEJrqp4w8hQ2tLk9zVbnMTyUiOpLkJhGfDsAzXcVbNm"
KEYS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}


@pytest.fixture
def echo() -> Iterator[str]:
    with leaks.echoing() as address:
        yield address


@pytest.fixture
def closed() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def _shown(process: RuntimeProcess, ending: Ending) -> str:
    return json.dumps([process.log, ending.message], ensure_ascii=False)


@pytest.mark.parametrize("variable", [*KEYS, "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n", "\t"], ids=repr)
def test_white_space_at_the_ends_of_a_key_is_trimmed(variable: str, end: str) -> None:
    environment = {variable: f"{end}{TOKEN}{end}", "PATH": "/bin\n"}

    credentials.tidy(environment)

    assert environment == {variable: TOKEN, "PATH": "/bin\n"}


@pytest.mark.parametrize(
    ("variable", "value", "trimmed"),
    [
        ("MLFLOW_TRACKING_PASSWORD", " with spaces \n", " with spaces "),
        ("MLFLOW_TRACKING_USERNAME", "somebody\r\n", "somebody"),
        ("MLFLOW_TRACKING_TOKEN", f"{TOKEN}\n", TOKEN),
        ("AWS_REGION", "eu-central-1\n", "eu-central-1"),
        ("AWS_ENDPOINT_URL", "http://storage:7070\n", "http://storage:7070"),
        ("https_proxy", "http://proxy:3128\n", "http://proxy:3128"),
        ("NO_PROXY", "a,b\n", "a,b"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=abc\n", "api-key=abc"),
    ],
)
def test_line_breaks_at_the_ends_of_what_stands_beside_them_are_trimmed_too(
    variable: str, value: str, trimmed: str
) -> None:
    environment = {variable: value}

    credentials.tidy(environment)

    assert environment[variable] == trimmed


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        *((name, "fjdkslaghty\nqpwoeiruty", "has a line break inside") for name in KEYS),
        ("MLFLOW_TRACKING_PASSWORD", "fjdkslaghty\rqpwoeiruty", "has a line break inside"),
        ("MLFLOW_TRACKING_TOKEN", "fjdkslaghty\r\nqpwoeiruty", "has a line break inside"),
        ("HTTPS_PROXY", "http://user:fjdkslaghty\nqpwoeiruty@proxy:3128", "has a line break inside"),
        ("AWS_ENDPOINT_URL", "http://user:fjdkslaghty\n@storage", "has a line break inside"),
        ("AWS_ACCESS_KEY_ID", "fjdkslaghty\u2019", "its character 12 of 12"),
        ("AWS_SESSION_TOKEN", "\ufefffjdkslaghty", "its character 1 of 12"),
        ("AWS_SESSION_TOKEN", "fjdkslaghty\x0bqpwoeiruty", "its character 12 of 22"),
    ],
)
def test_what_can_be_no_credential_is_refused_by_its_variable_and_not_shown(
    variable: str, value: str, says: str
) -> None:
    with pytest.raises(StartupError, match=f"^{variable}: ") as caught:
        credentials.tidy({variable: value})

    assert (caught.value.reason, caught.value.subject) == (Reason.CONFIGURATION_INVALID, variable)
    assert says in caught.value.message
    assert "fjdk" not in caught.value.message
    assert "qpwo" not in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NO_PROXY", "a,\nb"),
        ("MLFLOW_TRACKING_PASSWORD", "pässword \u2019"),
        ("AWS_SECRET_ACCESS_KEY", "pässword"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/a\nb"),
        ("SOMEBODY_S_TOKEN", "a\nb"),
    ],
)
def test_what_may_be_right_is_left_as_it_is(variable: str, value: str) -> None:
    environment = {variable: value}

    credentials.tidy(environment)

    assert environment == {variable: value}


@pytest.mark.parametrize("command", ["serve", "resolve"])
@pytest.mark.parametrize("variable", KEYS)
def test_a_key_with_a_line_break_at_its_end_is_nowhere_shown(
    tmp_path: pathlib.Path, closed: str, variable: str, command: str
) -> None:
    environment = {
        **KEYS,
        variable: f"{KEYS[variable]}\n",
        "MODEL_URI": "s3://models/sentiment/1",
        "AWS_ENDPOINT_URL": f"http://{closed}",
        "SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS": "2",
    }
    start = processes.resolving if command == "resolve" else processes.starting
    with start(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    shown = _shown(process, ending)
    assert ending.message["reason"] == "SourceUnavailable"
    assert "s3://models/sentiment/1" in ending.message["message"]
    assert "Invalid header" not in shown
    assert not [value for value in KEYS.values() if value in shown]
    assert "Signature=" not in shown


def test_a_key_with_a_line_break_inside_ends_the_process_with_its_name(tmp_path: pathlib.Path) -> None:
    environment = {**KEYS, "AWS_SESSION_TOKEN": f"{TOKEN}\n{TOKEN}", "MODEL_URI": "s3://models/sentiment/1"}
    with processes.starting(tmp_path, **environment) as process:
        ending = process.wait_for_end()

    assert (ending.code, ending.message) == (
        1,
        {
            "reason": "ConfigurationInvalid",
            "message": "AWS_SESSION_TOKEN: it has a line break inside; write it in one line",
            "object": "AWS_SESSION_TOKEN",
        },
    )
    assert TOKEN not in _shown(process, ending)


@pytest.mark.s3
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=repr)
def test_a_bundle_is_served_with_keys_that_end_with_a_line_break(
    s3: S3Server, bundle: pathlib.Path, tmp_path: pathlib.Path, end: str
) -> None:
    s3.upload(bundle, "credentials/1")
    environment = {name: f"{value}{end}" for name, value in s3.environment.items()}
    with processes.starting(tmp_path, MODEL_URI=f"s3://{BUCKET}/credentials/1", **environment) as process:
        process.wait_until_ready()


@pytest.mark.parametrize(
    "credential",
    [
        {"MLFLOW_TRACKING_TOKEN": f"{TOKEN}\n"},
        {"MLFLOW_TRACKING_USERNAME": f"{KEY_ID}\n", "MLFLOW_TRACKING_PASSWORD": f"{SECRET}\n"},
    ],
    ids=["a token", "user and password"],
)
def test_a_registry_s_credential_with_a_line_break_at_its_end_is_trimmed_and_nowhere_shown(
    tmp_path: pathlib.Path, echo: str, credential: dict[str, str]
) -> None:
    environment = {
        **credential,
        "MODEL_URI": "models:/sentiment/1",
        "MLFLOW_TRACKING_URI": f"http://{echo}\n",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "HOME": str(tmp_path),
    }
    with processes.resolving(tmp_path, **environment) as process:
        ending = process.wait_for_end(timeout=90)

    shown = _shown(process, ending)
    assert "Authorization: ***" in ending.message["message"]  # it was sent, and what came back is not told
    assert not [value for value in (KEY_ID, SECRET, TOKEN) if value in shown]


@pytest.mark.parametrize(
    ("variable", "address", "says"),
    [
        (
            "HTTP_PROXY",
            f"http://user:{SECRET[:12]}/{SECRET[12:]}@127.0.0.1:9",
            "ConfigurationInvalid: HTTPS_P",
        ),
        (
            "AWS_ENDPOINT_URL",
            f"http://user:{SECRET}@127.0.0.1:9",
            "SourceUnavailable: s3://models/sentiment/2",
        ),
    ],
    ids=["a proxy", "an endpoint"],
)
def test_a_password_in_an_address_is_not_in_health_nor_in_any_refusal(
    bundle: pathlib.Path, tmp_path: pathlib.Path, variable: str, address: str, says: str
) -> None:
    file = models_files.ModelsFile(tmp_path / "models")
    other = {"name": "other", "version": "1", "uri": "s3://models/sentiment/2"}
    file.write(models_files.model(bundle, "1"), other)
    environment = {**KEYS, "AWS_ENDPOINT_URL": "http://storage.slipway.test", variable: address}
    with models_files.serving(tmp_path / "run", file, **environment) as process:
        health = _when_refused(process)
        index = httpx.post(f"{process.url}/v2/repository/index").text
        asked = {"texts": ["good"], "model": "other", "model_version": "1"}
        plain = httpx.post(f"{process.url}/v2/predict", json=asked).text
        protocol = httpx.get(f"{process.url}/v2/models/other/versions/1").text
        request = service_pb2.ModelMetadataRequest(name="other", version="1")
        with grpc_clients.channel(process.grpc_port) as channel, pytest.raises(grpc.RpcError) as refused:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelMetadata(request, timeout=10)

    told = [health, index, plain, protocol, refused.value.details()]
    assert [text for text in told if says in text] == told
    shown = json.dumps([*told, process.log])
    assert not [at for at in range(len(SECRET) - 7) if SECRET[at : at + 8] in shown]


def _when_refused(process: RuntimeProcess) -> str:
    deadline = time.monotonic() + 30
    while "UNAVAILABLE" not in (said := httpx.get(f"{process.url}/health").text):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
    return said


@pytest.mark.parametrize(
    "end",
    [
        "raise ValueError(said)",
        "import threading; t = threading.Thread(target=int, args=(said,)); t.start(); t.join()",
    ],
)
def test_what_nobody_caught_is_said_without_credentials(end: str) -> None:
    program = f"""
import os
from slipway_runtime import __main__, leaving
def run(_arguments):
    said = "Authorization: " + os.environ["AWS_SESSION_TOKEN"] + " of s3://models/sentiment"
    {end}
    return 0
__main__._run = run
__main__.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(processes.ROOT / "runtime"), **KEYS},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "ValueError" in done.stderr
    assert TOKEN not in done.stderr


def test_keys_of_a_file_with_a_line_break_inside_are_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    file.write_text(
        f"[default]\naws_access_key_id = {KEY_ID}\n  {KEY_ID}\naws_secret_access_key = {SECRET}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    with pytest.raises(StartupError, match=r"^AWS_SHARED_CREDENTIALS_FILE: .* line break inside") as caught:
        s3_client.make()

    assert (caught.value.reason, caught.value.subject) == (
        Reason.CONFIGURATION_INVALID,
        "AWS_SHARED_CREDENTIALS_FILE",
    )
    assert KEY_ID not in caught.value.message


def test_a_token_s_file_with_a_line_break_is_refused_by_its_variable(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))

    with pytest.raises(
        StartupError, match=r"^AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: .* line break"
    ) as caught:
        s3_client.make()

    assert caught.value.reason is Reason.CONFIGURATION_INVALID


def test_keys_in_the_address_of_a_bucket_are_not_repeated(tmp_path: pathlib.Path) -> None:
    bundles.write(tmp_path / "bundle")
    ending = processes.resolve(tmp_path, MODEL_URI=f"s3://{KEY_ID}:{SECRET}@models/sentiment")

    assert ending.message["object"] == "MODEL_URI"
    assert "AWS_ACCESS_KEY_ID" in ending.message["message"]
    assert SECRET not in str(ending.message)
