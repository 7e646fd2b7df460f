"""`slipway-operator`, also `python -m slipway_operator`."""

from __future__ import annotations

import sys

import pydantic

from slipway_operator import settings
from slipway_operator.controller import wiring
from slipway_operator.telemetry import logs


def main() -> None:
    """Ends with a sentence when the environment makes no sense."""
    try:
        chosen = settings.Settings()
    except pydantic.ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"])
            print(f"slipway-operator: SLIPWAY_{name.upper()}: {problem['msg']}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    logs.configure(level=chosen.log_level, style=chosen.log_format)
    wiring.run(chosen)


if __name__ == "__main__":
    main()
