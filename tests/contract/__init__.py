"""The CRD and the operator's view of it are one contract; these tests hold them together."""
