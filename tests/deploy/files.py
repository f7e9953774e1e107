"""Where the files of deploy/ are, and the program that checks Prometheus's."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTS_PAGE = ROOT / "docs" / "alerts.md"
GRAFANA = ROOT / "deploy" / "grafana"
CONFIG = PROMETHEUS / "prometheus.yml"
STATIC_CONFIG = PROMETHEUS / "static.example.yml"
RULES = PROMETHEUS / "rules.yml"
OPERATOR_RULES = ROOT / "deploy" / "kubernetes" / "monitoring" / "prometheusrule.yaml"
RULE_TESTS = tuple(sorted(PROMETHEUS.glob("*_test.yml")))
DASHBOARDS = tuple(sorted((GRAFANA / "dashboards").glob("*.json")))
COMPOSE = ROOT / "docker-compose.yml"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What promtool says; without it the test is skipped and says so."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: it comes with Debian's package prometheus")
    return subprocess.run(  # noqa: S603 - our own files, checked by the tool of this system
        [program, *arguments], capture_output=True, text=True, check=False
    )
