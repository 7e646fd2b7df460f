"""The Open Inference Protocol over gRPC, on a port of its own, with health checks and reflection."""
