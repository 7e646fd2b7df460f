"""MLServer over a folder with one model, written here from the environment.

parallel_workers is 0: the default of 1 cannot start with the uvloop that pip installs beside it.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from mlserver.cli import main

MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", "0"))
MAX_WAIT = float(os.environ.get("BENCH_MAX_WAIT_MS", "0")) / 1000


def write(folder: Path) -> None:
    """settings.json and model-settings.json, as MLServer wants them."""
    port = int(os.environ["BENCH_PORT"])
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_port": port + 2,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {"name": "classifier", "implementation": "model.TextClassification"}
    if MAX_BATCH:
        model |= {"max_batch_size": MAX_BATCH, "max_batch_time": MAX_WAIT}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        write(Path(name))
        sys.path.insert(0, str(Path(__file__).parent))
        sys.argv = ["mlserver", "start", name]
        main()
