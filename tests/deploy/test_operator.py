"""What the Prometheus operator and Grafana's sidecar are given is what deploy/ has for others."""

import json
import re
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from tests.deploy.files import DASHBOARDS, RULES, promtool
from tests.deploy.manifests import (
    MONITORING,
    OVERLAYS,
    VERSIONS,
    Manifest,
    offence,
    offences_of_custom,
    only,
    rendered,
)

MOST_BYTES = 262_144  # of the annotation in which `kubectl apply` keeps what it sent


def custom() -> list[Manifest]:
    return [only(rendered(MONITORING), kind) for kind in ("PrometheusRule", "ServiceMonitor")]


def boards() -> list[Manifest]:
    return [each for each in rendered(MONITORING) if each["kind"] == "ConfigMap"]


def folded(rules: Manifest) -> str:
    """Rules with single spaces: kustomize breaks the lines of an expression elsewhere."""
    return re.sub(r"(?:\\n|\s)+", " ", json.dumps(rules, sort_keys=True))


def test_the_rules_are_those_of_prometheus() -> None:
    written = yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"]
    assert written == yaml.safe_load(RULES.read_text()), "make manifests writes them again"


def test_kustomize_leaves_the_rules_what_they_are(tmp_path: Path) -> None:
    spec = only(rendered(MONITORING), "PrometheusRule")["spec"]
    assert folded(spec) == folded(yaml.safe_load(RULES.read_text()))
    (tmp_path / "rules.yml").write_text(json.dumps(spec))  # JSON is YAML
    result = promtool("check", "rules", tmp_path / "rules.yml")
    assert result.returncode == 0, result.stderr


def test_the_dashboards_are_those_of_grafana() -> None:
    given = [content for board in boards() for content in board["data"].items()]
    assert sorted(given) == [(path.name, path.read_text()) for path in DASHBOARDS]
    assert all(board["metadata"]["labels"]["grafana_dashboard"] == "1" for board in boards())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_cluster_takes_the_dashboards(version: str) -> None:
    assert [offence(board, version) for board in boards()] == [None] * len(DASHBOARDS)


def test_what_is_sent_may_be_applied_again() -> None:
    assert all(len(json.dumps(each)) < MOST_BYTES for each in rendered(MONITORING))


def test_the_operator_takes_rules_and_monitor(tmp_path: Path) -> None:
    assert offences_of_custom(custom(), tmp_path) == ""


def test_what_the_operator_would_refuse_is_seen(tmp_path: Path) -> None:
    rule, monitor = deepcopy(custom())
    del rule["spec"]["groups"][0]["rules"][0]["expr"]
    monitor["spec"]["endpoints"][0]["scrapeTimout"] = "10s"
    seen = offences_of_custom([rule, monitor], tmp_path)
    assert "scrapeTimout" in seen
    assert "'\"expr\"' is missing" in seen
    assert seen.count("error TS") == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_monitor_finds_the_service_and_calls_it_as_rules_do(overlay: str) -> None:
    monitor = only(rendered(MONITORING), "ServiceMonitor")
    service = only(rendered(OVERLAYS[overlay]), "Service")
    labels = service["metadata"]["labels"]
    assert monitor["metadata"]["namespace"] == service["metadata"]["namespace"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["spec"]["jobLabel"]] == "kullback"
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
