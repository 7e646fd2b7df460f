"""One model in memory: the onnxruntime session, its threads, its providers and its warm-up.

Knows nothing of queues or HTTP.
"""

import os

# onnxruntime's wheels send telemetry unless told otherwise, before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
