"""What Prometheus computes from real replicas is what the API says, and what is true."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from time import time

import httpx
import numpy as np
import pytest

from tests.deploy.expressions import Variables, expressions
from tests.deploy.live import (
    EXPERIMENT,
    MONITOR,
    Prometheus,
    Traffic,
    experiment,
    prometheus,
    until,
)
from tests.postgresql import Server
from tests.serving import serving

WRONG = "wrong"
OF_IT = f'{{monitor="{MONITOR}"}}'
LOSS = f"sum(kullback_loss_nats_total{OF_IT}) / sum(kullback_weight_total{OF_IT})"
RATE = (
    "sum by (monitor) (rate(kullback_loss_nats_total[20s])) "
    "/ sum by (monitor) (rate(kullback_weight_total[20s]))"
)
AVERAGED = "avg(rate(kullback_loss_nats_total[20s]) / rate(kullback_weight_total[20s]))"
FED_SECONDS = 22


@dataclass(frozen=True, slots=True)
class Stack:
    """Two replicas on one PostgreSQL, a Prometheus that scrapes both, and what was sent."""

    replicas: list[str]
    prometheus: Prometheus
    traffic: Traffic
    rate: float
    averaged: float

    def report(self) -> dict[str, object]:
        answer = httpx.get(f"{self.replicas[0]}/v1/monitors/{MONITOR}/report")
        report: dict[str, object] = answer.json()
        return report


@pytest.fixture(scope="module")
def stack(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with ExitStack() as held:
        url = postgresql.url(held.enter_context(postgresql.database()))
        replicas = [
            held.enter_context(serving(KULLBACK_DATABASE_URL=url)).address for _ in range(2)
        ]
        folder = tmp_path_factory.mktemp("prometheus")
        server = held.enter_context(prometheus(replicas, folder))
        _set_up(replicas[0])
        experiment(replicas[-1])
        traffic = Traffic(replicas)
        until(lambda: len(server.values("kullback_weight_total == 0")) == 2, "scraped at zero")
        with traffic.flowing():
            fed = f"count_over_time(kullback_weight_total[1h]) >= {FED_SECONDS}"
            until(lambda: len(server.values(fed)) == 2, "fed")
            rate, averaged = server.value(RATE), server.value(AVERAGED)
        _use_everything(replicas)
        rows = sum(part.size for part in traffic.y)
        until(lambda: server.value("sum(kullback_weight_total)") == rows, "all rows scraped")
        recent = f"min(kullback_recent_examples) == {rows}"
        until(lambda: len(server.values(recent)) == 1, "gauges fresh")
        of_experiments = "kullback_experiment_e_value"
        until(lambda: len(server.values(of_experiments)) == len(replicas), "experiments seen")
        _miscalibrated(replicas[0])
        warned = f'monitor_check:kullback_check:max{{monitor="{WRONG}", check="calibration"}} == 2'
        until(lambda: bool(server.values(warned)), "what is wrong found")
        yield Stack(replicas, server, traffic, rate, averaged)


def _set_up(replica: str) -> None:
    """A monitor with a slice and a reference that its scores have drifted from."""
    monitor = f"{replica}/v1/monitors/{MONITOR}"
    for path, body in (
        ("", {"slices": ["country"]}),
        ("/reference", {"y_true": [0, 1] * 50, "y_proba": [i / 100 for i in range(100)]}),
    ):
        answer = httpx.put(monitor + path, json=body)
        assert answer.status_code in (200, 201), answer.text


def _miscalibrated(replica: str) -> None:
    """A monitor whose predictions are six times what happens, with a feature and a reference."""
    monitor = f"{replica}/v1/monitors/{WRONG}"
    assert httpx.put(monitor, json={"features": {"age": "numeric"}}).status_code == 201
    rows: dict[str, object] = {"y_true": [0, 0, 0, 0, 0, 0, 0, 0, 0, 1] * 200}
    rows |= {"y_proba": [0.6] * 2000, "features": {"age": list(range(2000))}}
    assert httpx.put(f"{monitor}/reference", json=rows).is_success
    assert httpx.post(f"{monitor}/observations", json=rows).status_code == 200


def _use_everything(replicas: list[str]) -> None:
    """Requests of each kind that a dashboard shows: some wait, some are refused."""
    for replica in replicas:
        monitor = f"{replica}/v1/monitors/{MONITOR}"
        score = {"y_true": [1, 0], "y_proba": [0.9, 0.2]}
        assert httpx.post(f"{replica}/v1/scores/log-loss", json=score).status_code == 200
        assert httpx.post(f"{replica}/v1/scores/log-loss", json={}).status_code == 422
        waiting = {"id": [replica], "y_proba": [0.5]}
        assert httpx.post(f"{monitor}/predictions", json=waiting).status_code == 200
        late = {"id": [f"label of {replica}"], "y_true": [1]}
        assert httpx.post(f"{monitor}/labels", json=late).status_code == 200


def test_the_counters_of_all_replicas_give_the_log_loss_of_the_report(stack: Stack) -> None:
    report = stack.report()
    metrics = report["metrics"]
    assert isinstance(metrics, dict)
    told, truth = metrics["log_loss"]["value"], stack.traffic.log_loss()

    assert report["n"] == sum(part.size for part in stack.traffic.y)
    assert told == pytest.approx(truth, rel=1e-12)
    assert stack.prometheus.value(LOSS) == pytest.approx(truth, rel=1e-9)


def test_the_rate_form_is_close_where_an_average_of_ratios_is_not(stack: Stack) -> None:
    truth = stack.traffic.log_loss()

    assert stack.rate == pytest.approx(truth, rel=0.02)
    assert abs(stack.averaged / truth - 1) > 0.05


def test_gauges_say_what_the_report_says_on_every_replica(stack: Stack) -> None:
    metrics = stack.report()["metrics"]
    assert isinstance(metrics, dict)

    for name in ("ece", "auc", "calibration_ratio", "normalized_entropy"):
        values = [value for _, value in stack.prometheus.values(f"kullback_recent_{name}{OF_IT}")]
        assert values == [pytest.approx(metrics[name]["value"], rel=1e-9)] * 2


def test_the_drift_that_was_made_is_seen(stack: Stack) -> None:
    psi = stack.prometheus.values('kullback_drift_psi{of="score"} > 0.25')
    surely = stack.prometheus.values('kullback_drift_p_value{of="score"} < 0.001')

    assert len(psi) == len(surely) == 2


def test_gauges_of_an_experiment_say_what_its_report_says_on_every_replica(stack: Stack) -> None:
    answer = httpx.get(f"{stack.replicas[0]}/v1/experiments/{EXPERIMENT}/report").json()
    (told,) = answer["comparisons"]
    low, high = told["sequence"]
    expected = {"effect": told["effect"], "effect_low": low, "effect_high": high}
    expected |= {name: told[name] for name in ("standard_error", "e_value")}

    for name, value in expected.items():
        found = stack.prometheus.values(f"kullback_experiment_{name}")
        assert [told for _, told in found] == [pytest.approx(value, rel=1e-12)] * 2
    verdicts = stack.prometheus.values("kullback_experiment_verdict == 1")
    assert [labels["verdict"] for labels, _ in verdicts] == [told["verdict"]] * 2 == ["better"] * 2


def test_no_rule_fails(stack: Stack) -> None:
    answer = httpx.get(f"{stack.prometheus.address}/api/v1/rules").json()
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    assert len(rules) > 20
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_each_query_of_the_dashboards_finds_a_series(stack: Stack) -> None:
    of_each = [
        expressions(Variables(monitor=monitor, experiment=EXPERIMENT, rate_interval="60s"))
        for monitor in (MONITOR, WRONG)
    ]
    asked = list(zip(*of_each, strict=True))

    assert len(asked) > 70
    answers = [any(stack.prometheus.values(one.text) for one in some) for some in asked]
    assert [some[0] for some, found in zip(asked, answers, strict=True) if not found] == []


def test_a_backfill_of_a_bad_month_sets_off_no_alert(stack: Stack) -> None:
    """5,000 rows of last month, six times too many predicted, then 2,000 sound ones of now."""
    server, random = stack.prometheus, np.random.default_rng(3)
    monitor = f"{stack.replicas[0]}/v1/monitors/backfilled"
    assert httpx.put(monitor, json={"retention_days": 60}).status_code == 201
    of_it = '{monitor="backfilled"}'
    until(lambda: bool(server.values(f"kullback_examples_total{of_it}")), "scraped at zero")
    old = {
        "y_true": (random.random(5000) < 0.1).astype(int).tolist(),
        "y_proba": [0.6] * 5000,
        "timestamp": (time() - random.uniform(20, 40, 5000) * 86_400).tolist(),
    }
    new = {"y_true": [1] * 600 + [0] * 1400, "y_proba": [0.3] * 2000}
    for rows, backfilled in ((old, 5000), (new, 0)):
        answer = httpx.post(f"{monitor}/observations", json=rows)
        assert answer.json()["backfilled"] == backfilled
    seen = f"kullback_backfilled_total{of_it} == 5000 and kullback_examples_total >= 2000"
    until(lambda: bool(server.values(seen)), "all rows scraped")
    ratio = f"monitor:kullback_prediction_mean:ratio_rate1h{of_it}"
    until(lambda: bool(server.values(ratio)), "rules evaluated")
    assert server.value(ratio) == pytest.approx(0.3, rel=0.02)
    calibration = 'monitor_check:kullback_check:max{monitor="backfilled", check="calibration"}'
    until(lambda: bool(server.values(calibration)), "judged")
    assert server.value(calibration) == 0
    assert server.values(f"ALERTS{of_it}") == []
