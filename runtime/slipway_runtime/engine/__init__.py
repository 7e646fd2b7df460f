"""One model in memory: the onnxruntime session, its threads, its providers and its warm-up.

Knows nothing of queues or HTTP.
"""
