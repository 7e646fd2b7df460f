"""Shows snapshots while the story is played: live in a terminal, else as lines. Knows no step by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console, RenderableType
from rich.live import Live

from tests.demo import plain, view
from tests.demo.snapshot import Snapshot

Show = Callable[[], Snapshot]
REFRESH_SECONDS = 0.5


def screen(console: Console, show: Show) -> AbstractContextManager[None]:
    """The way of showing that this console can bear."""
    if console.is_terminal and not console.is_dumb_terminal:
        return _live(console, show)
    return _lines(console, show)


@contextmanager
def _live(console: Console, show: Show) -> Iterator[None]:
    """On the alternate screen; what was seen last stays behind on the ordinary one."""

    def picture() -> RenderableType:
        return view.render(show(), width=console.width, height=console.height)

    hertz = 1 / REFRESH_SECONDS
    try:
        with Live(get_renderable=picture, console=console, screen=True, refresh_per_second=hertz):
            yield
    finally:
        console.print(picture())


@contextmanager
def _lines(console: Console, show: Show) -> Iterator[None]:
    over = threading.Event()
    first = show()

    def work() -> None:
        before = first
        while True:
            last = over.wait(REFRESH_SECONDS)
            now = show()
            for line in plain.lines(before, now):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
            before = now
            if last:
                return

    thread = threading.Thread(target=work, name="lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
