"""A cluster takes deploy/kubernetes, and what it starts there is a service that is locked down."""

import json
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest

from kullback.settings import Settings
from tests.deploy.files import ROOT
from tests.deploy.live import free_port
from tests.deploy.manifests import OVERLAYS, VERSIONS, Manifest, offence, only, rendered
from tests.serving import SERVE, serving

NAME = "app.kubernetes.io/name"
SPARE_SECONDS = 2  # a process ends so long after its grace, whatever hangs
every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def of(overlay: str, kind: str) -> Manifest:
    return only(rendered(OVERLAYS[overlay]), kind)


def pod(overlay: str) -> Manifest:
    found: Manifest = of(overlay, "Deployment")["spec"]["template"]["spec"]
    return found


def container(overlay: str) -> Manifest:
    (found,) = pod(overlay)["containers"]
    assert isinstance(found, dict)
    return found


def environment(overlay: str) -> dict[str, str]:
    """What the manifest sets; a value from a secret is the key it is under."""
    return {
        each["name"]: each.get("value") or each["valueFrom"]["secretKeyRef"]["key"]
        for each in container(overlay)["env"]
    }


@pytest.mark.parametrize("version", VERSIONS)
@every_overlay
def test_a_cluster_takes_every_manifest(overlay: str, version: str) -> None:
    manifests = rendered(OVERLAYS[overlay])
    assert len(manifests) >= 6
    assert {each["kind"]: offence(each, version) for each in manifests} == {
        each["kind"]: None for each in manifests
    }


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("Deployment", "spec/template/spec/containers/0/readinesProbe", {}),
        ("Deployment", "spec/template/spec/containers/0/resources/limits/memory", []),
        ("Deployment", "spec/selector", None),
        ("Deployment", "spec/template/spec/terminationGracePeriodSeconds", "30"),
        ("NetworkPolicy", "spec/egress/0/port", 53),
        ("HorizontalPodAutoscaler", "spec/maxReplicas", None),
        ("PodDisruptionBudget", "spec/minAvailabel", 1),
        ("Service", "spec/ports/0/port", "http"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_cluster_would_refuse_is_seen(
    kind: str, place: str, value: object, version: str
) -> None:
    planted = deepcopy(of("postgres", kind))
    *steps, last = place.split("/")
    inner: Any = planted
    for step in steps:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner.pop(last, None)
    if value is not None:
        inner[last] = value
    assert offence(planted, version) is not None


@every_overlay
def test_a_pod_may_do_nothing_but_serve(overlay: str) -> None:
    assert pod(overlay)["automountServiceAccountToken"] is False
    assert pod(overlay)["enableServiceLinks"] is False
    assert of(overlay, "ServiceAccount")["automountServiceAccountToken"] is False
    assert pod(overlay)["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(overlay)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    labels = of(overlay, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    user = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert user == [("65532", "65532")]


@every_overlay
def test_what_a_pod_may_write_is_what_it_needs(overlay: str) -> None:
    kinds = {each["name"]: set(each) - {"name"} for each in pod(overlay)["volumes"]}
    writable = {
        mount["mountPath"]: kinds[mount["name"]]
        for mount in container(overlay)["volumeMounts"]
        if not mount.get("readOnly")
    }
    data = {"/data": {"persistentVolumeClaim"}} if overlay == "sqlite" else {}
    assert writable == {"/tmp": {"emptyDir"}} | data  # noqa: S108 - of the container


@every_overlay
def test_a_pod_ends_before_it_is_killed(overlay: str) -> None:
    grace = Settings().grace_seconds + SPARE_SECONDS
    assert "KULLBACK_GRACE_SECONDS" not in environment(overlay)
    before = container(overlay)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod(overlay)["terminationGracePeriodSeconds"] > before + grace


@every_overlay
def test_labels_lead_from_one_manifest_to_the_other(overlay: str) -> None:
    manifests = rendered(OVERLAYS[overlay])
    worn = of(overlay, "Deployment")["spec"]["template"]["metadata"]["labels"]
    text = json.dumps(manifests)
    selectors = re.findall(r'"(?:matchLabels|selector)": (\{"app[^{}]*\})', text)
    assert len(selectors) >= 3
    assert all(json.loads(selector).items() <= worn.items() for selector in selectors)
    assert all(each["metadata"]["labels"][NAME] == "kullback" for each in manifests)
    ports = {port["name"]: port["containerPort"] for port in container(overlay)["ports"]}
    assert {port["targetPort"] for port in of(overlay, "Service")["spec"]["ports"]} == set(ports)
    assert ports == {"http": 8000, "metrics": int(environment(overlay)["KULLBACK_METRICS_PORT"])}


@every_overlay
def test_the_image_is_that_of_this_version(overlay: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container(overlay)["image"] == f"kullback:{version}"
    worn = of(overlay, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert worn["app.kubernetes.io/version"] == version


@every_overlay
def test_secrets_are_named_and_not_given(overlay: str) -> None:
    assert "Secret" not in {each["kind"] for each in rendered(OVERLAYS[overlay])}
    named = re.findall(
        r'"(?:secretName|secretKeyRef)": ("[^"]*"|\{[^}]*\})', json.dumps(pod(overlay))
    )
    database = ['{"key": "url", "name": "kullback-database"}'] if overlay == "postgres" else []
    assert named == [*database, '"kullback-keys"']


def test_one_process_has_the_file_on_the_volume_that_is_claimed() -> None:
    spec = of("sqlite", "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    claims = [
        each["persistentVolumeClaim"]
        for each in pod("sqlite")["volumes"]
        if "persistentVolumeClaim" in each
    ]
    assert claims == [{"claimName": of("sqlite", "PersistentVolumeClaim")["metadata"]["name"]}]
    assert environment("sqlite")["KULLBACK_DATABASE_URL"] == "sqlite:////data/kullback.db"


def test_replicas_come_and_go_one_by_one_and_stand_apart() -> None:
    spec = of("postgres", "Deployment")["spec"]
    assert "replicas" not in spec  # an apply would undo what the autoscaler said
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    scaler = of("postgres", "HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == of("postgres", "Deployment")["metadata"]["name"]
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    assert "cpu" in container("postgres")["resources"]["requests"]  # a share of it is asked for
    assert of("postgres", "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    spread = {each["topologyKey"] for each in pod("postgres")["topologySpreadConstraints"]}
    assert spread == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}


@every_overlay
def test_the_network_lets_through_what_is_needed_and_nothing_else(overlay: str) -> None:
    policy = of(overlay, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    comes = {
        port["port"]: source["namespaceSelector"].get("matchLabels", {})
        for rule in policy["ingress"]
        for port in rule["ports"]
        for source in rule["from"]
    }
    assert comes == {"http": {}, "metrics": {"kubernetes.io/metadata.name": "monitoring"}}
    goes = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert goes == ({53, 5432} if overlay == "postgres" else {53})


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """A service as the manifest sets it up, its probes, and a key made as documented."""
    directory = tmp_path_factory.mktemp("pod")
    keys = directory / "keys.json"
    command = (sys.executable, "-m", "kullback", "keys", "--file", keys, "create", "ops")
    key = subprocess.run(  # noqa: S603 - our own command line
        [*command, "--scope", "score"], capture_output=True, text=True, check=True
    ).stdout.strip()
    keys.chmod(stat.S_IRUSR | stat.S_IRGRP)
    places = {"/etc/kullback": str(directory), "/data": str(directory)}
    port = str(free_port())
    settings = environment("sqlite") | {"KULLBACK_METRICS_PORT": port}
    for inside, outside in places.items():
        settings = {name: value.replace(inside, outside) for name, value in settings.items()}
    settings["KULLBACK_INSECURE_NO_AUTH"] = "false"
    with serving(*SERVE, directory=ROOT, **settings) as server:
        yield server.address, f"http://127.0.0.1:{port}", key


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
@every_overlay
def test_a_probe_is_answered(overlay: str, probe: str, started: tuple[str, str, str]) -> None:
    _, probes, _ = started
    asked = container(overlay)[probe]
    assert asked["httpGet"]["port"] == "metrics"
    answer = httpx.get(probes + asked["httpGet"]["path"])
    assert answer.status_code == 200
    assert asked["timeoutSeconds"] <= asked["periodSeconds"]


def test_a_start_may_take_as_long_as_a_migration_may() -> None:
    probe = container("postgres")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


def test_the_service_of_the_manifest_takes_the_keys_of_its_secret(
    started: tuple[str, str, str],
) -> None:
    address, _, key = started
    body = {"p": [0.5, 0.5], "q": [0.25, 0.75]}
    place = f"{address}/v1/scores/kl-divergence"
    assert httpx.post(place, json=body).status_code == 401
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.post(place, json=body, headers=headers).status_code == 200


def test_a_file_of_the_manifests_is_in_some_kustomization() -> None:
    folder = ROOT / "deploy" / "kubernetes"
    for file in folder.rglob("*.yaml"):
        if file.name != "kustomization.yaml":
            assert file.name in (file.parent / "kustomization.yaml").read_text(), file


def test_a_kustomization_of_ones_own_is_as_documented(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text().partition("\n## Kubernetes\n")[2]
    (own,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "kullback").symlink_to(ROOT)
    (tmp_path / "kustomization.yaml").write_text(own)
    manifests = rendered(tmp_path)
    (changed,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert changed["image"].startswith("registry.example/team/kullback:")
    assert only(manifests, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 12
