"""One rollout under observation: what a test does to a model, and the evidence of what came of it."""
