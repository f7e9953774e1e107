"""The mixin is the rules and dashboards of deploy/, and what its _config says changes them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import _jsonnet
import pytest
import yaml

from tests.deploy.files import DASHBOARDS, ROOT, RULE_TESTS, RULES, promtool

MIXIN = ROOT / "deploy" / "mixin"
SELECTOR = 'cluster="a"'
THRESHOLDS = {  # what a threshold is of
    "waitingRows": {"KullbackLabelsMissing", "KullbackIdsDisagree"},
    "waitingGrowth": {"KullbackLabelsMissing"},
    "rejectedShare": {"KullbackRowsRejected"},
    "rejectedRows": {"KullbackRowsRejected"},
    "storeFailedShare": {"KullbackStoreFailing"},
    "storeFailedWrites": {"KullbackStoreFailing"},
    "requestsFailedShare": {"KullbackRequestsFailing"},
    "requests": {"KullbackRequestsFailing"},
}
NUMBERS = {name: 700.25 + at for at, name in enumerate(THRESHOLDS)}
PAGES = "https://pages.example/kullback.html"
_SOURCE = """
local mixin = (import 'mixin.libsonnet') { _config+:: std.extVar('config') };
{
  config: mixin._config,
  groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups,
  boards: mixin.grafanaDashboards,
}
"""
Rendered = dict[str, Any]


def rendered(rules: str, **config: object) -> Rendered:
    """What the mixin makes of rules under a configuration."""

    def read(folder: str, name: str) -> tuple[str, bytes]:
        path = (Path(folder) / name).resolve()
        return str(path), rules.encode() if path == RULES else path.read_bytes()

    made = _jsonnet.evaluate_snippet(
        str(MIXIN / "test.jsonnet"),
        _SOURCE,
        ext_codes={"config": json.dumps(config)},
        import_callback=read,
    )
    found: Rendered = json.loads(made)
    return found


@cache
def default() -> Rendered:
    return rendered(RULES.read_text())


@cache
def changed() -> Rendered:
    """With everything that may be changed, each threshold to a number of its own."""
    return rendered(
        RULES.read_text(),
        job="scoring",
        runbookURL=PAGES,
        grafanaURL="https://grafana.example",
        pagesURL="https://kullback-pages.example",
        **NUMBERS,
    )


@cache
def selected() -> Rendered:
    return rendered(RULES.read_text(), selector=SELECTOR)


def alerts(mixin: Rendered) -> dict[str, str]:
    rules = [rule for group in mixin["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule["expr"] for rule in rules if "alert" in rule}


def test_without_a_word_the_rules_are_those_of_prometheus() -> None:
    assert default()["groups"] == yaml.safe_load(RULES.read_text())["groups"]


def test_without_a_word_the_dashboards_are_those_of_grafana() -> None:
    assert default()["boards"] == {path.name: json.loads(path.read_text()) for path in DASHBOARDS}


@pytest.mark.parametrize("name", sorted(THRESHOLDS))
def test_a_threshold_is_that_of_its_alert(name: str) -> None:
    number = str(NUMBERS[name])
    assert {alert for alert, text in alerts(changed()).items() if number in text} == THRESHOLDS[
        name
    ]


def test_a_threshold_changes_no_other_alert() -> None:
    before, own = alerts(default()), set[str]().union(*THRESHOLDS.values(), {"KullbackDown"})
    assert {alert for alert, text in alerts(changed()).items() if text != before[alert]} == own


def test_every_number_of_the_configuration_is_a_threshold() -> None:
    config = default()["config"]
    assert {name for name, value in config.items() if isinstance(value, int | float)} == {
        *THRESHOLDS
    }


def test_a_rule_that_lost_its_threshold_is_an_error() -> None:
    planted = RULES.read_text().replace("> 0.05", "> 0.06")
    with pytest.raises(RuntimeError, match=r"KullbackStoreFailing does not say > 0\.05 once"):
        rendered(planted)


def test_addresses_are_those_of_the_configuration() -> None:
    text = json.dumps(changed() | {"config": None})
    assert "kullback.example" not in text
    assert "127.0.0.1" not in text
    assert text.count(f"{PAGES}#") == len(alerts(default()))


def test_the_job_is_that_of_the_configuration() -> None:
    text = json.dumps(changed()["groups"])
    assert r"job=\"kullback\"" not in text
    assert text.count(r"job=\"scoring\"") == RULES.read_text().count('job="kullback"')


def test_a_selector_is_in_every_series_that_a_dashboard_asks_for() -> None:
    asked = re.findall(
        r'"(?:expr|query|definition)": "((?:[^"\\]|\\.)*)"', json.dumps(selected()["boards"])
    )
    series = r"(?<![\w:])(?:kullback_|http_|process_|up\b)[a-z_]*(?![\w:])(\{[^}]*\})?"
    found = [match for text in asked for match in re.findall(series, text.replace(r"\"", "'"))]
    assert len(found) > 100
    assert [labels for labels in found if labels.count("cluster='a'") != 1] == []


def test_a_selector_is_in_every_series_that_an_annotation_asks_for() -> None:
    texts = [
        text
        for group in selected()["groups"]
        for rule in group["rules"]
        for text in rule.get("annotations", {}).values()
    ]
    asked = [series for text in texts for series in re.findall(r"\bkullback_\w+(.{15})", text)]
    assert len(asked) >= 5
    assert set(asked) == {r"{cluster=\"a\","}


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_rules_with_a_selector_see_nothing_of_others(path: Path, tmp_path: Path) -> None:
    """Every case holds of one cluster while another one has the same series."""
    (tmp_path / RULES.name).write_text(json.dumps({"groups": selected()["groups"]}))
    document = yaml.safe_load(path.read_text())
    written = yaml.BaseLoader(path.read_text()).get_single_data()  # 0x90 is no number there
    for case, texts in zip(document["tests"], written["tests"], strict=True):
        case["input_series"] = [
            each | {"series": labelled(each["series"], cluster)}
            for each in texts["input_series"]
            for cluster in (("",) if ":" in each["series"].partition("{")[0] else ("a", "b"))
        ]
    (tmp_path / path.name).write_text(json.dumps(document))  # JSON is YAML
    result = promtool("test", "rules", tmp_path / path.name)
    assert result.returncode == 0, result.stdout + result.stderr


def labelled(series: str, cluster: str) -> str:
    """A series of a cluster; what a rule records is of none."""
    name, _, labels = series.partition("{")
    own = [f'cluster="{cluster}"'] if cluster else []
    return f"{name}{{{', '.join([*own, *filter(None, [labels.rstrip('}')])])}}}"


def test_the_example_of_the_documentation_renders(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (example,) = re.findall(r"^```jsonnet\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "kullback").symlink_to(ROOT)
    files = json.loads(_jsonnet.evaluate_snippet(str(tmp_path / "kullback.jsonnet"), example))
    assert files.keys() == {"rules.json", *(path.name for path in DASHBOARDS)}
    (tmp_path / "rules.json").write_text(json.dumps(files["rules.json"]))
    result = promtool("check", "rules", tmp_path / "rules.json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "> 0.02 and" in files["rules.json"]["groups"][-1]["rules"][1]["expr"]
