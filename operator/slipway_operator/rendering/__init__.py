"""The objects that Slipway creates, as dictionaries: a pure module per kind, which reads nothing."""
