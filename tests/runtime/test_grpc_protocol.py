"""The protocol's names and numbers, compared with those that stock stubs have.

Each set of messages is looked at by a process of its own: both call themselves `inference`.
"""

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from tests.runtime.processes import ROOT

GENERATED = pathlib.Path("slipway_runtime/transport/grpc")

IMPORT = "import pathlib, sys; from slipway_runtime.transport.grpc import generate"

DESCRIBE = """
import importlib, json, sys

def messages(found):
    for message in found:
        if not message.GetOptions().map_entry:
            yield message
            yield from messages(message.nested_types)

def kind(field):
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return [kind(one) for one in field.message_type.fields]
    target = field.message_type or field.enum_type
    return target.full_name if target is not None else field.type

described = {"fields": {}, "enums": {}, "methods": {}}
for name in sys.argv[1:]:
    file = importlib.import_module(name).DESCRIPTOR
    found = list(messages(file.message_types_by_name.values()))
    for message in found:
        for field in message.fields:
            oneof = field.containing_oneof.name if field.containing_oneof else ""
            place = f"{message.full_name}.{field.name}"
            described["fields"][place] = [field.number, kind(field), field.is_repeated, oneof]
    enums = [*file.enum_types_by_name.values(), *(enum for one in found for enum in one.enum_types)]
    for enum in enums:
        for value in enum.values:
            described["enums"][f"{enum.full_name}.{value.name}"] = value.number
    for service in file.services_by_name.values():
        for method in service.methods:
            described["methods"][method.full_name] = [
                method.input_type.full_name, method.output_type.full_name,
                method.client_streaming, method.server_streaming,
            ]
print(json.dumps(described))
"""


def _run(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT / "runtime")},
    ).stdout


def _describe(*modules: str) -> dict[str, dict[str, Any]]:
    described: dict[str, dict[str, Any]] = json.loads(_run("-c", DESCRIBE, *modules))
    return described


@pytest.fixture(scope="module")
def ours() -> dict[str, dict[str, Any]]:
    return _describe("slipway_runtime.transport.grpc.open_inference_pb2")


@pytest.fixture(scope="module")
def theirs() -> dict[str, dict[str, Any]]:
    return _describe("tritonclient.grpc.service_pb2", "tritonclient.grpc.model_config_pb2")


@pytest.mark.parametrize("part", ["fields", "enums", "methods"])
def test_all_that_we_have_is_what_stock_stubs_have(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]], part: str
) -> None:
    assert len(ours[part]) > 5
    assert ours[part] == {name: theirs[part].get(name) for name in ours[part]}


def test_every_field_of_an_inference_is_there(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]]
) -> None:
    messages = (
        "Infer",
        "Tensor",
        "ModelInfer",
        "ModelMetadata",
        "ServerMetadata",
        "ModelReady",
        "ServerReady",
    )
    wanted = {name for name in theirs["fields"] if name.removeprefix("inference.").startswith(messages)} - {
        name for name in theirs["fields"] if name.startswith("inference.InferResponseStatistics")
    }

    assert wanted <= ours["fields"].keys()


def test_the_committed_modules_are_what_the_protocol_generates(tmp_path: pathlib.Path) -> None:
    program = f"{IMPORT}; generate.write(pathlib.Path(sys.argv[1]))"
    _run("-c", program, str(tmp_path))

    made = sorted((tmp_path / GENERATED).iterdir())
    assert [path.name for path in made] == ["open_inference_pb2.py", "open_inference_pb2.pyi"]
    for path in made:
        committed = ROOT / "runtime" / GENERATED / path.name
        assert path.read_text() == committed.read_text(), (
            "run python -m slipway_runtime.transport.grpc.generate"
        )
