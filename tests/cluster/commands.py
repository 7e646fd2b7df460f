"""Runs other programs and turns their failure into a sentence.

Must not know what they are for.
"""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.errors import ClusterError

TAIL_LINES = 12


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout: float = 120,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a program that must succeed; ClusterError with its last words when it does not."""
    done = attempt(argv, stdin=stdin, timeout=timeout, cwd=cwd, env=env)
    if done.returncode != 0:
        raise ClusterError(
            f"`{display(argv)}` failed ({done.returncode}):\n{tail(done.stderr or done.stdout)}"
        )
    return done.stdout


def attempt(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout: float = 120,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """The finished program, whatever its exit status; ClusterError only when it is missing or too slow."""
    try:
        return subprocess.run(
            [str(word) for word in argv],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            cwd=cwd,
            env=env,
        )
    except FileNotFoundError as missing:
        raise ClusterError(f"`{argv[0]}` is not installed on this machine.") from missing
    except subprocess.TimeoutExpired as late:
        raise ClusterError(f"`{display(argv)}` had not ended after {timeout:g} s.") from late


def display(argv: Sequence[str | Path]) -> str:
    """The command as a person would type it, shortened where it is very long."""
    line = shlex.join(str(word) for word in argv)
    return line if len(line) <= 300 else f"{line[:300]} …"


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of an output, indented, for the end of an error."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-lines:])
