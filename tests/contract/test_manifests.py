"""The Kubernetes manifests, as files and as rendered by kustomize where kubectl is installed."""

import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import kubernetes_validate
import pytest
import yaml
from servicekit import settings

KUBERNETES = "1.32"
MI = 1024 * 1024
SMALL_PROFILE_BYTES = 512_000_000


def find(objects, kind, service):
    (found,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == f"climbmate-{service}"]
    return found


def pod_of(objects, service):
    return find(objects, "Deployment", service)["spec"]["template"]["spec"]


def container_of(objects, service):
    (container,) = pod_of(objects, service)["containers"]
    assert container["name"] == service
    return container


def environment_of(container):
    return {entry["name"]: entry.get("value", "1") for entry in container["env"]}


def memory_bytes(text):
    return int(re.fullmatch(r"(\d+)Mi", text)[1]) * MI


def test_every_object_is_valid(objects):
    for each in objects:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)


@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "ServiceAccount"])
def test_every_service_has_each_kind_of_object(objects, service, kind):
    assert find(objects, kind, service)


def test_all_selectors_select_the_pods_of_the_service(objects, service):
    labels = find(objects, "Deployment", service)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        find(objects, "Deployment", service)["spec"]["selector"]["matchLabels"],
        find(objects, "Service", service)["spec"]["selector"],
        find(objects, "PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"],
        find(objects, "NetworkPolicy", service)["spec"]["podSelector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in pod_of(objects, service)["topologySpreadConstraints"]),
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)


def test_a_container_gets_exactly_the_memory_it_may_use(objects, service):
    resources = container_of(objects, service)["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert resources["requests"]["cpu"]


def test_a_container_can_change_nothing_and_gain_nothing(objects, service):
    pod, container = pod_of(objects, service), container_of(objects, service)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert find(objects, "ServiceAccount", service)["automountServiceAccountToken"] is False


def test_the_cluster_adds_no_variables_that_the_settings_would_refuse(objects, service):
    assert pod_of(objects, service)["enableServiceLinks"] is False


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_a_model_service_is_probed_over_grpc(objects, model_service, probe):
    container = container_of(objects, model_service)
    (port,) = [port["containerPort"] for port in container["ports"] if port["name"] == "grpc"]
    assert container[probe]["grpc"] == {"port": port}


@pytest.mark.parametrize(
    ("probe", "path"), [("startupProbe", "/livez"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")]
)
def test_the_gateway_is_probed_over_http(objects, probe, path):
    assert container_of(objects, "gateway")[probe]["httpGet"] == {"path": path, "port": "http"}


def test_liveness_forgives_longer_than_readiness(objects, service):
    container = container_of(objects, service)

    def patience_s(probe):
        return container[probe]["periodSeconds"] * container[probe]["failureThreshold"]

    assert patience_s("livenessProbe") >= 60 > patience_s("readinessProbe")


def test_grpc_clients_see_every_pod(objects, service):
    name = "gateway-grpc" if service == "gateway" else service
    found = find(objects, "Service", name)["spec"]
    assert found["clusterIP"] == "None"
    assert "grpc" in {port["name"] for port in found["ports"]}


def test_http_clients_of_the_gateway_need_one_address(objects):
    assert "clusterIP" not in find(objects, "Service", "gateway")["spec"]


def test_http_clients_stay_with_the_pod_that_knows_their_jobs(objects, defaults):
    spec, gateway = find(objects, "Service", "gateway")["spec"], defaults("gateway")
    assert spec["sessionAffinity"] == "ClientIP"
    job_s = gateway["REQUEST_DEADLINE_S"] + gateway["GATEWAY_REMEMBER_S"]
    assert spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] >= job_s


def test_threads_equal_the_cpu_limit(objects, model_service):
    container = container_of(objects, model_service)
    (threads,) = [each for each in container["env"] if each["name"] == "OMP_NUM_THREADS"]
    assert threads["valueFrom"] == {"resourceFieldRef": {"resource": "limits.cpu"}}
    assert container["resources"]["limits"]["cpu"].isdigit()


def test_every_variable_is_a_setting_of_the_service(objects, service, settings_kind, defaults):
    environment = environment_of(container_of(objects, service))
    assert set(environment) <= set(defaults(service))
    settings.read(settings_kind(service), prefix=f"{service.upper()}_", environ=environment)


def test_the_container_ports_are_those_of_the_image(objects, service, image):
    ports = {port["containerPort"] for port in container_of(objects, service)["ports"]}
    assert ports == image(service).ports


def test_service_ports_lead_to_the_named_container_ports(objects, service):
    names = {port["name"] for port in container_of(objects, service)["ports"]}
    label = {"app.kubernetes.io/name": f"climbmate-{service}"}
    services = [each["spec"] for each in objects if each["kind"] == "Service" and each["spec"]["selector"] == label]
    assert {port["targetPort"] for each in services for port in each["ports"]} == names


def test_the_gateway_finds_every_model_service(objects):
    environment = environment_of(container_of(objects, "gateway"))
    for name in ("detector", "colorizer"):
        (port,) = [p["port"] for p in find(objects, "Service", name)["spec"]["ports"] if p["name"] == "grpc"]
        assert environment[f"GATEWAY_{name.upper()}_TARGET"] == f"dns:///climbmate-{name}:{port}"


def test_only_the_gateway_may_call_a_model_service(objects, model_service):
    policy = find(objects, "NetworkPolicy", model_service)["spec"]
    callers = [rule["from"] for rule in policy["ingress"] if {"port": "grpc"} in rule["ports"]]
    assert callers == [[{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "climbmate-gateway"}}}]]
    assert policy["egress"] == []
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}


