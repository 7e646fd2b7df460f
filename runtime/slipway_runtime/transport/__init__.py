"""HTTP: routes, bodies, errors, connections and their end.

Knows nothing of onnxruntime or S3.
"""
