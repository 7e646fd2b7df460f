"""Tests of the operator's shell that need no cluster: reading objects, queueing keys."""
