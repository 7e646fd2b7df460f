"""What the loader makes of a bundle before it serves."""

import asyncio
import pathlib
from collections.abc import Sequence

import pytest

from slipway_runtime import settings
from slipway_runtime.engine.model import Timing
from slipway_runtime.scheduling import costs
from slipway_runtime.scheduling.predictor import Predictor
from slipway_runtime.telemetry.metrics import Metrics
from slipway_runtime.versions import loading, wanted


def test_every_shape_of_the_warm_up_counts(
    bundle: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run of all has been left out where it is measured: a shape less would be lost for nothing."""
    fitted: list[tuple[int, int]] = []

    class Recorded(costs.Estimate):
        def __init__(self, warm_up: Sequence[Timing]) -> None:
            fitted.extend((timing.rows, timing.tokens) for timing in warm_up)
            super().__init__(warm_up)

    monkeypatch.setattr(costs, "Estimate", Recorded)
    monkeypatch.setenv("MODEL_URI", bundle.as_uri())
    monkeypatch.setenv("SLIPWAY_CACHE_DIR", str(tmp_path))

    async def load() -> None:
        configuration = settings.load()
        one = wanted.from_environment(configuration)
        assert one is not None
        loader = loading.Loader(configuration, Metrics(), Predictor)
        loaded = await loader.load(one, lambda _: None, beside=False)
        await loaded.predictor.close()

    asyncio.run(load())

    assert fitted[0] == (1, 4)
