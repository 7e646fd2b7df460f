"""The shell: events in, reconciles out. kopf is known here and nowhere else."""
