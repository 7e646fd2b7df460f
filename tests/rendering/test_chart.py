"""The chart as Helm renders it: valid objects, a restricted pod, the least rights, and the project's CRD."""

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from slipway_operator import settings
from tests.cluster import commands, paths, toolchain

Object = dict[str, Any]

CHART = paths.ROOT / "charts" / "slipway"
GOLDEN_RBAC = Path(__file__).parent / "golden" / "rbac.yaml"
KUBERNETES = "1.35"
NAMESPACE = "slipway-system"
IMAGES: Object = {
    "image": {"repository": "registry.test/operator", "tag": "1"},
    "runtimeImage": {"repository": "registry.test/runtime", "tag": "1"},
}
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
VALUE_SETS: dict[str, Object] = {
    "images only": IMAGES,
    "images by digest": {
        "image": {"repository": "registry.test/operator", "digest": DIGEST, "pullPolicy": "Always"},
        "runtimeImage": {"repository": "registry.test/runtime", "digest": DIGEST},
    },
    "two namespaces": {**IMAGES, "watch": {"namespaces": ["team-a", "team-b"]}},
    "somebody else's CRD": {**IMAGES, "crds": {"enabled": False}},
    "everything set": {
        **IMAGES,
        "runtimeImagesAllowed": ["registry.test/runtime:gpu", "registry.test/runtime:2"],
        "serviceAccountsAllowed": ["models-reader", "team-a/writer"],
        "s3": {
            "endpointUrl": "http://s3.storage.svc:9000",
            "region": "eu-central-1",
            "caConfigMap": {"name": "s3-ca", "key": "root.pem"},
        },
        "networkPolicy": {"monitoringNamespaces": {"matchLabels": {"team": "monitoring"}}},
        "resolver": {
            "resources": {"requests": {"cpu": 0.5}, "limits": {"cpu": "1", "memory": "1Gi"}},
            "nodeSelector": {"kubernetes.io/arch": "arm64"},
            "tolerations": [{"key": "arm", "operator": "Exists", "effect": "NoSchedule"}],
            "sidecars": True,
        },
        "crds": {"keep": False},
        "replicas": 2,
        "metrics": {"serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"team": "ml"}}},
        "logLevel": "debug",
        "logFormat": "console",
        "imagePullSecrets": [{"name": "registry"}],
        "podAnnotations": {"example.com/note": "yes"},
        "commonLabels": {"example.com/team": "ml", "cost-center": "42"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "control-plane", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.test:3128"}],
    },
}


def attempt(values: Object, *, release: str = "slipway") -> subprocess.CompletedProcess[str]:
    where = ["--namespace", NAMESPACE, "--kube-version", KUBERNETES]
    argv: list[str | Path] = [toolchain.binary("helm"), "template", release, CHART, *where, "--values", "-"]
    return commands.attempt(argv, stdin=json.dumps(values))


def render(values: Object) -> list[Object]:
    done = attempt(values)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


def operator_pod(values: Object) -> Object:
    (deployment,) = of_kind(render(values), "Deployment")
    pod: Object = deployment["spec"]["template"]["spec"]
    return pod


def environment(values: Object) -> dict[str, Any]:
    (container,) = operator_pod(values)["containers"]
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_every_object_is_what_the_api_server_knows(values: Object) -> None:
    for found in render(values):
        if found["kind"] == "ServiceMonitor":
            continue  # its kind comes with the Prometheus Operator
        kubernetes_validate.validate(found, KUBERNETES, strict=True)


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_every_object_lands_where_it_was_asked_for(values: Object) -> None:
    for found in of_kind(render(values), "Deployment", "ServiceAccount"):
        assert found["metadata"]["namespace"] == NAMESPACE


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_the_operators_pod_passes_pod_security_restricted(values: Object) -> None:
    pod = operator_pod(values)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert {name for volume in pod["volumes"] for name in volume} == {"name", "emptyDir"}


@pytest.mark.parametrize(
    ("values", "replicas"),
    [
        pytest.param(IMAGES, 1, id="one, unless more are asked for"),
        pytest.param({**IMAGES, "replicas": 2}, 2, id="a second one stands by"),
    ],
)
def test_operators_of_two_versions_never_meet(values: Object, replicas: int) -> None:
    (deployment,) = of_kind(render(values), "Deployment")
    assert deployment["spec"]["replicas"] == replicas
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_liveness_asks_what_readiness_does_not() -> None:
    (container,) = operator_pod(IMAGES)["containers"]
    paths_of = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
    }
    assert paths_of == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


def test_the_metrics_port_has_a_service_and_on_request_a_monitor() -> None:
    everything = render(VALUE_SETS["everything set"])
    (service,) = of_kind(render(IMAGES), "Service")
    (deployment,) = of_kind(render(IMAGES), "Deployment")
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 9090, "targetPort": "metrics"}]
    assert service["spec"]["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert not of_kind(render(IMAGES), "ServiceMonitor")
    (monitor,) = of_kind(everything, "ServiceMonitor")
    (service,) = of_kind(everything, "Service")
    assert monitor["spec"]["endpoints"] == [{"port": "metrics", "interval": "15s"}]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["metadata"]["labels"]["team"] == "ml"


def test_the_rights_are_those_of_the_golden_file() -> None:
    kinds = ("ClusterRole", "Role")
    everywhere = of_kind(render(IMAGES), *kinds)
    in_one = of_kind(render({**IMAGES, "watch": {"namespaces": ["team-a"]}}), *kinds)
    rendered = {
        "watching all namespaces": [_rights(role) for role in everywhere],
        "watching team-a": [_rights(role) for role in in_one],
    }
    assert rendered == yaml.safe_load(GOLDEN_RBAC.read_text()), yaml.safe_dump(rendered, sort_keys=False)


def _rights(role: Object) -> Object:
    where = role["metadata"].get("namespace", "everywhere")
    return {"role": f"{role['kind']} {role['metadata']['name']}", "in": where, "rules": role["rules"]}


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_no_right_is_a_wildcard_or_reaches_a_secret(values: Object) -> None:
    for role in of_kind(render(values), "ClusterRole", "Role"):
        for rule in role["rules"]:
            words = {word for part in rule.values() for word in part}
            assert not {"*", "secrets", "escalate", "bind", "impersonate"} & words, role["metadata"]["name"]


def test_named_namespaces_need_no_right_elsewhere() -> None:
    objects = render({**IMAGES, "watch": {"namespaces": ["team-a", "team-b"]}})
    bound = {(found["kind"], found["metadata"].get("namespace")) for found in objects if "roleRef" in found}
    assert bound == {("RoleBinding", NAMESPACE), ("RoleBinding", "team-a"), ("RoleBinding", "team-b")}


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_every_binding_names_a_role_and_the_account_that_are_there(values: Object) -> None:
    objects = render(values)
    (pod_account,) = {operator_pod(values)["serviceAccountName"]}
    roles = {(role["kind"], role["metadata"]["name"]) for role in of_kind(objects, "ClusterRole", "Role")}
    for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in roles
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": pod_account, "namespace": NAMESPACE}
        ]


