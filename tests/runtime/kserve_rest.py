"""Run by the python of the environment `kserve`: asks the runtime at argv[1] as KServe's own client does."""

import asyncio
import json
import sys
from typing import Any

import httpx
import kserve
import numpy as np
from kserve.inference_client import InferenceRESTClient, RESTConfig


def _request(name: str, *, binary: bool) -> Any:
    tensor = kserve.InferInput(name=name, shape=[2], datatype="BYTES")
    tensor.set_data_from_numpy(np.array([b"good", b"awful"], dtype=object), binary_data=binary)
    return kserve.InferRequest(model_name="model", infer_inputs=[tensor])


def _labels(response: Any) -> list[str]:
    labels = response.get_output_by_name("label").as_numpy()
    return [label if isinstance(label, str) else label.decode() for label in labels.tolist()]


async def _main(url: str) -> dict[str, Any]:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    found: dict[str, Any] = {
        "server live": await client.is_server_live(url),
        "server ready": await client.is_server_ready(url),
        "model ready": await client.is_model_ready(url, "model"),
        "JSON": _labels(await client.infer(url, _request("text", binary=False), model_name="model")),
        "binary": _labels(await client.infer(url, _request("text", binary=True), model_name="model")),
    }
    try:
        await client.infer(url, _request("none", binary=False), model_name="model")
    except httpx.HTTPStatusError as error:
        found["refused"] = f"{error.response.status_code} {error.response.json()['error']}"
    await client.close()
    return found


print(json.dumps(asyncio.run(_main(sys.argv[1]))))
