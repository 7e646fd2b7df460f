"""`python -m tests.demo [--record FILE]`: from nothing to a rollout under load that a person watches.

The exit status: 0 no request failed over two switches; 1 otherwise, explained; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from tests.cluster import paths
from tests.cluster.errors import ClusterError
from tests.cluster.existing import ExistingCluster
from tests.cluster.stack import Installed, Stack
from tests.demo import api, manifests, screens, shell, summary
from tests.demo.picture import Film
from tests.demo.play import LOAD_NAMESPACE, Player
from tests.demo.progress import Progress
from tests.demo.snapshot import Snapshot
from tests.demo.story import Step, story
from tests.demo.watching import Watcher
from tests.ledger.driver import Ledger
from tests.ledger.report import Report

FOLDER = paths.STATE / "demo"
RESULT = paths.STATE / "demo.json"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    try:
        return _demo(console, options.record)
    except ClusterError as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted: the clients are gone, the model and the cluster are left as they are.\n"
            "`make demo` begins anew, `make down` removes all of it.",
            file=sys.stderr,
        )
        return 130


def _demo(console: Console, record: Path | None) -> int:
    began = time.monotonic()
    RESULT.unlink(missing_ok=True)  # a result never outlives the run that it is taken for
    installed = Stack().ensure()
    steps = story(manifests.FIRST, manifests.SECOND)
    progress = Progress([step.title for step in steps])
    report = _play(console, installed, steps, progress, record)
    result = summary.document(report, progress.steps(), time.monotonic() - began)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    console.print(summary.render(report))
    setting_up = shell.setting_up(installed.kubectl.binary, installed.cluster.kubeconfig)
    print(f"\n{summary.suggestions(setting_up, description=installed.cluster.description)}")
    return 1 if summary.complaints(report) else 0


def _play(
    console: Console, installed: Installed, steps: Sequence[Step], progress: Progress, record: Path | None
) -> Report:
    with ExitStack() as stack:
        kubectl = stack.enter_context(api.quick(installed.kubectl))
        image = installed.references["ledger"]
        ledger = Ledger(kubectl, image=image, output=FOLDER / "ledger", namespace=LOAD_NAMESPACE)
        watcher = stack.enter_context(Watcher(kubectl.raw, ledger.counts))
        player = Player(
            kubectl=kubectl,
            ledger=ledger,
            watcher=watcher,
            progress=progress,
            files=manifests.write(FOLDER),
            may_delete_any=not isinstance(installed.cluster, ExistingCluster),
        )
        # However this ends, nobody goes on sending.
        stack.callback(player.remove_generators)
        film = Film(_camera(progress, watcher))
        stack.enter_context(screens.screen(console, film.show))
        report = player.play(steps)
        if record is not None:
            _save(film, record)
        return report


def _save(film: Film, file: Path) -> None:
    try:
        film.save(file)
    except OSError as error:
        raise ClusterError(f"The picture cannot be written to {file}: {error.strerror}.") from error


def _camera(progress: Progress, watcher: Watcher) -> Callable[[], Snapshot]:
    return lambda: Snapshot(progress.steps(), watcher.facts(), progress.seconds())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo", description="A rollout under load, to watch."
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="save its most telling moment as an SVG")
    return parser


if __name__ == "__main__":
    sys.exit(main())
