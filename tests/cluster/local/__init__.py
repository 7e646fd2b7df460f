"""Local nodes: a real Kubernetes on one Linux machine, each node a network namespace, without Docker."""
