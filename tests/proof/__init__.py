"""What takes too long for `make test` and is no case of `make matrix`: entries of an hour or more."""
