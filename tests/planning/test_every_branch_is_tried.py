"""The tables alone, without any luck of hypothesis, try every branch of the planner and of the domain."""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BY_CHANCE = {"any_observation", "state_machine", "mutants", "interrupted_rollouts", "every_branch_is_tried"}


def test_every_branch_is_tried(tmp_path: pathlib.Path) -> None:
    tables = [str(p) for p in sorted(HERE.glob("test_*.py")) if p.stem.removeprefix("test_") not in BY_CHANCE]
    data = f"--data-file={tmp_path / 'coverage'}"
    source = "--source=slipway_operator.planning,slipway_operator.domain"
    _coverage("run", "--branch", source, data, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tables)
    _coverage("report", "--fail-under=100", "--show-missing", "--skip-covered", data)


def _coverage(*arguments: str) -> None:
    """Raises AssertionError with what was printed: the report names the lines that are not reached."""
    command = [sys.executable, "-m", "coverage", *arguments]
    done = subprocess.run(
        command, cwd=HERE.parents[1], env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
