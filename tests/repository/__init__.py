"""Rules about the tree itself, where breaking one would pass every other test."""
