"""`make demo`, as a machine runs it: without a terminal, to its end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import paths
from tests.cluster.stack import Installed

pytestmark = pytest.mark.cluster

RESULT = paths.STATE / "demo.json"


def test_the_demo_ends_without_a_failed_request(stack: Installed, tmp_path: Path) -> None:
    RESULT.unlink(missing_ok=True)
    output = tmp_path / "demo.log"
    with output.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-m", "tests.demo"],
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=900,
            check=False,
        )
    said = output.read_text()
    assert done.returncode == 0, said
    result = json.loads(RESULT.read_text())
    assert result["requests"] >= 20_000
    assert result["failed"] == 0
    assert result["switches"] >= 2
    assert "\x1b[" not in said, "without a terminal there are no colours"
