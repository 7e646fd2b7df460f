"""The ledger's own tests: real sockets on loopback, and tables for what is pure."""
