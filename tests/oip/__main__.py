"""Runs the examples and prints which of them end well. Exit code 0 when all do that are run."""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.oip import models
from tests.oip.examples import EXAMPLES, GRPC, HTTP, Example
from tests.runtime import processes
from tests.runtime.processes import RuntimeProcess

# What the examples take for granted; some cannot be told otherwise.
_PORTS = {"SLIPWAY_HTTP_PORT": "8000", "SLIPWAY_GRPC_PORT": "8001"}
_PATIENCE = 120.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oip", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="src/python/examples of Triton's client repository")
    folder = parser.parse_args().folder
    with _serving() as process:
        ended = [_report(example, _run(folder / example.script, example, process)) for example in EXAMPLES]
    for script in sorted({path.name for path in folder.glob("*.py")} - {one.script for one in EXAMPLES}):
        print(f"unknown   {script}")
    return 0 if all(ended) else 1


@contextlib.contextmanager
def _serving() -> Iterator[RuntimeProcess]:
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        file = models.write(directory)
        environment = {"SLIPWAY_MODELS_FILE": str(file), "MODEL_NAME": "simple", **_PORTS}
        with processes.starting(directory / "process", **environment) as process:
            process.wait_until_ready()
            yield process


def _run(script: pathlib.Path, example: Example, process: RuntimeProcess) -> str:
    """What went wrong; "" when it ended well."""
    if example.needs:
        return ""
    addresses = {HTTP: f"127.0.0.1:{process.port}", GRPC: process.grpc_address}
    arguments = [addresses.get(argument, argument) for argument in example.arguments]
    try:
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end in {_PATIENCE:.0f} s"
    said = (done.stdout + done.stderr).strip().splitlines() or [""]
    says_pass = "PASS" in done.stdout or "PASS" not in script.read_text() or bool(example.but)
    return "" if done.returncode == 0 and says_pass else f"exit code {done.returncode}: {said[-1][:200]}"


def _report(example: Example, failure: str) -> bool:
    word = "not run " if example.needs else ("FAILED  " if failure else "passed  ")
    reason = f"it needs {example.needs}" if example.needs else failure or example.but
    print(f"{word}  {example}" + (f": {reason}" if reason else ""), flush=True)
    return not failure


if __name__ == "__main__":
    sys.exit(main())
