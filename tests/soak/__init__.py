"""The long run: versions come and go under load, and the operator dies on the way."""
