"""Ring 1: the planner, as tables of sentences and as a state machine in a cluster in miniature."""
