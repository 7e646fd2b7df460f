"""How many examples are tried: few and always the same in `make test`, many with SLIPWAY_HYPOTHESIS=long."""

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "quick",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    stateful_step_count=40,
    suppress_health_check=_SLOW,
)
settings.register_profile(
    "long",
    database=None,
    deadline=None,
    max_examples=5000,
    stateful_step_count=60,
    suppress_health_check=_SLOW,
    print_blob=True,
)
settings.load_profile(os.environ.get("SLIPWAY_HYPOTHESIS", "quick"))
