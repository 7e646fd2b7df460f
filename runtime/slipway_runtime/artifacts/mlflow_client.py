"""Questions to an MLflow server, asked by a process that ends at the deadline, and what its errors mean.

MLFLOW_TRACKING_URI and the credentials are MLflow's own business (MLFLOW_TRACKING_*). Nothing is ever
reported to anybody else.
"""

import contextlib
import json
import os
import subprocess
import sys
import urllib.parse
import weakref
from typing import Any

from slipway_runtime.artifacts import addresses
from slipway_runtime.artifacts.deadline import Deadline, DeadlineExceededError
from slipway_runtime.failures import Reason, StartupError
from slipway_runtime.telemetry import redaction

_VARIABLE = "MLFLOW_TRACKING_URI"
_ALWAYS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",  # a redirect could lead to a metadata service
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
_UNLESS_SET = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND", "NOT_FOUND")
_FORBIDDEN = ("PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED")


class Client:
    """One conversation. Closed by its owner, or when nobody holds it any more."""

    def __init__(self, *, deadline: Deadline) -> None:
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], *, subject: str) -> Any:
        """The answer of mlflow_program. Raises StartupError about `subject`."""
        _check_tracking_uri()
        process = self._running()
        try:
            answer = json.loads(self._deadline.call(lambda: _exchange(process, request)))
        except DeadlineExceededError as error:
            self.close()
            what = "MLflow did not answer within SLIPWAY_DOWNLOAD_TIMEOUT_SECONDS"
            raise _failure(Reason.SOURCE_UNAVAILABLE, subject, what) from error
        except (OSError, ValueError) as error:
            self.close()
            what = "MLflow's client ended without an answer"
            raise _failure(Reason.SOURCE_UNAVAILABLE, subject, what) from error
        if "error" in answer:
            raise _refused(answer["error"], subject)
        return answer["result"]

    def close(self) -> None:
        """End the process; a later question starts another."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "slipway_runtime.artifacts.mlflow_program"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**_UNLESS_SET, **os.environ, **_ALWAYS},
            )
            weakref.finalize(self, _end, self._process)
        return self._process


def _exchange(process: subprocess.Popen[bytes], request: dict[str, Any]) -> bytes:
    if process.stdin is None or process.stdout is None:  # they are pipes, which its type does not say
        raise OSError
    process.stdin.write(f"{json.dumps(request)}\n".encode())
    process.stdin.flush()
    return process.stdout.readline()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Also when it was ended before."""
    process.kill()
    with contextlib.suppress(OSError):  # what it was told last was not read
        process.communicate()


def _check_tracking_uri() -> None:
    uri = os.environ.get(_VARIABLE, "")
    if urllib.parse.urlsplit(uri).scheme not in ("http", "https"):
        what = "it must be the address of an MLflow server, http:// or https://, for a models:/ URI"
        raise _failure(Reason.CONFIGURATION_INVALID, _VARIABLE, what)
    try:
        addresses.refuse_metadata(uri)
    except ValueError as error:
        raise _failure(Reason.CONFIGURATION_INVALID, _VARIABLE, str(error)) from error


def _refused(error: dict[str, Any], subject: str) -> StartupError:
    """MLflow says INVALID_PARAMETER_VALUE of an alias that does not exist."""
    # Before it is cut: of half a credential nobody could tell what it is.
    code, message = error["code"], " ".join(redaction.text(str(error["message"])).split())
    said = f"MLflow says: {message[:1000]}"
    if code in _MISSING or (code == "INVALID_PARAMETER_VALUE" and "not found" in message):
        return _failure(Reason.SOURCE_NOT_FOUND, subject, said)
    if code in _FORBIDDEN or error["status"] in (401, 403):
        return _failure(Reason.SOURCE_FORBIDDEN, subject, said)
    return _failure(Reason.SOURCE_UNAVAILABLE, subject, said)


def _failure(reason: Reason, subject: str, what: str) -> StartupError:
    return StartupError(reason, f"{subject}: {what}", subject=subject)
