"""The Slipway operator: rolls an InferenceModel from one version to the next without dropping a request."""

__version__ = "0.1.0"
