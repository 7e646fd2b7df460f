"""What runs when: the queue of rows, the batches cut from it, and the models that are served.

Knows nothing of HTTP.
"""
