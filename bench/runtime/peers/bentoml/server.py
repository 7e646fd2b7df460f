"""Starts BentoML's own server with the service beside this file."""

import os
import sys
from pathlib import Path

from bentoml_cli.cli import cli

if __name__ == "__main__":
    here = str(Path(__file__).parent)
    sys.argv = [
        *("bentoml", "serve", "service:TextClassification", "--working-dir", here),
        *("--host", "127.0.0.1", "--port", os.environ["BENCH_PORT"]),
    ]
    cli()
