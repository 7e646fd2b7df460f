"""The load generator that runs in a pod. Its image holds this package and httpx: it imports nothing else."""
