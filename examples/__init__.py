"""Things to serve with Slipway, built from what lies in this repository."""
