"""What the outside gets to know: metrics, logs and the termination message."""
