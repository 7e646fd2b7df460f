"""Pod templates by heart. One that changes here restarts no model, since a Deployment is made once; but it is
what new revisions will look like, and a person should have read it.

After a change on purpose: `python -m tests.rendering.test_templates` writes the files anew.
"""

import copy
import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway_operator.domain import revision
from slipway_operator.rendering import deployment
from tests.rendering import models

GOLDEN = Path(__file__).parent / "golden" / "templates"
AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
PLATFORM = deployment.Platform("registry.test/runtime:1", "http://s3.test:9000", "eu-central-1")


def _with(**values: Any) -> dict[str, Any]:
    return {**copy.deepcopy(models.LEAST), **values}


CORPUS: dict[str, dict[str, Any]] = {
    "least": models.LEAST,
    "everything": models.EVERYTHING,
    "own-requests": _with(resources={"requests": {"cpu": "2", "memory": "3Gi", "ephemeral-storage": "50Gi"}}),
    "memory-limit": _with(resources={"limits": {"memory": "128Mi"}}),
    "small-disk": _with(resources={"limits": {"ephemeral-storage": "2Gi"}}),
    "one-gpu": _with(resources={"limits": {"nvidia.com/gpu": 1}}),
    "own-spread": _with(
        topologySpreadConstraints=[
            {
                "maxSkew": 2,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ]
    ),
    "long-drain": _with(rollout={"drain": {"timeoutSeconds": 600}}),
}


def template(spec: dict[str, Any]) -> dict[str, Any]:
    made = deployment.of_revision(
        models.model(spec), revision=revision.revision_of(spec), replicas=2, at=AT, platform=PLATFORM
    )
    found: dict[str, Any] = made["spec"]["template"]
    return found


def _file(name: str) -> Path:
    return GOLDEN / f"{name}.yaml"


@pytest.mark.parametrize("name", CORPUS)
def test_a_template_is_the_one_that_was_read(name: str) -> None:
    assert template(CORPUS[name]) == yaml.safe_load(_file(name).read_text())


def test_every_golden_template_is_one_of_the_corpus() -> None:
    assert {file.stem for file in GOLDEN.glob("*.yaml")} == set(CORPUS)


def test_no_field_that_the_corpus_sets_is_left_out_of_the_template() -> None:
    names = {name for spec in CORPUS.values() for name in spec}
    assert names - {"replicas"} == {path[0] for path in revision.POD_SHAPING} - {"affinity"}


class Indented(yaml.SafeDumper):
    """Lists stand in from their names, as the linter wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        super().increase_indent(flow, indentless=False)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each, spec in CORPUS.items():
        _file(each).write_text(yaml.dump(template(spec), Dumper=Indented, sort_keys=False, width=110))
