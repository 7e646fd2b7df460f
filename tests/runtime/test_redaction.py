"""The one place that takes credentials out of texts: what it takes, and what it leaves."""

import base64
import io
import json
import logging
import urllib.parse
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from slipway_runtime import credentials
from slipway_runtime.telemetry import logs, redaction
from slipway_runtime.telemetry.tracing import Tracing

SECRET = 'Zr8kTq/WnB+yE "5mHs\u2019LxD\nVg2=Cj%7F'
PASSWORD = "pw-GhT7 kLm9@zX/c"
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "MLFLOW_TRACKING_USERNAME": "robot",
    "MLFLOW_TRACKING_PASSWORD": "hunter2!",
    "HTTPS_PROXY": f"http://robot:{PASSWORD}@proxy.slipway.test:3128",
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=Qm4vRt8yUb2n,x=1",
    "MODEL_URI": "s3://sentiment-models/sentiment/1",
}


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    redaction.know(credentials.secrets(ENVIRONMENT), names=credentials.names(ENVIRONMENT))
    yield
    redaction.know(())


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        SECRET.strip(),
        SECRET.upper(),
        repr(SECRET),
        repr(SECRET.encode()),
        repr(repr(SECRET)),
        json.dumps(SECRET),
        ascii(SECRET),
        " ".join(SECRET.split()),
        urllib.parse.quote(SECRET),
        urllib.parse.quote(SECRET, safe=""),
        urllib.parse.quote_plus(SECRET),
        urllib.parse.unquote(SECRET),
        SECRET.encode().decode("latin-1"),
        PASSWORD,
        urllib.parse.quote(PASSWORD),
        base64.b64encode(b"robot:hunter2!").decode(),
        base64.b64encode(f"robot:{PASSWORD}".encode()).decode(),
        "Qm4vRt8yUb2n",
    ],
)
def test_a_credential_is_taken_out_in_every_spelling(spelled: str) -> None:
    left = redaction.text(f"before {spelled} after")

    assert left.removeprefix("before ").removesuffix(" after").strip("b'\"\\") == "***"


@pytest.mark.parametrize("length", [8, 12])
def test_a_part_of_a_credential_is_taken_out_where_a_text_was_cut(length: int) -> None:
    assert redaction.text(f"it is {SECRET[:length]}…") == "it is ***…"
    assert redaction.text(f"it is {SECRET[:7]}…") == f"it is {SECRET[:7]}…"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("{'Authorization': 'Bearer abc', 'x': 'y'}", "{'Authorization': '***', 'x': 'y'}"),
        (r"b'GET /\r\nauthorization: Basic YTpi\r\nHost: h'", r"b'GET /\r\nauthorization: ***\r\nHost: h'"),
        ("Proxy-Authorization: Basic YTpi\nHost: h", "Proxy-Authorization: ***\nHost: h"),
        (
            "Invalid header value b'AWS4-HMAC-SHA256 Credential=a/b/s3/aws4_request, Signature=0f'",
            "Invalid header value b'AWS4-HMAC-SHA256 ***'",
        ),
        ("http://h/x?X-Amz-Signature=0f&a=b", "http://h/x?X-Amz-Signature=***&a=b"),
        ("http://h/x?X-Amz-Credential=a%2Fb&a=b", "http://h/x?X-Amz-Credential=***&a=b"),
        (
            "http://h/x?AWSAccessKeyId=a&Signature=b&Expires=1",
            "http://h/x?AWSAccessKeyId=***&Signature=***&Expires=1",
        ),
        ("X-Amz-Security-Token: abc", "X-Amz-Security-Token: ***"),
        ("at http://a:b@host:1/c", "at http://***@host:1/c"),
        ("at http://a:b@c@host/", "at http://***@host/"),
        ("the key AKIAIOSFODNN7EXAMPLE is", "the key *** is"),
        ("the key ASIAIOSFODNN7EXAMPLE is", "the key *** is"),
        ("a Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "a Bearer ***"),
        (
            "<AWSAccessKeyId>minio</AWSAccessKeyId><Key>a</Key>",
            "<AWSAccessKeyId>***</AWSAccessKeyId><Key>a</Key>",
        ),
        ("<StringToSign>AWS4\nx</StringToSign>", "<StringToSign>***</StringToSign>"),
        ("<SignatureProvided>0f</SignatureProvided>", "<SignatureProvided>***</SignatureProvided>"),
        ('{"SecretAccessKey" : "a", "Token": "b"}', '{"SecretAccessKey" : "***", "Token": "***"}'),
    ],
)
def test_what_its_place_says_to_be_a_credential_is_taken_out(said: str, left: str) -> None:
    assert redaction.text(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "s3://sentiment-models/sentiment/1/model.onnx: S3 refused these credentials (AccessDenied)",
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/models?list-type=2&prefix=a%2F&max-keys=1"',
        "AWS_SECRET_ACCESS_KEY: it has a line break inside; write it in one line",
        "S3 points elsewhere (400 AuthorizationHeaderMalformed): check AWS_REGION and AWS_ENDPOINT_URL",
        "Failed to connect to proxy URL: http://proxy.slipway.test:3128",
        "models:/sentiment@champion, sha256:0f0f0f0f0f0f0f0f, ETag 9b2cf535f27731c974343645a3985328",
        "basic authentication is not served here, nor are bearer credentials",
        "model 'robot' is not served here; served: 'hunter2'",
        "",
    ],
)
def test_names_of_things_stay_as_they_are(said: str) -> None:
    assert redaction.text(said) == said


