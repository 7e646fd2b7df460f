"""Ring 6: the runtime as a real process on real sockets, against real storage."""
