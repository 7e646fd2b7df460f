"""The promise about version 1 of the contract: how long it stays, and that its answers say so."""

import datetime
from email import utils

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_runtime.transport import deprecation
from tests.runtime.processes import RuntimeProcess

_DAYS = st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda day: day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=datetime.UTC)
)


def _months_between(earlier: datetime.datetime, later: datetime.datetime) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month


@given(_DAYS)
def test_it_stays_for_three_calendar_months_whatever_the_day_of_release(released: datetime.datetime) -> None:
    sunset = deprecation.sunset(released)

    assert _months_between(released, sunset) == 3
    last_of_its_month = (sunset + datetime.timedelta(days=1)).month != sunset.month
    assert sunset.day == released.day or (last_of_its_month and sunset.day < released.day)


@pytest.mark.parametrize("path", ["/v1/predict", "/predict"])
@pytest.mark.parametrize(("texts", "status"), [(["good"], 200), ([], 422)], ids=["an answer", "an error"])
def test_every_answer_of_version_1_says_until_when(
    runtime: RuntimeProcess, path: str, texts: list[str], status: int
) -> None:
    reply = httpx.post(f"{runtime.url}{path}", json={"texts": texts})

    assert reply.status_code == status
    deprecated = datetime.datetime.fromtimestamp(
        int(reply.headers["deprecation"].removeprefix("@")), datetime.UTC
    )
    sunset = utils.parsedate_to_datetime(reply.headers["sunset"])
    assert deprecated == deprecation.V2_RELEASED
    assert _months_between(deprecated, sunset) >= 3
    assert reply.headers["sunset"].endswith(" GMT")
    assert 'rel="deprecation"' in reply.headers["link"]
    assert '</v2/predict>; rel="successor-version"' in reply.headers["link"]


@pytest.mark.parametrize(
    "path", ["/v2", "/v2/models/model", "/v2/health/ready", "/v2/models/none", "/health", "/v2/predict"]
)
def test_no_other_route_is_called_deprecated(runtime: RuntimeProcess, path: str) -> None:
    headers = httpx.get(f"{runtime.url}{path}").headers

    assert not {"deprecation", "sunset", "link"} & headers.keys()


def test_the_page_marks_the_routes_of_version_1_alone(runtime: RuntimeProcess) -> None:
    paths = httpx.get(f"{runtime.url}/openapi.json").json()["paths"]

    deprecated = {path for path, entry in paths.items() if entry.get("post", {}).get("deprecated")}
    assert deprecated == {"/v1/predict", "/predict"}
