"""The benchmark's own machinery."""
