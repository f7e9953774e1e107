"""The rules that Prometheus is shipped with hold, and each of them has been seen to."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
import yaml

from kullback.judgement.settings import CHECKS
from tests.deploy.expressions import read
from tests.deploy.families import series_named, strangers
from tests.deploy.files import (
    ALERTS_PAGE,
    CONFIG,
    DASHBOARDS,
    OPERATOR_RULES,
    ROOT,
    RULE_TESTS,
    RULES,
    STATIC_CONFIG,
    promtool,
)

UNMEASURED = {  # one is enough: no volume to ask for, or the verdict has asked for it
    "KullbackDown",
    "KullbackExperimentDecided",
    "KullbackExperimentInvalid",
    "KullbackSeriesDropped",
}
CHECK = "monitor_check:kullback_check:max"
OF_CHECKS = "{{ if eq $value 2.0 }}critical{{ else }}warning{{ end }}"


class Job(TypedDict):
    job_name: str
    dns_sd_configs: NotRequired[list[dict[str, int]]]
    static_configs: NotRequired[list[dict[str, list[str]]]]


class Rule(TypedDict):
    expr: str
    record: NotRequired[str]
    alert: NotRequired[str]
    labels: NotRequired[dict[str, str]]
    annotations: NotRequired[dict[str, str]]


def rules() -> list[Rule]:
    return [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
    ]


def named(kind: str) -> list[str]:
    return [str(rule.get(kind)) for rule in rules() if kind in rule]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def cases(kind: str, subject: str, expected: str) -> Iterator[tuple[str, bool]]:
    """What each case of the rule tests is about, and whether it expects anything."""
    for path in RULE_TESTS:
        for group in yaml.safe_load(path.read_text())["tests"]:
            for case in group.get(kind, []):
                yield case[subject], bool(case[expected])


@pytest.mark.parametrize("path", [CONFIG, STATIC_CONFIG], ids=lambda path: path.stem)
def test_promtool_accepts_the_configuration_and_the_rules_it_names(path: Path) -> None:
    result = promtool("check", "config", path)
    assert result.returncode == 0, result.stderr
    assert f"Checking {RULES}" in result.stdout


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_the_rules_answer_as_their_tests_say(path: Path) -> None:
    result = promtool("test", "rules", path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_recording_rule_has_a_case_with_a_value() -> None:
    asked = cases("promql_expr_test", "expr", "exp_samples")
    seen = [series_named(expr) for expr, has_value in asked if has_value]
    assert set(named("record")) - set().union(*seen) == set()


def test_every_alert_has_a_case_where_it_fires_and_one_where_it_must_not() -> None:
    seen = set(cases("alert_rule_test", "alertname", "exp_alerts"))
    assert {(name, fires) for name in named("alert") for fires in (True, False)} - seen == set()


@pytest.mark.parametrize("name", named("record"))
def test_a_recorded_name_is_level_metric_and_operation(name: str) -> None:
    assert re.fullmatch(
        r"(monitor|monitor_slice|monitor_check|job):(kullback|http)_[a-z_]+:[a-z0-9_]+", name
    )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("record") or rule.get("alert"))
def test_a_rule_reads_only_series_that_exist(rule: Rule) -> None:
    assert series_named(rule["expr"])
    assert strangers(rule["expr"]) == []


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    graveness = {"info", "warning", "critical", OF_CHECKS if CHECK in rule["expr"] else ""}
    assert rule["labels"]["severity"] in graveness
    texts = {"summary", "description", "runbook_url", "dashboard_url"}
    assert set(rule["annotations"]) - {"page_url"} == texts
    assert "$value" not in rule["annotations"]["summary"]
    assert "query" not in rule["annotations"]["summary"]
    # humanize writes 0.7 as 700m
    assert not any("humanize " in text for text in rule["annotations"].values())


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_leads_to_its_runbook_and_to_a_dashboard_of_what_it_is_of(name: str) -> None:
    annotations = ALERTS[name]["annotations"]
    page, _, anchor = annotations["runbook_url"].partition("#")
    assert page == f"https://kullback.example/docs/{ALERTS_PAGE.name}"
    headings = re.findall(r"^## (\w+)$", ALERTS_PAGE.read_text(), flags=re.MULTILINE)
    assert anchor == name.lower()
    assert name in headings
    found = re.fullmatch(
        r"http://127\.0\.0\.1:3000/d/([\w-]+)(?:\?var-(\w+)=\{\{ \$labels\.(\w+) \}\})?",
        annotations["dashboard_url"],
    )
    assert found is not None
    uid, variable, label = found.groups()
    (board,) = (board for board in map(read, DASHBOARDS) if board["uid"] == uid)
    assert variable == label
    assert variable is None or variable in {each["name"] for each in board["templating"]["list"]}
    assert variable is None or variable in annotations["summary"].partition("}}")[0]
    page = f"http://127.0.0.1:8000/{label}s/{{{{ $labels.{label} }}}}"
    assert annotations.get("page_url") == (None if label is None else page)


@pytest.mark.parametrize("path", [RULES, OPERATOR_RULES], ids=lambda path: path.name)
def test_the_line_of_the_page_puts_own_addresses_in_place_of_all_others(
    path: Path, tmp_path: Path
) -> None:
    (line,) = re.findall(r"^    (sed .+) rules\.yml$", ALERTS_PAGE.read_text(), flags=re.MULTILINE)
    copy = tmp_path / path.name
    copy.write_text(path.read_text())
    program, *arguments = shlex.split(line)
    subprocess.run([shutil.which(program) or program, *arguments, copy], check=True)  # noqa: S603
    changed = copy.read_text()
    assert len(re.findall(r"https://DOCS\.EXAMPLE/alerts\.html#kullback\w+", changed)) == len(
        ALERTS
    )
    assert changed.count("https://GRAFANA.EXAMPLE/d/kullback-") == len(ALERTS)
    assert re.findall(r"kullback\.example|127\.0\.0\.1", changed) == []


def test_every_check_that_may_warn_has_an_alert() -> None:
    asked = "".join(rule["expr"] for rule in ALERTS.values())
    patterns = re.findall(r'check=~?"([^"]*)"', asked)
    read_checks = {check for check in CHECKS for text in patterns if re.fullmatch(text, check)}
    assert read_checks == set(CHECKS)


def test_alerts_of_checks_wait_for_nothing() -> None:
    found = {name: rule for name, rule in ALERTS.items() if CHECK in rule["expr"]}
    assert len(found) == 7
    assert all("for" not in rule for rule in found.values())
    assert all(rule["labels"]["severity"] == OF_CHECKS for rule in found.values())


@pytest.mark.parametrize("name", sorted(ALERTS.keys() - UNMEASURED))
def test_an_alert_asks_for_enough_rows_before_it_judges(name: str) -> None:
    expression = ALERTS[name]["expr"]
    assert re.search(r">= \d+", expression) or CHECK in expression  # a check asks itself


def test_queries_inside_annotations_read_only_series_that_exist() -> None:
    texts = [text for rule in ALERTS.values() for text in rule["annotations"].values()]
    inside = [
        query for text in texts for query in re.findall(r'printf "([^"]*)" [^|]*\| query', text)
    ]
    assert inside
    for query in inside:
        assert strangers(query.replace("%q", '""')) == []


def test_the_job_that_rules_ask_for_is_scraped_at_the_port_the_image_exposes() -> None:
    asked = set(re.findall(r'job="(\w+)"', RULES.read_text()))
    assert asked == {"kullback"}
    (found,) = job_of(CONFIG)["dns_sd_configs"]
    (static,) = job_of(STATIC_CONFIG)["static_configs"]
    ports = {found["port"], *(int(target.rpartition(":")[2]) for target in static["targets"])}
    assert [f"EXPOSE {port}\n" in (ROOT / "Dockerfile").read_text() for port in ports] == [True]


def job_of(path: Path) -> Job:
    """The one job of a configuration that scrapes Kullback."""
    jobs: list[Job] = yaml.safe_load(path.read_text())["scrape_configs"]
    (job,) = (job for job in jobs if job["job_name"] == "kullback")
    return job