def test_a_running_call_may_end_before_the_pod_is_killed(objects, service, defaults):
    environment = environment_of(container_of(objects, service))
    drain_s = float(environment["DRAIN_WAIT_S"]) + float(environment["DRAIN_LIMIT_S"])
    assert pod_of(objects, service)["terminationGracePeriodSeconds"] >= drain_s + 5
    assert float(environment["DRAIN_LIMIT_S"]) >= defaults(service)["REQUEST_DEADLINE_S"]


def test_a_node_can_be_drained_whatever_the_number_of_replicas(objects, service):
    budget = find(objects, "PodDisruptionBudget", service)["spec"]
    assert budget["maxUnavailable"] == 1
    assert "minAvailable" not in budget


def test_the_small_profile_fits_its_machine_also_during_a_rollout(render):
    deployments = [each for each in render("small") if each["kind"] == "Deployment"]
    limits = [
        memory_bytes(each["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"])
        * (each["spec"]["replicas"] + each["spec"]["strategy"]["rollingUpdate"]["maxSurge"])
        for each in deployments
    ]
    assert len(limits) == 3
    assert sum(limits) <= SMALL_PROFILE_BYTES


@pytest.fixture(scope="session")
def kept_corrections(root, tmp_path_factory):
    """The standard profile with the component that keeps corrections, as kustomize renders it."""
    if not shutil.which("kubectl"):
        pytest.skip("optional: without kubectl the component is not rendered")
    folder = tmp_path_factory.mktemp("overlay")
    k8s = os.path.relpath(root / "k8s", folder)
    own = {"resources": [f"{k8s}/overlays/standard"], "components": [f"{k8s}/components/kept-corrections"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own))
    command = ["kubectl", "kustomize", str(folder)]
    return list(yaml.safe_load_all(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def test_kept_corrections_have_a_claim_and_each_pod_a_folder_of_its_own_in_it(kept_corrections):
    for each in kept_corrections:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    assert {each["metadata"].get("namespace") for each in kept_corrections} == {"climbmate", None}
    claim = find(kept_corrections, "PersistentVolumeClaim", "corrections")
    pod, container = pod_of(kept_corrections, "gateway"), container_of(kept_corrections, "gateway")
    (volume,) = pod["volumes"]
    assert volume == {"name": "feedback", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    (mount,) = container["volumeMounts"]
    assert mount == {"name": "feedback", "mountPath": "/var/lib/climbmate", "subPathExpr": "$(POD_NAME)"}
    assert {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}} in container["env"]
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


@pytest.fixture(scope="session")
def small_patches(root):
    """Gives the small overlay's kustomization, its memory by container and its rollout: read, not rendered."""
    folder = root / "k8s/overlays/small"
    deployments = list(yaml.safe_load_all((folder / "memory.yaml").read_text()))
    containers = [each["spec"]["template"]["spec"]["containers"] for each in deployments]
    return SimpleNamespace(
        kustomization=yaml.safe_load((folder / "kustomization.yaml").read_text()),
        names={each["metadata"]["name"] for each in deployments},
        resources={each["name"]: each["resources"] for (each,) in containers},
        rollout=yaml.safe_load((folder / "no-surge.yaml").read_text()),
    )


def test_the_small_patches_give_each_service_the_memory_it_may_use_within_the_machine(small_patches, root):
    services = {folder.name for folder in (root / "services").iterdir()}
    assert set(small_patches.resources) == services
    assert small_patches.names == {f"climbmate-{name}" for name in services}
    resources = small_patches.resources.values()
    assert all(each["requests"]["memory"] == each["limits"]["memory"] for each in resources)
    assert sum(memory_bytes(each["limits"]["memory"]) for each in resources) <= SMALL_PROFILE_BYTES


def test_the_small_patches_run_one_pod_of_each_service_also_during_a_rollout(small_patches):
    replicas = {each["name"]: each["count"] for each in small_patches.kustomization["replicas"]}
    assert replicas == dict.fromkeys(small_patches.names, 1)
    assert small_patches.kustomization["patches"] == [
        {"path": "memory.yaml"},
        {"path": "no-surge.yaml", "target": {"kind": "Deployment"}},
    ]
    (patch,) = small_patches.rollout
    assert (patch["op"], patch["path"]) == ("replace", "/spec/strategy/rollingUpdate")
    assert patch["value"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_the_standard_profile_loses_no_capacity_in_a_rollout(render):
    for each in render("standard"):
        if each["kind"] == "Deployment":
            assert each["spec"]["replicas"] >= 2
            assert each["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
