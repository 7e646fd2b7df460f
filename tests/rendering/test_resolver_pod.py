"""The pod that finds out what a source leads to, by heart, and what of its answer the model's pods are told.

After a change on purpose: `python -m tests.rendering.test_resolver_pod` writes the files anew.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from slipway_operator.api import labels
from slipway_operator.domain import quantity, resolution, revision
from slipway_operator.rendering import deployment, identity, resolver, source
from tests.rendering import models, restricted
from tests.rendering.test_templates import AT, PLATFORM, Indented

GOLDEN = Path(__file__).parent / "golden" / "resolvers"
CORPUS: dict[str, dict[str, Any]] = {"least": models.LEAST, "everything": models.EVERYTHING}
DIGEST = "fedcba9876543210" * 4
FOUND = resolution.Resolved("s3://models/sentiment/2", DIGEST, etag="e1", version_id="v1")


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    return resolver.of_revision(
        models.model(spec), revision=revision.revision_of(spec), number=2, attempt=1, platform=PLATFORM
    )


def frozen(spec: dict[str, Any], found: resolution.Resolved | None) -> dict[str, Any]:
    return deployment.of_revision(
        models.model(spec),
        revision=revision.revision_of(spec),
        replicas=1,
        at=AT,
        platform=PLATFORM,
        found=found,
    )


def environment(made: dict[str, Any]) -> dict[str, Any]:
    container = made["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value") for each in container["env"]}


@pytest.mark.parametrize("name", CORPUS)
def test_it_is_the_one_that_was_read(name: str) -> None:
    assert pod(CORPUS[name]) == yaml.safe_load((GOLDEN / f"{name}.yaml").read_text())


@pytest.mark.parametrize("name", CORPUS)
def test_the_api_server_knows_it_and_the_strictest_namespace_admits_it(name: str) -> None:
    kubernetes_validate.validate(pod(CORPUS[name]), "1.35", strict=True)
    assert restricted.violations(pod(CORPUS[name])["spec"]) == []


def test_no_service_of_the_model_selects_it_and_nobody_counts_it() -> None:
    worn = pod(models.EVERYTHING)["metadata"]["labels"]
    assert not {labels.MODEL, labels.REVISION} & worn.keys()
    for selector in (identity.wide_selector("sentiment"), identity.selector("sentiment", "x")):
        assert not selector.items() <= worn.items()


def test_it_asks_for_no_device_and_for_little_else() -> None:
    amounts = pod(models.EVERYTHING)["spec"]["containers"][0]["resources"]
    assert not [name for each in amounts.values() for name in each if "/" in name]
    assert float(quantity.canonical(amounts["requests"]["memory"])) <= 256 * 1024**2


def test_a_quota_on_any_amount_and_a_bound_on_the_ratio_of_limits_to_requests_admit_it() -> None:
    amounts = pod(models.LEAST)["spec"]["containers"][0]["resources"]
    names = {"cpu", "memory", "ephemeral-storage"}
    assert (set(amounts["requests"]), set(amounts["limits"])) == (names, names)
    for name in names:
        asked, most = (float(quantity.canonical(amounts[kind][name])) for kind in ("requests", "limits"))
        assert 0 < asked <= most <= 4 * asked, name


# -- where it lands: it is the model's image, and the model's way to the storage --

GPU: dict[str, Any] = {"resources": {"limits": {"nvidia.com/gpu": 1}}}
ARM = {"kubernetes.io/arch": "arm64"}
DEDICATED = {"key": "dedicated", "operator": "Equal", "value": "models", "effect": "NoSchedule"}
GPUS_TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


def chosen(spec: dict[str, Any], **resolvers: Any) -> dict[str, Any]:
    """The pod where the administrator has set something."""
    made = resolver.of_revision(
        models.model({**models.LEAST, **spec}),
        revision="0123456789",
        number=1,
        attempt=1,
        platform=dataclasses.replace(PLATFORM, resolvers=deployment.Resolvers(**resolvers)),
    )
    kubernetes_validate.validate(made, "1.35", strict=True)
    return made


def test_it_lands_where_the_model_may_run() -> None:
    spec = pod(models.EVERYTHING)["spec"]
    model = frozen(models.EVERYTHING, FOUND)["spec"]["template"]["spec"]
    for field in ("nodeSelector", "tolerations", "priorityClassName"):
        assert spec[field] == model[field], field


def test_nothing_is_made_up_where_the_model_names_no_place() -> None:
    assert not {"nodeSelector", "tolerations", "priorityClassName"} & pod(models.LEAST)["spec"].keys()


def test_nodes_that_are_tainted_for_the_models_device_take_it_without_the_device() -> None:
    """Where a cluster lets pods tolerate the taint of the device that they ask for, no model names it."""
    for own, expected in (
        ([], [GPUS_TAINT]),
        ([DEDICATED], [DEDICATED, GPUS_TAINT]),
        ([GPUS_TAINT], [GPUS_TAINT]),
    ):
        assert chosen({**GPU, "tolerations": own})["spec"]["tolerations"] == expected


def test_the_administrator_may_send_it_elsewhere() -> None:
    asked = {**GPU, "nodeSelector": {"gpu": "yes"}, "tolerations": [DEDICATED], "priorityClassName": "models"}
    spec = chosen(asked, node_selector=ARM, tolerations=[GPUS_TAINT])["spec"]
    assert (spec["nodeSelector"], spec["tolerations"]) == (ARM, [GPUS_TAINT])
    assert spec["priorityClassName"] == "models"
    assert chosen(asked, node_selector=ARM)["spec"]["tolerations"] == [DEDICATED, GPUS_TAINT]
    assert chosen(asked, tolerations=[DEDICATED])["spec"]["nodeSelector"] == {"gpu": "yes"}


def test_the_administrators_amounts_replace_all_of_ours() -> None:
    amounts = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    assert chosen({}, resources=amounts)["spec"]["containers"][0]["resources"] == amounts


# -- what runs beside it --


def test_meshes_are_asked_to_put_nothing_beside_it() -> None:
    worn = pod(models.LEAST)["metadata"]
    assert worn["labels"]["sidecar.istio.io/inject"] == "false"
    assert worn["annotations"]["sidecar.istio.io/inject"] == "false"
    assert worn["annotations"]["linkerd.io/inject"] == "disabled"


def test_where_the_storage_is_reached_by_a_mesh_alone_they_may() -> None:
    worn = chosen({}, sidecars=True)["metadata"]
    assert not [name for name in {**worn["labels"], **worn["annotations"]} if "inject" in name]


def test_it_ends_for_good_and_in_any_case() -> None:
    spec = pod(models.LEAST)["spec"]
    assert spec["restartPolicy"] == "Never"
    assert 0 < spec["activeDeadlineSeconds"] <= 3600
    assert spec["automountServiceAccountToken"] is False


def test_each_try_has_a_name_of_its_own_that_fits() -> None:
    longest = identity.resolver_name("m" * 40, "0123456789", 99_999)
    assert len(longest) <= 253
    assert pod(models.LEAST)["metadata"]["name"].endswith("-resolver-2")


def test_pods_are_told_what_was_found_and_the_deployment_remembers_it() -> None:
    made = frozen(models.LEAST, FOUND)
    told = environment(made)
    assert (told["MODEL_URI"], told["SLIPWAY_BUNDLE_SHA256"]) == (FOUND.uri, DIGEST)
    note = made["metadata"]["annotations"][labels.RESOLVED_SOURCE]
    assert source.read(note) == FOUND
    assert labels.RESOLVED_SOURCE not in made["spec"]["template"]["metadata"].get("annotations", {})


def test_what_a_name_stood_for_takes_its_place() -> None:
    told = environment(frozen(models.LEAST, resolution.Resolved("s3://mlflow/1/artifacts", DIGEST)))
    assert told["MODEL_URI"] == "s3://mlflow/1/artifacts"


def test_a_source_that_cannot_be_pinned_keeps_the_users_pin() -> None:
    told = environment(frozen(models.EVERYTHING, resolution.Resolved("s3://models/sentiment/2")))
    assert told["SLIPWAY_BUNDLE_SHA256"] == models.EVERYTHING["source"]["sha256"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Traceback (most recent call last):",
        "[]",
        '"s3://models/1"',
        json.dumps({"digest": DIGEST}),
        json.dumps({"uri": "http://elsewhere/1"}),
        json.dumps({"uri": "s3://models/1\nX=1"}),
        json.dumps({"uri": 1}),
        json.dumps({"uri": "s3://models/1", "digest": "short"}),
        json.dumps({"uri": "s3://models/1", "digest": 7}),
        json.dumps({"uri": f"s3://{'m' * 2000}"}),
    ],
)
def test_words_that_are_no_answer_are_none(text: str) -> None:
    assert source.read(text) is None


def test_an_answer_may_know_little() -> None:
    assert source.read('{"uri": "models:/sentiment/3"}') == resolution.Resolved("models:/sentiment/3")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for each, spec in CORPUS.items():
        text = yaml.dump(pod(spec), Dumper=Indented, sort_keys=False, width=110)
        (GOLDEN / f"{each}.yaml").write_text(text)
