"""Which versions the catalog knows of, and until when it looks at their runs."""

import asyncio
from typing import cast

import pytest

from slipway_runtime.scheduling.catalog import Catalog, Entry, State
from slipway_runtime.scheduling.predictor import Predictor


class _Late:
    """A version whose run is as late as it says."""

    def __init__(self, overdue: float) -> None:
        self._overdue = overdue

    def overdue(self, _now: float) -> float:
        return self._overdue


def _predictor(overdue: float) -> Predictor:
    return cast("Predictor", _Late(overdue))


def _entry(version: str) -> Entry:
    return Entry(name="model", version=version, state=State.LOADING)


@pytest.mark.parametrize("successor", ["1", "2"], ids=["of the same version", "of another version"])
def test_a_run_of_a_version_on_its_way_out_is_late_until_it_has_gone(successor: str) -> None:
    async def run() -> None:
        catalog = Catalog("model")
        stuck = catalog.serve(_predictor(1.5), _entry("1"))
        lease = catalog.lease()
        lease.__enter__()
        catalog.prefer(catalog.serve(_predictor(0.2), _entry(successor)))
        going = asyncio.create_task(catalog.retire(stuck))
        await asyncio.sleep(0)
        assert (catalog.latest(), catalog.overdue(0.0)) == (successor, 1.5)

        lease.__exit__(None, None, None)
        await going
        assert catalog.overdue(0.0) == 0.2

    asyncio.run(run())


def test_where_nothing_is_served_nothing_is_late() -> None:
    assert Catalog("model").overdue(0.0) == 0.0
