"""Thin asynchronous I/O with the API server: dictionaries in, dictionaries out. Decides nothing."""
