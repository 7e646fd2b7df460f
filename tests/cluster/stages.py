"""Says what the harness is doing and how long it took, and keeps a log of it.

A live line a stage in a terminal, plain lines elsewhere. The log (.cluster/stages.jsonl, one object a line:
name, kind, seconds, at, failed) lets a test show that a second run built nothing. Knows no stage's content.
"""

import datetime
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import markup
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from tests.cluster import paths

LOG = paths.STATE / "stages.jsonl"
EVERY = 60.0
"""Seconds between two lines about how far a stage is, where there is no terminal."""

Tell = Callable[[str], None]


@contextmanager
def stage(name: str, *, kind: str = "run", log: Path | None = None) -> Iterator[Tell]:
    """One step that a person waits for. `kind` is "build" for what a second run must not repeat.

    What the body is given says how far it is; it may be called as often as one likes.
    """
    began, failed = time.monotonic(), True
    _display.began(name)
    try:
        yield lambda words: _display.told(name, words)
        failed = False
    finally:
        seconds = time.monotonic() - began
        _display.ended(name, seconds, failed=failed)
        _append(log or LOG, name=name, kind=kind, seconds=seconds, failed=failed)


def say(text: str) -> None:
    """A line between stages, which does not tear a live one."""
    _display.print(text)


def _append(log: Path, *, name: str, kind: str, seconds: float, failed: bool) -> None:
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    entry = {"name": name, "kind": kind, "seconds": round(seconds, 3), "at": at, "failed": failed}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as lines:
        lines.write(json.dumps(entry) + "\n")


class _Display:
    """All stages of this process: they nest and run in threads, the terminal has only one live region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._running: list[tuple[str, TaskID]] = []
        self._told = 0.0  # when a line last said how far a stage is

    def began(self, name: str) -> None:
        with self._lock:
            if not _console().is_terminal:
                _plain(f"… {name}")
                return
            if self._progress is None:
                self._progress = _spinners()
                self._progress.start()
            self._running.append((name, self._progress.add_task(markup.escape(name))))

    def told(self, name: str, words: str) -> None:
        with self._lock:
            if self._progress is not None:
                for task in [task for running, task in self._running if running == name][:1]:
                    self._progress.update(task, description=markup.escape(f"{name}: {words}"))
            elif time.monotonic() - self._told >= EVERY:
                self._told = time.monotonic()
                _plain(f"  {name}: {words}")

    def ended(self, name: str, seconds: float, *, failed: bool) -> None:
        with self._lock:
            self._remove(name)
            mark, colour = ("✗", "red") if failed else ("✓", "green")
            text = f"{name} {seconds:.1f} s"
            self._line(f"[{colour}]{mark}[/] {markup.escape(text)}", plain=f"{mark} {text}")

    def print(self, text: str) -> None:
        with self._lock:
            self._line(markup.escape(text), plain=text)

    def _remove(self, name: str) -> None:
        if self._progress is None:
            return
        for entry in [entry for entry in self._running if entry[0] == name][:1]:
            self._running.remove(entry)
            self._progress.remove_task(entry[1])
            self._progress.refresh()
        if not self._running:
            self._progress.stop()
            self._progress = None

    def _line(self, rich: str, *, plain: str) -> None:
        if self._progress is not None:
            self._progress.console.print(rich, highlight=False)
        elif _console().is_terminal:
            _console().print(rich, highlight=False)
        else:
            _plain(plain)


def _spinners() -> Progress:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return Progress(*columns, console=_console(), transient=True)


def _console() -> Console:
    # Made anew, since pytest replaces the streams of a process again and again.
    return Console(stderr=True)


def _plain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


_display = _Display()
