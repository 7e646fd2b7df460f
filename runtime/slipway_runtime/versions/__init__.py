"""The versions of one process: which are wanted, how one is loaded beside the others, and how one goes.

Knows nothing of HTTP.
"""
