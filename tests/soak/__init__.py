"""Many requests over many switches, with an operator that dies on the way: `make soak`."""
