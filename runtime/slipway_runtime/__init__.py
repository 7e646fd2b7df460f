"""The Slipway runtime: serves one model bundle over HTTP, and proves itself before it says it is ready."""

__version__ = "0.1.0"
