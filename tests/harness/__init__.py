"""Tests of the cluster harness itself."""
