"""The recorder's own tests: every check is shown to hold and to fail."""
