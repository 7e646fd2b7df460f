"""What the operator creates: objects that the API server knows, pods that the strictest namespace admits."""

import dataclasses
import datetime
import json
from typing import Any

import kubernetes_validate
import pytest

from slipway_operator.domain import revision
from slipway_operator.rendering import deployment, identity, service, trust
from tests.rendering import models, restricted

AT = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
PLATFORM = deployment.Platform("registry.test/runtime:1", "http://s3.test:9000", "eu-central-1")
SPECS = {"the least": models.LEAST, "everything": models.EVERYTHING}


def rendered(spec: dict[str, Any], *, replicas: int = 2) -> dict[str, Any]:
    return deployment.of_revision(
        models.model(spec), revision=revision.revision_of(spec), replicas=replicas, at=AT, platform=PLATFORM
    )


def pod(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rendered(spec)["spec"]["template"]["spec"]
    return found


def environment(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        entry["name"]: entry.get("value", entry.get("valueFrom"))
        for entry in pod(spec)["containers"][0]["env"]
    }


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_every_child_is_what_the_api_server_knows(spec: dict[str, Any]) -> None:
    model, name = models.model(spec), revision.revision_of(spec)
    children = [
        rendered(spec),
        service.stable(model, revision=name),
        service.of_revision(model, revision=name, version=model.spec.version, deployment_uid="uid"),
    ]
    for child in children:
        kubernetes_validate.validate(child, "1.35", strict=True)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_a_pod_passes_the_restricted_pod_security_standard(spec: dict[str, Any]) -> None:
    assert restricted.violations(pod(spec)) == []


def test_the_restricted_standard_is_one_that_a_pod_can_fail() -> None:
    loose = pod(models.LEAST) | {"hostNetwork": True, "securityContext": {}}
    loose["containers"] = [loose["containers"][0] | {"securityContext": {}}]
    assert len(restricted.violations(loose)) == 6


def test_a_pod_has_no_token_and_no_variables_of_neighbouring_services() -> None:
    assert pod(models.LEAST)["automountServiceAccountToken"] is False
    assert pod(models.LEAST)["enableServiceLinks"] is False


def test_a_pod_may_drain_for_as_long_as_it_was_told_and_end_after_that() -> None:
    assert pod(models.EVERYTHING)["terminationGracePeriodSeconds"] == 20 + 30
    assert environment(models.EVERYTHING)["SLIPWAY_DRAIN_TIMEOUT_SECONDS"] == "20"
    assert pod(models.LEAST)["terminationGracePeriodSeconds"] == 60 + 30


def test_a_pod_that_is_told_to_end_before_it_can_listen_ends_all_the_same() -> None:
    assert pod(models.LEAST)["shareProcessNamespace"] is True


def test_what_the_user_left_unset_is_left_to_the_runtime() -> None:
    names = set(environment(models.LEAST))
    assert "SLIPWAY_MAX_BATCH_SIZE" not in names
    assert "SLIPWAY_BUNDLE_SHA256" not in names
    assert "AWS_ACCESS_KEY_ID" not in names


def test_everything_that_was_asked_for_reaches_the_container() -> None:
    found = environment(models.EVERYTHING)
    expected = {
        "MODEL_NAME": "sentiment",
        "MODEL_VERSION": "2.1",
        "MODEL_URI": "s3://models/sentiment/2",
        "SLIPWAY_BUNDLE_SHA256": "0123456789abcdef" * 4,
        "SLIPWAY_EXECUTION_PROVIDER": "cuda",
        "SLIPWAY_MAX_BATCH_SIZE": "16",
        "SLIPWAY_MAX_WAIT_MILLISECONDS": "5",
        "SLIPWAY_MAX_TEXTS_PER_REQUEST": "10",
        "AWS_ENDPOINT_URL": "http://s3.test:9000",
        "AWS_REGION": "eu-central-1",
    }
    assert {name: found[name] for name in expected} == expected
    assert json.loads(found["SLIPWAY_VERIFICATION_EXAMPLES"]) == [
        {"text": "fine", "label": "positive", "minScore": 0.7}
    ]


def test_a_secret_reaches_the_pod_key_by_key_and_only_the_session_token_may_be_missing() -> None:
    found = environment(models.EVERYTHING)
    for key, optional in (
        ("AWS_ACCESS_KEY_ID", None),
        ("AWS_SECRET_ACCESS_KEY", None),
        ("AWS_SESSION_TOKEN", True),
    ):
        assert found[key]["secretKeyRef"]["name"] == "s3-models"
        assert found[key]["secretKeyRef"].get("optional") is optional


def test_the_image_is_the_users_where_he_names_one_and_the_administrators_otherwise() -> None:
    assert pod(models.EVERYTHING)["containers"][0]["image"] == "registry.test/runtime:gpu"
    assert pod(models.LEAST)["containers"][0]["image"] == "registry.test/runtime:1"


def test_further_labels_are_on_a_child_and_its_pods_and_select_nothing() -> None:
    extra = {"team": "ml", "slipway.dev/model": "another"}
    made = identity.also_labelled(rendered(models.LEAST), extra)
    kubernetes_validate.validate(made, "1.35", strict=True)
    for metadata in (made["metadata"], made["spec"]["template"]["metadata"]):
        assert (metadata["labels"]["team"], metadata["labels"]["slipway.dev/model"]) == ("ml", "sentiment")
    assert made["spec"]["selector"] == rendered(models.LEAST)["spec"]["selector"]
    assert made["spec"]["template"]["spec"] == rendered(models.LEAST)["spec"]["template"]["spec"]

    plain = service.stable(models.model(models.LEAST), revision="0123456789")
    labelled = identity.also_labelled(plain, extra)
    assert labelled["metadata"]["labels"] == {"team": "ml", **plain["metadata"]["labels"]}
    assert labelled["spec"] == plain["spec"]


def test_the_stable_service_selects_one_revision_and_nothing_else() -> None:
    body = service.stable(models.model(models.LEAST), revision="0123456789")
    assert body["spec"]["selector"] == {
        "slipway.dev/model": "sentiment",
        "slipway.dev/revision": "0123456789",
    }
    assert [(p["port"], p["targetPort"]) for p in body["spec"]["ports"]] == [(80, 8080), (9000, 9000)]


def test_a_switch_carries_its_precondition_the_whole_selector_and_its_own_note() -> None:
    body = service.switch(
        models.model(models.LEAST), origin="aaaaaaaaaa", to="bbbbbbbbbb", at=AT, resource_version="41"
    )
    assert body["metadata"]["resourceVersion"] == "41"
    assert body["spec"] == {"selector": identity.selector("sentiment", "bbbbbbbbbb")}
    assert json.loads(body["metadata"]["annotations"]["slipway.dev/switch"]) == {
        "from": "aaaaaaaaaa",
        "to": "bbbbbbbbbb",
        "at": "2026-01-02T03:04:05.000006Z",
    }


def test_the_preview_selects_one_revision_under_a_name_of_its_own() -> None:
    model = models.model(models.LEAST)
    made = service.preview(model, revision="aaaaaaaaaa")
    moved = service.pointed_preview(model, to="bbbbbbbbbb", resource_version="41")
    assert made["metadata"]["name"] == moved["metadata"]["name"] == "sentiment-preview"
    assert made["spec"]["selector"] == identity.selector("sentiment", "aaaaaaaaaa")
    assert moved["spec"] == {"selector": identity.selector("sentiment", "bbbbbbbbbb")}
    assert moved["metadata"]["resourceVersion"] == "41"


def test_a_move_back_is_noted_as_one() -> None:
    body = service.switch(
        models.model(models.LEAST), origin="a", to="b", at=AT, resource_version="41", back=True
    )
    assert json.loads(body["metadata"]["annotations"]["slipway.dev/switch"])["back"] is True


def test_while_pods_are_replaced_by_turns_the_stable_service_selects_them_all() -> None:
    body = service.widened(models.model(models.LEAST), origin="aaaaaaaaaa", at=AT, resource_version="41")
    assert body["metadata"]["resourceVersion"] == "41"
    assert body["spec"] == {"selector": {"slipway.dev/model": "sentiment"}}
    note = json.loads(body["metadata"]["annotations"]["slipway.dev/switch"])
    assert (note["from"], note["to"]) == ("aaaaaaaaaa", "*")


def test_deleting_the_model_takes_everything_along() -> None:
    model = models.model(models.LEAST)
    name = revision.revision_of(models.LEAST)
    by_kind = {
        "Deployment": rendered(models.LEAST),
        "stable Service": service.stable(model, revision=name),
        "preview Service": service.preview(model, revision=name),
        "revision Service": service.of_revision(
            model, revision=name, version="2.1", deployment_uid="deployment-uid"
        ),
    }
    owners = {kind: child["metadata"]["ownerReferences"][0]["uid"] for kind, child in by_kind.items()}
    assert owners == {
        "Deployment": "model-uid",
        "stable Service": "model-uid",
        "preview Service": "model-uid",
        "revision Service": "deployment-uid",
    }


def test_the_template_does_not_depend_on_replicas_nor_on_the_time() -> None:
    once = rendered(models.EVERYTHING, replicas=1)["spec"]["template"]
    assert once == rendered(models.EVERYTHING, replicas=9)["spec"]["template"]


def requests(resources: dict[str, Any] | None) -> dict[str, Any]:
    spec = {**models.LEAST, **({"resources": resources} if resources else {})}
    found: dict[str, Any] = pod(spec)["containers"][0]["resources"]["requests"]
    return found


@pytest.mark.parametrize(
    ("asked", "name", "requested"),
    [
        pytest.param(None, "cpu", "100m", id="nothing is asked for"),
        pytest.param({"requests": {"cpu": "2"}}, "cpu", "2", id="the user's request stands"),
        pytest.param({"requests": {"cpu": "2"}}, "memory", "256Mi", id="and the others are filled in"),
        pytest.param({"limits": {"memory": "128Mi"}}, "memory", None, id="a limit is a request as well"),
        pytest.param(
            {"limits": {"nvidia.com/gpu": 1}}, "cpu", "100m", id="a device says nothing of the rest"
        ),
    ],
)
def test_a_pod_asks_for_a_little_of_what_its_user_left_unsaid(
    asked: dict[str, Any] | None, name: str, requested: str | None
) -> None:
    assert requests(asked).get(name) == requested


def test_a_default_is_no_change_of_revision() -> None:
    assert revision.revision_of(models.LEAST) == revision.revision_of({**models.LEAST, "resources": {}})


def test_no_limit_is_made_up_that_would_kill_a_model_nobody_has_measured() -> None:
    assert set(pod(models.LEAST)["containers"][0]["resources"]["limits"]) == {"ephemeral-storage"}


@pytest.mark.parametrize(
    ("amounts", "size"),
    [
        pytest.param({}, 24 * 1024**3, id="nothing is said"),
        pytest.param({"limits": {"ephemeral-storage": "2Gi"}}, 2 * 1024**3, id="the user's limit"),
        pytest.param({"requests": {"ephemeral-storage": "50Gi"}}, 50 * 1024**3, id="what he sets aside"),
        pytest.param({"limits": {"memory": "1Gi"}}, 24 * 1024**3, id="a limit of something else"),
    ],
)
def test_the_bundles_volume_has_a_size_and_the_cache_stays_within_it(
    amounts: dict[str, Any], size: int
) -> None:
    spec = {**models.LEAST, "resources": amounts}
    cache = next(volume for volume in pod(spec)["volumes"] if volume["name"] == "cache")
    assert cache["emptyDir"] == {"sizeLimit": str(size)}
    assert 0 < int(environment(spec)["SLIPWAY_CACHE_MAX_BYTES"]) < size


def test_a_pod_may_fetch_for_twenty_minutes_before_anything_else_is_asked_of_it() -> None:
    probe = pod(models.LEAST)["containers"][0]["startupProbe"]
    assert probe["httpGet"]["path"] == "/readyz"
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 20 * 60


def test_a_process_that_dies_without_a_word_leaves_its_last_lines() -> None:
    assert pod(models.LEAST)["containers"][0]["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_a_gateway_knows_what_each_port_speaks() -> None:
    ports = service.stable(models.model(models.LEAST), revision="0123456789")["spec"]["ports"]
    assert {port["name"]: port["appProtocol"] for port in ports} == {
        "http": "http",
        "grpc": "kubernetes.io/h2c",
    }


def test_a_pod_is_of_the_service_account_that_is_asked_for_and_has_no_token_of_it() -> None:
    spec = pod(models.LEAST | {"serviceAccountName": "models-reader"})
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("models-reader", False)
    assert "serviceAccountName" not in pod(models.LEAST)


def test_the_authority_of_the_s3_server_is_mounted_and_named() -> None:
    platform = dataclasses.replace(PLATFORM, s3_authority=trust.Authority("s3-ca", "root.pem"))
    made = deployment.of_revision(
        models.model(models.LEAST), revision="0123456789", replicas=1, at=AT, platform=platform
    )
    kubernetes_validate.validate(made, "1.35", strict=True)
    spec = made["spec"]["template"]["spec"]
    assert restricted.violations(spec) == []
    container = spec["containers"][0]
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert variables["AWS_CA_BUNDLE"] == "/etc/slipway/s3-ca/root.pem"
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}["s3-ca"]
    assert mounted == {"name": "s3-ca", "mountPath": "/etc/slipway/s3-ca", "readOnly": True}
    volume = {each["name"]: each for each in spec["volumes"]}["s3-ca"]
    assert volume["configMap"] == {"name": "s3-ca", "items": [{"key": "root.pem", "path": "root.pem"}]}


def test_without_an_authority_of_its_own_nothing_is_said_of_one() -> None:
    assert "AWS_CA_BUNDLE" not in environment(models.LEAST)
    assert [volume["name"] for volume in pod(models.LEAST)["volumes"]] == ["cache", "tmp"]


@pytest.mark.parametrize(
    ("resources", "limit"),
    [
        pytest.param({}, str(26 * 1024**3), id="room for a large model"),
        pytest.param({"requests": {"ephemeral-storage": "50Gi"}}, str(52 * 1024**3), id="what is asked for"),
        pytest.param({"limits": {"ephemeral-storage": "2Gi"}}, "2Gi", id="the user's own limit"),
    ],
)
def test_a_pod_fills_no_disk(resources: dict[str, Any], limit: str) -> None:
    spec = pod(models.LEAST | {"resources": resources})
    assert spec["containers"][0]["resources"]["limits"]["ephemeral-storage"] == limit
    assert all("sizeLimit" in volume["emptyDir"] for volume in spec["volumes"])
