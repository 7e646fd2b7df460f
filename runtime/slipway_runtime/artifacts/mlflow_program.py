"""A program that asks an MLflow server, with MLflow's own client, until nobody asks it any more.

In a process of its own, since the library configures itself through the environment, keeps threads and
global state, and can be stopped in no other way. A line of JSON in, a line out; whatever else the library
prints goes to standard error. The only module that knows the library.
"""

import ctypes
import json
import os
import pathlib
import resource
import signal
import sys
from collections.abc import Mapping
from typing import Any

_PR_SET_PDEATHSIG = 1
_SPARE_BYTES = 1 << 20


def main() -> None:
    """Answer each request with {"result": …} or {"error": {"code", "status", "message"}}."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # nobody waits for an orphan's answer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        answers.write(f"{json.dumps(_answer(json.loads(line)))}\n")
        answers.flush()
    os._exit(0)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    from mlflow.exceptions import MlflowException

    try:
        match request:
            case {"resolve": name, "version": version, "alias": alias}:
                return {"result": _resolve(name, version, alias)}
            case {"list": uri}:
                return {"result": _list(uri)}
            case {"download": uri, "name": name, "size": size, "directory": directory}:
                return {"result": _download(uri, name, size, pathlib.Path(directory))}
        return {"error": {"code": "", "status": 0, "message": f"an unknown request: {request!r}"}}
    except MlflowException as error:
        status = error.get_http_status_code()  # type: ignore[no-untyped-call]
        return {"error": {"code": error.error_code, "status": status, "message": error.message}}
    except Exception as error:  # what the library raises is not a closed list
        return {"error": {"code": "", "status": 0, "message": f"{type(error).__name__}: {error}"}}


def _resolve(name: str, version: str, alias: str) -> dict[str, str]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    found = version or str(client.get_model_version_by_alias(name, alias).version)
    return {"version": found, "uri": client.get_model_version_download_uri(name, found)}


def _list(uri: str) -> list[dict[str, Any]]:
    """Files of the folder itself; a folder in it ends with a slash."""
    from mlflow.store.artifact import artifact_repository_registry as registry

    entries = registry.get_artifact_repository(uri).list_artifacts()
    return [{"name": f"{e.path}/" if e.is_dir else e.path, "size": e.file_size or 0} for e in entries]


def _download(uri: str, name: str, size: int, directory: pathlib.Path) -> str:
    """A server that sends more than it listed fills no disk."""
    from mlflow.store.artifact import artifact_repository_registry as registry

    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + _SPARE_BYTES, most))
    artifacts: Any = registry.get_artifact_repository(uri)
    return str(artifacts.download_artifacts(name, str(directory)))


if __name__ == "__main__":
    main()
