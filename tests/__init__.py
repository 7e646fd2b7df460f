"""Everything that proves Slipway: harness, load, recorders and the test rings."""
