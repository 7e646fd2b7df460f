"""The one error that the harness expects: its text is a sentence for the person at the terminal."""


class ClusterError(RuntimeError):
    """Something that can go wrong did; the text says what, to which object, and what to do."""
