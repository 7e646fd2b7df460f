"""Two honest versions of a small sentiment classifier, and their bundles (see README.md)."""
