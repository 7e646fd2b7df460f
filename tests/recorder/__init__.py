"""What the API server really held during a test, written down, and the promises checked against it."""
