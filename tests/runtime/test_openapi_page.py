"""The OpenAPI page: every route is on it, and what it promises is kept by a real process."""

import pathlib
import subprocess
import sys

import httpx
import pytest

from tests.runtime.processes import RuntimeProcess

_CONFIG = pathlib.Path(__file__).parent / "schemathesis.toml"

ROUTES = {
    "/health": "get",
    "/metrics": "get",
    "/predict": "post",
    "/v1/predict": "post",
    "/v2/predict": "post",
    "/v2": "get",
    "/v2/health/live": "get",
    "/v2/health/ready": "get",
    "/v2/models/{model}": "get",
    "/v2/models/{model}/ready": "get",
    "/v2/models/{model}/config": "get",
    "/v2/models/{model}/stats": "get",
    "/v2/models/{model}/infer": "post",
    "/v2/models/{model}/versions/{version}": "get",
    "/v2/models/{model}/versions/{version}/ready": "get",
    "/v2/models/{model}/versions/{version}/config": "get",
    "/v2/models/{model}/versions/{version}/stats": "get",
    "/v2/models/{model}/versions/{version}/infer": "post",
    "/v2/models/stats": "get",
    "/v2/repository/index": "post",
}


def test_every_route_is_on_the_page(runtime: RuntimeProcess) -> None:
    paths = httpx.get(f"{runtime.url}/openapi.json").json()["paths"]

    assert {path: next(iter(entry)) for path, entry in paths.items()} == ROUTES


@pytest.mark.parametrize("model", ["PredictRequest", "PredictRequestV2"])
def test_the_page_says_how_many_texts_a_request_may_have_here(runtime: RuntimeProcess, model: str) -> None:
    schema = httpx.get(f"{runtime.url}/openapi.json").json()["components"]["schemas"][model]

    assert (schema["properties"]["texts"]["minItems"], schema["properties"]["texts"]["maxItems"]) == (1, 100)


def test_a_generator_of_requests_finds_nothing_that_the_page_does_not_promise(
    runtime: RuntimeProcess, tmp_path: pathlib.Path
) -> None:
    program = str(pathlib.Path(sys.executable).parent / "schemathesis")
    options = ("--seed=1", "--max-examples=20", "--generation-database=none", "--no-color")
    phases = "--phases=examples,coverage,fuzzing"
    ran = subprocess.run(
        [program, "--config-file", str(_CONFIG), "run", f"{runtime.url}/openapi.json", phases, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert runtime.predict("good").status_code == 200
