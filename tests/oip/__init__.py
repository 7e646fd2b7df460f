"""Triton's own example clients, unmodified, run against one runtime: `python -m tests.oip FOLDER`.

The examples are no part of this repository. FOLDER is src/python/examples of a checkout of
triton-inference-server/client.
"""
