"""What leaves a process whose source cannot be read, and servers that say back all that they were sent.

The libraries are the real ones, in this process: boto3, botocore and MLflow's client.
"""

import contextlib
import http.server
import io
import json
import logging
import os
import pathlib
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import boto3.session
import botocore.loaders
import botocore.session
import botocore.utils
import pytest
import structlog

from slipway_runtime import credentials, resolution
from slipway_runtime.artifacts import location, mlflow_client, mlflow_program, s3_client, sources
from slipway_runtime.failures import StartupError
from slipway_runtime.lifecycle import Lifecycle
from slipway_runtime.scheduling.catalog import Catalog, NotReadyError
from slipway_runtime.telemetry import logs, redaction, termination
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.transport import health, problems
from slipway_runtime.transport.oip.errors import Kind, OipError
from slipway_runtime.versions.plan import Failure
from slipway_runtime.versions.reporting import Report
from slipway_runtime.versions.wanted import Wanted

S3_URI, MLFLOW_URI = "s3://models/sentiment/1", "models:/sentiment/1"
_PREFIXES, _SUFFIX = ("AWS_", "MLFLOW_", "MODEL_", "OTEL_"), "_proxy"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers everything with the request itself, in many spellings, as an error page or as nonsense."""

    protocol_version = "HTTP/1.1"
    statuses = (403, 400, 200, 407)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        head = self.raw_requestline.decode("latin-1") + str(self.headers)
        said = "\n".join((head, repr(head), urllib.parse.quote(head), json.dumps(dict(self.headers))))
        status = self.statuses[len(head) % len(self.statuses)]
        error = f"<Error><Code>SignatureDoesNotMatch</Code><Message>{said}</Message></Error>"
        body = (error if status == 403 else said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/xml")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, *_: Any, **__: Any) -> None:
        """A head that is none: nothing is said to it."""

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """Whoever leaves in the middle is not of interest."""


@contextlib.contextmanager
def echoing() -> Iterator[str]:
    """Host and port of such a server."""
    with _Server(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def quick_clients() -> Iterator[None]:
    """boto3 with its models read once, and without second tries."""
    loader, real = botocore.loaders.create_loader(), boto3.session.Session

    def session() -> Any:
        inner = botocore.session.Session()
        inner.register_component("data_loader", loader)
        return real(botocore_session=inner)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3.session, "Session", session)
        patch.setattr(s3_client, "ATTEMPTS", 1)
        patch.setattr(botocore.utils.ContainerMetadataFetcher, "SLEEP_TIME", 0)
        yield


def told(uri: str, environment: Mapping[str, str], home: pathlib.Path, *, tidy: bool) -> list[str]:
    """All texts that leave a process with this environment which is to read `uri`.

    Without `tidy` nothing is trimmed or refused before the libraries see it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_PREFIXES) or name.lower().endswith(_SUFFIX):
                patch.delenv(name)
        for name, value in {"HOME": str(home), "MODEL_URI": uri, **environment}.items():
            patch.setenv(name, value)
        redaction.know(credentials.secrets(os.environ), names=credentials.names(os.environ))
        before = dict(os.environ)
        try:
            return _everything(_failure(uri, tidy=tidy))
        finally:
            redaction.know(())
            os.environ.update(before)


def _failure(uri: str, *, tidy: bool) -> BaseException | None:
    try:
        if tidy:
            credentials.tidy(os.environ)
        where = location.parse(uri, variable="MODEL_URI")
        if uri == MLFLOW_URI:
            answer = mlflow_program._answer({"resolve": "sentiment", "version": "", "alias": "champion"})
            raise mlflow_client._refused(answer["error"], uri)
        sources.at(where, deadline=time.monotonic() + 20).items()
    except Exception as error:
        return error
    return None


def _everything(error: BaseException | None) -> list[str]:
    if error is None:
        return []
    failure = error if isinstance(error, StartupError) else resolution._unexpected(error)  # type: ignore[arg-type]
    wanted = Wanted("sentiment", "1", location.parse(S3_URI, variable="MODEL_URI"))
    catalog = Catalog("sentiment")
    report = Report(catalog, Metrics())
    failed = Failure(1, 0, failure.reason, failure.message, failure.subject)
    with _logging() as log:
        report.failed(wanted, failed, beside=True)
        report.file(failure.message)
        report.situation(loaded={}, kept=(), missing=[(wanted, failed)], progress="")
        structlog.get_logger("slipway").error("cannot_serve", detail=failure.message, cause=error)
        structlog.get_logger("slipway").error("crashed", exc_info=error)
        logging.getLogger("botocore").warning("retrying: %s", error, exc_info=error)
    entries = [json.loads(line) for line in log.getvalue().splitlines()]
    reason = str(_not_ready(catalog))
    return [
        *_texts(entries),
        *_texts(json.loads(termination.render(failure))),
        *_texts(health.describe(catalog, Lifecycle(lambda _now: 0.0)).model_dump()),
        *_texts(json.loads(problems.not_ready(failure.message).body())),
        *_texts(json.loads(problems.not_ready(reason).body())),
        OipError(Kind.UNAVAILABLE, failure.message).message,
        reason,
    ]


def _not_ready(catalog: Catalog) -> NotReadyError:
    with pytest.raises(NotReadyError) as caught:
        catalog.lease("sentiment", "1")
    return caught.value


@contextlib.contextmanager
def _logging() -> Iterator[io.StringIO]:
    """What the runtime's own logging would write."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    logs.configure("INFO")
    ours = root.handlers[0]
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(written)
    try:
        yield written
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)
