"""The rules that Prometheus is shipped with hold, and each of them has been seen to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict

import pytest
import yaml

from tests.deploy.families import series_named, strangers
from tests.deploy.files import CONFIG, ROOT, RULE_TESTS, RULES, promtool

UNMEASURED = {  # one is enough: no volume to ask for, or the verdict has asked for it
    "KullbackDown",
    "KullbackExperimentDecided",
    "KullbackExperimentInvalid",
    "KullbackSeriesDropped",
}


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


def test_promtool_accepts_the_configuration_and_the_rules_it_names() -> None:
    result = promtool("check", "config", CONFIG)
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
    assert re.fullmatch(r"(monitor|monitor_slice|job):(kullback|http)_[a-z_]+:[a-z0-9_]+", name)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("record") or rule.get("alert"))
def test_a_rule_reads_only_series_that_exist(rule: Rule) -> None:
    assert series_named(rule["expr"])
    assert strangers(rule["expr"]) == []


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_grave_it_is_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}
    # humanize writes 0.7 as 700m
    assert not any("humanize " in text for text in rule["annotations"].values())


@pytest.mark.parametrize("name", sorted(ALERTS.keys() - UNMEASURED))
def test_an_alert_asks_for_enough_rows_before_it_judges(name: str) -> None:
    assert re.search(r">= \d+", ALERTS[name]["expr"])


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
    jobs = {job["job_name"]: job for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"]}
    assert asked == {"kullback"}
    (found,) = jobs["kullback"]["dns_sd_configs"]
    assert f"EXPOSE {found['port']}\n" in (ROOT / "Dockerfile").read_text()
