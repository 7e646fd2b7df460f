"""Operators as processes of this machine, each with ports of its own.

Must not know what they should do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cluster import paths
from tests.recorder_tests.control_plane import free_port

PATIENCE = 240.0  # of a machine that does much else


class OperatorProcess:
    """One `slipway-operator`."""

    def __init__(self, name: str, kubeconfig: Path, folder: Path, settings: dict[str, str]) -> None:
        self.name = name
        self._health, self._metrics = free_port(), free_port()
        self.log = folder / f"{name}.log"
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "SLIPWAY_RUNTIME_IMAGE": "runtime:1",
            "SLIPWAY_POD_NAME": name,
            "SLIPWAY_HEALTH_PORT": str(self._health),
            "SLIPWAY_METRICS_PORT": str(self._metrics),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "slipway_operator"],
                cwd=paths.ROOT,
                env=os.environ | environment | settings,
                stdout=log,
                stderr=log,
            )

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Waits for its end; the exit code."""
        return self.process.wait(PATIENCE)

    def probe(self, path: str) -> tuple[int, str]:
        """Status and words; (0, why) without an answer."""
        return _get(f"http://127.0.0.1:{self._health}{path}")

    def leads(self) -> bool:
        return self.probe("/readyz")[1].startswith("leading")

    def stands_by(self) -> bool:
        return self.probe("/readyz")[1].startswith("standing by")

    def metrics(self) -> dict[str, float]:
        """By name with labels, as they are shown."""
        status, text = _get(f"http://127.0.0.1:{self._metrics}/metrics")
        assert status == 200, text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def words(self) -> str:
        return self.log.read_text()


@contextlib.contextmanager
def started(name: str, kubeconfig: Path, folder: Path, **settings: str) -> Iterator[OperatorProcess]:
    """`settings` without their prefix. Whatever becomes of it, it has ended after the block."""
    operator = OperatorProcess(
        name, kubeconfig, folder, {f"SLIPWAY_{key.upper()}": value for key, value in settings.items()}
    )
    try:
        yield operator
    finally:
        if operator.process.poll() is None:
            operator.send(signal.SIGKILL)
            operator.process.wait()


def until(condition: Callable[[], bool], what: str, *operators: OperatorProcess) -> None:
    """Waits for it as long as the operators live; what they said comes with the failure."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        ended = [each.name for each in operators if each.process.poll() is not None]
        if ended or time.monotonic() > deadline:
            said = "\n".join(f"--- {each.name}\n{each.words()[-3000:]}" for each in operators)
            raise AssertionError(f"it has not come to this: {what} (ended: {ended})\n{said}")
        time.sleep(0.3)


def _get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - of loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)
