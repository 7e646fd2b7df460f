"""Two honest versions of a small sentiment classifier, and their bundles (see README.md)."""

import os

# onnxruntime's wheels send telemetry unless told otherwise, before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
