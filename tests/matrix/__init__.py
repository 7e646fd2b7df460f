"""The case matrix: what may come to a rollout, each case with real pods, requests and its own verdict."""
