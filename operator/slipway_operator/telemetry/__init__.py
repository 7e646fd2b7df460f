"""What the operator tells its own operators: logs and metrics. Must not know a rollout's rules."""
