"""What users and the operator have agreed on: the operator's view of the CRD, labels and reasons.

The lowest layer. It knows no client, no framework and nothing of how a rollout is decided.
"""
