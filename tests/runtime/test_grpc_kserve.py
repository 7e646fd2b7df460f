"""KServe's own gRPC client against the gRPC port, in an environment of its own."""

import json
import os
import pathlib
import subprocess
from typing import Any

import pytest

from tests.runtime import bundles, environments
from tests.runtime.processes import RuntimeProcess

PROGRAM = """
import asyncio, json, sys
import numpy as np
from kserve import InferInput, InferRequest, InferenceGRPCClient

async def ask(address):
    client = InferenceGRPCClient(address, retries=0)
    answers = {}
    for form in ("typed", "raw"):
        text = InferInput("text", [2], "BYTES")
        text.set_data_from_numpy(np.array([b"good", b"bad"], dtype=np.object_), binary_data=form == "raw")
        request = InferRequest("model", [text], request_id=f"id-{form}")
        assert bool(request.to_grpc().raw_input_contents) == (form == "raw")
        response = await client.infer(request)
        label, score, scores = (output.as_numpy() for output in response.outputs)
        answers[form] = {
            "id": response.id, "version": response.model_version,
            "labels": [str(one) if isinstance(one, str) else one.decode() for one in label.tolist()],
            "scores": score.tolist(), "shape": list(scores.shape),
        }
    answers["live"] = await client.is_server_live()
    answers["ready"] = await client.is_server_ready()
    answers["model"] = await client.is_model_ready("model")
    try:
        await client.infer(InferRequest("nothing", [text]))
    except Exception as error:
        answers["error"] = f"{type(error).__name__} {error}"
    await client.close()
    return answers

print(json.dumps(asyncio.run(ask(sys.argv[1]))))
"""


@pytest.fixture(scope="module")
def kserve() -> pathlib.Path:
    """Its interpreter. In CI its absence is a failure, elsewhere a skip."""
    try:
        return environments.environment("kserve")
    except subprocess.CalledProcessError as error:
        if os.environ.get("CI"):
            pytest.fail(
                f"KServe could not be installed, and its test must not be skipped in CI: {error.stderr}"
            )
        pytest.skip("KServe could not be installed here")


def test_kserves_client_gets_the_same_answers_typed_and_raw(
    kserve: pathlib.Path, runtime: RuntimeProcess
) -> None:
    done = subprocess.run(
        [kserve, "-c", PROGRAM, runtime.grpc_address],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])

    for form in ("typed", "raw"):
        assert answers[form] | {"scores": None} == {
            "id": f"id-{form}",
            "version": "1",
            "labels": ["positive", "negative"],
            "scores": None,
            "shape": [2, 2],
        }
        assert answers[form]["scores"] == pytest.approx(
            [bundles.score("good"), bundles.score("bad")], abs=1e-4
        )
    assert (answers["live"], answers["ready"], answers["model"]) == (True, True, True)
    assert "model 'nothing' is not served here" in answers["error"]
