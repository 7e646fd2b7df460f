"""`make demo`: a rollout under load that a person watches."""
