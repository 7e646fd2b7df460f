"""The other servers: each with its own lock file, all with the one classifier that lies here."""
