"""The cluster that tests and demo run on: found, started and taken down (`python -m tests.cluster`)."""