def test_a_bucket_s_name_stays_though_a_password_has_a_part_of_it() -> None:
    given = {"MODEL_URI": "s3://sentiment-models/1", "MLFLOW_TRACKING_PASSWORD": "sentiment-models-Xq7"}
    redaction.know(credentials.secrets(given), names=credentials.names(given))

    assert redaction.text("s3://sentiment-models/1 is not there") == "s3://sentiment-models/1 is not there"
    assert "Xq7" not in redaction.text("it is sentiment-models-Xq7")


def test_a_short_password_makes_no_text_unreadable() -> None:
    given = {"MLFLOW_TRACKING_PASSWORD": "a", "HTTP_PROXY": "http://u:1@proxy"}
    redaction.know(credentials.secrets(given), names=credentials.names(given))

    assert redaction.text("a message at 1 of http://u:1@proxy/") == "a message at 1 of http://***@proxy/"


def test_what_is_learned_while_it_runs_is_taken_out() -> None:
    assert "Kq9xWm3v" in redaction.text("it is Kq9xWm3vTy")

    redaction.learn("Kq9xWm3vTy")

    assert redaction.text("it is Kq9xWm3vTy") == "it is ***"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("INFO")
    written = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_no_line_of_the_log_has_a_credential(log: io.StringIO) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger("slipway").exception("crashed", more=[{"a": (SECRET, 1)}], other=SECRET.encode())
        logging.getLogger("botocore").exception("it is %s", SECRET)
        logging.getLogger("urllib3").warning("%(a)s", {"a": SECRET})

    assert len(log.getvalue().splitlines()) == 3
    assert "Zr8kTq" not in log.getvalue()
    assert json.loads(log.getvalue().splitlines()[0])["more"] == [{"a": ["***", 1]}]


def test_no_span_has_a_credential() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider)

    def fail() -> None:
        with tracing.request("POST", {}), tracing.inference({"slipway.rows": 1}):
            raise ValueError(f"it is {SECRET}")

    with pytest.raises(ValueError, match="it is"):
        fail()

    spans = exporter.get_finished_spans()
    assert [span.status.description for span in spans] == ["ValueError: it is ***"] * 2
    assert [[event.name for event in span.events] for span in spans] == [["exception"]] * 2
    assert not [span for span in spans if "Zr8kTq" in span.to_json()]


def test_of_megabytes_the_begin_and_the_end_are_left_and_searched() -> None:
    """A client's own text may stand in a refusal; what is left out costs nothing and tells nothing."""
    redaction.know(["hunter2-hunter2"])
    said = redaction.text("begin " + "hunter2-hunter2 " * 200_000 + "end")
    assert len(said) <= 2 * redaction.MOST_CHARACTERS
    assert said.startswith("begin ***")
    assert said.endswith("end")
    assert "hunter2-" not in said
