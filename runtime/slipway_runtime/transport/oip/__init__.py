"""The Open Inference Protocol, version 2: what REST and gRPC have in common, and its REST form.

The values, the checks and the one path from a request to its answer know neither of the two wires.
"""