def test_the_crd_is_rendered_unchanged_and_outlives_an_uninstall() -> None:
    (rendered,) = of_kind(render(IMAGES), "CustomResourceDefinition")
    (source,) = [yaml.safe_load(file.read_text()) for file in (paths.ROOT / "crds").glob("*.yaml")]
    assert rendered["spec"] == source["spec"]
    assert rendered["metadata"]["name"] == source["metadata"]["name"]
    assert rendered["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_crd_can_go_with_the_release() -> None:
    (rendered,) = of_kind(render({**IMAGES, "crds": {"keep": False}}), "CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in rendered["metadata"].get("annotations", {})


def test_the_crd_can_be_left_to_somebody_else() -> None:
    assert not of_kind(render({**IMAGES, "crds": {"enabled": False}}), "CustomResourceDefinition")


def test_a_value_reaches_the_operator_as_its_environment() -> None:
    values = {"watch": {"namespaces": ["team-a", "team-b"]}, "rollouts": {"maxConcurrent": 3}}
    settings = environment({**VALUE_SETS["everything set"], **values})
    assert settings == {
        "SLIPWAY_NAMESPACE": {"fieldRef": {"fieldPath": "metadata.namespace"}},
        "SLIPWAY_POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
        "SLIPWAY_POD_UID": {"fieldRef": {"fieldPath": "metadata.uid"}},
        "SLIPWAY_LEASE_NAME": "slipway",
        "SLIPWAY_RUNTIME_IMAGE": "registry.test/runtime:1",
        "SLIPWAY_RUNTIME_IMAGES_ALLOWED": "registry.test/runtime:gpu,registry.test/runtime:2",
        "SLIPWAY_S3_ENDPOINT_URL": "http://s3.storage.svc:9000",
        "SLIPWAY_S3_REGION": "eu-central-1",
        "SLIPWAY_S3_CA_CONFIG_MAP": "s3-ca",
        "SLIPWAY_S3_CA_KEY": "root.pem",
        "SLIPWAY_SERVICE_ACCOUNTS_ALLOWED": "models-reader,team-a/writer",
        "SLIPWAY_MAX_CONCURRENT_ROLLOUTS": "3",
        "SLIPWAY_MAX_SURGE_GPUS": "0",
        "SLIPWAY_NETWORK_POLICIES": "true",
        "SLIPWAY_MONITORING_NAMESPACES": '{"matchLabels":{"team":"monitoring"}}',
        "SLIPWAY_COMMON_LABELS": '{"cost-center":"42","example.com/team":"ml"}',
        "SLIPWAY_RESOLVER_RESOURCES": '{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":0.5}}',
        "SLIPWAY_RESOLVER_NODE_SELECTOR": '{"kubernetes.io/arch":"arm64"}',
        "SLIPWAY_RESOLVER_TOLERATIONS": '[{"effect":"NoSchedule","key":"arm","operator":"Exists"}]',
        "SLIPWAY_RESOLVER_SIDECARS": "true",
        "SLIPWAY_WATCH_NAMESPACES": "team-a,team-b",
        "SLIPWAY_LOG_LEVEL": "debug",
        "SLIPWAY_LOG_FORMAT": "console",
        "SLIPWAY_HEALTH_PORT": "8081",
        "SLIPWAY_METRICS_PORT": "9090",
        "HTTPS_PROXY": "http://proxy.test:3128",
    }


def test_what_is_not_set_for_resolver_pods_is_left_to_the_operator() -> None:
    told = environment(IMAGES)
    names = ("RESOURCES", "NODE_SELECTOR", "TOLERATIONS")
    assert [told[f"SLIPWAY_RESOLVER_{name}"] for name in names] == ["", "", ""]
    assert told["SLIPWAY_RESOLVER_SIDECARS"] == "false"


@pytest.mark.parametrize("values", VALUE_SETS.values(), ids=VALUE_SETS.keys())
def test_the_operator_understands_what_the_chart_tells_it(
    values: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(values).items():
        if isinstance(value, str):
            monkeypatch.setenv(name, value)
    chosen = settings.Settings()
    resolver = values.get("resolver", {})
    assert chosen.resolver_node_selector == resolver.get("nodeSelector", {})
    assert chosen.resolver_tolerations == resolver.get("tolerations", [])
    assert set(chosen.resolver_resources) == set(resolver.get("resources", {}))


def test_common_labels_are_on_all_that_is_made_and_select_nothing() -> None:
    common = {"example.com/team": "ml", "cost-center": "42"}
    objects = render(VALUE_SETS["everything set"])
    assert all(common.items() <= found["metadata"]["labels"].items() for found in objects)
    (deployment,) = of_kind(objects, "Deployment")
    assert common.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    assert not common.keys() & deployment["spec"]["selector"]["matchLabels"].keys()


def test_the_operator_is_reached_by_monitoring_alone() -> None:
    (policy,) = of_kind(render(VALUE_SETS["everything set"]), "NetworkPolicy")
    (rule,) = policy["spec"]["ingress"]
    assert rule == {
        "ports": [{"port": 9090, "protocol": "TCP"}],
        "from": [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}],
    }
    (pod,) = of_kind(render(IMAGES), "Deployment")
    labelled = pod["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labelled.items()


def test_without_monitoring_nobody_reaches_it() -> None:
    (policy,) = of_kind(render(IMAGES), "NetworkPolicy")
    assert (policy["spec"]["policyTypes"], policy["spec"]["ingress"]) == (["Ingress"], [])
    assert environment(IMAGES)["SLIPWAY_MONITORING_NAMESPACES"] == ""


def test_policies_can_be_left_to_somebody_else() -> None:
    values = {**IMAGES, "networkPolicy": {"enabled": False}}
    assert not of_kind(render(values), "NetworkPolicy")
    assert environment(values)["SLIPWAY_NETWORK_POLICIES"] == "false"


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        pytest.param({"tag": "1.2"}, "registry.test/operator:1.2", id="a tag"),
        pytest.param({"tag": "1.2", "digest": DIGEST}, f"registry.test/operator@{DIGEST}", id="digest wins"),
        pytest.param({}, "registry.test/operator:0.1.0", id="neither: the chart's appVersion"),
    ],
)
def test_an_image_is_named_by_digest_or_by_tag(image: Object, reference: str) -> None:
    pod = operator_pod({**IMAGES, "image": {"repository": "registry.test/operator", **image}})
    assert pod["containers"][0]["image"] == reference


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        pytest.param({"size": 2}, "size", id="a value that the chart does not know"),
        pytest.param({"replicas": "two"}, "replicas", id="a number in words"),
        pytest.param({"image": {"name": "x"}}, "name", id="an unknown part of a value"),
        pytest.param({"logLevel": "loud"}, "logLevel", id="a log level that does not exist"),
        pytest.param({"image": {"tag": "latest"}}, "tag", id="a tag that names no version"),
        pytest.param({"image": {"digest": "sha256:12"}}, "digest", id="half a digest"),
        pytest.param({"s3": {"endpointUrl": "minio:9000"}}, "endpointUrl", id="an endpoint without a scheme"),
        pytest.param({"runtimeImagesAllowed": ["a,b"]}, "runtimeImagesAllowed", id="two images in one entry"),
        pytest.param({"commonLabels": {"a b": "c"}}, "'a b'", id="a label that cannot be one"),
        pytest.param({"commonLabels": {"team": 7}}, "commonLabels", id="a label that is a number"),
        pytest.param(
            {"commonLabels": {"app.kubernetes.io/name": "x"}},
            "app.kubernetes.io/name",
            id="a label that is set already",
        ),
        pytest.param(
            {"serviceAccountsAllowed": ["a,b"]}, "serviceAccountsAllowed", id="two accounts in one entry"
        ),
        pytest.param(
            {"s3": {"caConfigMap": {"name": "A_b"}}}, "caConfigMap", id="a ConfigMap that cannot exist"
        ),
        pytest.param({"watch": {"namespaces": ["Team"]}}, "namespaces", id="a namespace that cannot exist"),
        pytest.param({"resolver": {"image": "x"}}, "image", id="a resolver's image, which is the model's"),
        pytest.param(
            {"resolver": {"resources": {"limits": {"nvidia.com/gpu": 1}}}},
            "nvidia.com/gpu",
            id="a GPU for a resolver",
        ),
        pytest.param(
            {"resolver": {"resources": {"limits": {"cpu": "one"}}}}, "limits", id="an amount in words"
        ),
        pytest.param({"resolver": {"resources": {"limits": {"cpu": -1}}}}, "limits", id="a negative amount"),
        pytest.param({"resolver": {"resources": {"cpu": "1"}}}, "resources", id="amounts of neither kind"),
        pytest.param({"resolver": {"nodeSelector": {"gpus": 8}}}, "nodeSelector", id="a number for a label"),
        pytest.param({"resolver": {"nodeSelector": {"a b": "c"}}}, "'a b'", id="a label that no node has"),
        pytest.param(
            {"resolver": {"tolerations": [{"key": "a", "effct": "NoSchedule"}]}},
            "effct",
            id="a typo in a toleration",
        ),
        pytest.param({"resolver": {"tolerations": {"key": "a"}}}, "tolerations", id="a toleration alone"),
        pytest.param(
            {"resolver": {"tolerations": [{"effect": "NoSchedule"}]}},
            "tolerations",
            id="a toleration of everything by oversight",
        ),
        pytest.param({"resolver": {"sidecars": "yes"}}, "sidecars", id="a word for yes"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: Object, complaint: str) -> None:
    done = attempt(values)
    assert done.returncode != 0
    assert complaint in done.stderr


@pytest.mark.parametrize("name", ["image", "runtimeImage"])
def test_a_missing_image_is_asked_for(name: str) -> None:
    done = attempt({key: value for key, value in IMAGES.items() if key != name})
    assert done.returncode != 0
    assert f"{name}.repository is not set" in done.stderr


def test_a_release_of_another_name_has_names_of_its_own() -> None:
    done = attempt(IMAGES, release="canary")
    names = {found["metadata"]["name"] for found in yaml.safe_load_all(done.stdout) if found}
    assert all(name.startswith("canary-slipway") or name == "inferencemodels.slipway.dev" for name in names)
