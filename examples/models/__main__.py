"""`python -m examples.models --output DIR`: build both versions of the sentiment example."""

import argparse
import os
from pathlib import Path


def main() -> None:
    """Build the bundles, or show the cross-validation by which their shapes were chosen."""
    options = _options()
    # One thread, set before numpy loads: the same weights whatever the number of cores.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from rich.console import Console

    from examples.models import release

    console = Console()
    if options.cross_validate:
        release.cross_validation(console)
    else:
        release.report(release.build(options.output), console)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.models", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--output", type=Path, metavar="DIR", help="where sentiment/1 and sentiment/2 go")
    choice.add_argument("--cross-validate", action="store_true", help="judge the shapes, write nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
