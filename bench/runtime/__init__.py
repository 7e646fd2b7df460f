"""The runtime against other inference servers, on this machine: `python -m bench.runtime`.

Every server serves the same model with the same code before and after it, alone on one core.
"""
