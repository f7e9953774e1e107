"""The page of an experiment of any numbers: its guardrails, and no words of predictions."""

import json
import shlex

import numpy as np
import pytest

from tests.experiments.service import EXPERIMENT, PAIRED, PARALLEL, observe, report
from tests.monitoring.service import Document, Service
from tests.ui.experiments import opened

pytestmark = pytest.mark.anyio

LATENCY = {"metric": "outcome", "outcome": "latency", "minimum_effect": 10}
REVENUE = PARALLEL | {
    "metric": "outcome",
    "outcome": "revenue",
    "minimum_effect": 0.5,
    "guardrails": [
        LATENCY | {"higher_is_better": False},
        {"metric": "base_rate", "minimum_effect": "2%"},
    ],
}


async def sold(service: Service) -> None:
    """More revenue for b, at the price of latency."""
    await service.put(EXPERIMENT, **REVENUE)
    rng, n = np.random.default_rng(4), 3000
    second = np.arange(n) % 2
    await observe(
        service,
        arm=["ab"[at] for at in second],
        unit=list(range(n)),
        y_true=(rng.random(n) < 0.3).astype(float).tolist(),
        outcome={
            "revenue": (rng.exponential(10, n) + 3 * second).tolist(),
            "latency": (rng.normal(200, 30, n) + 25 * second).tolist(),
        },
    )


async def test_guardrails_have_a_row_each_with_their_verdict(service: Service) -> None:
    await sold(service)
    page = await opened(service)
    rails = (await report(service))["comparisons"][0]["guardrails"]
    latency, rate = page.rows("Guardrails")
    assert latency[:2] == ["latency ↓", "not worse by 10"]
    assert rate[:2] == ["base rate ↑", "not worse by 2% of the control's"]
    assert (latency[5], rate[5]) == ("worse", rails["base_rate"]["verdict"])
    assert float(latency[2]) == pytest.approx(rails["latency"]["effect"], rel=0.02)
    assert latency[6] == "< 0.001"
    assert page.links["Guardrails"] == "#guardrails"


async def test_what_hurts_a_guardrail_is_not_to_be_shipped_yet(service: Service) -> None:
    await sold(service)
    page = await opened(service)
    assert page.states[0] == "b is better than a"
    assert "Do not ship it before you have looked at latency." in page.text
    assert "Ship it: this holds" not in page.text


async def test_without_predictions_nothing_is_said_of_them(service: Service) -> None:
    await sold(service)
    page = await opened(service)
    words = " ".join(page.text.split())
    shown = words[: words.index("The report as Markdown")]
    for absent in ("predict", "rarer label", "Rarer label", "Log loss", "log loss", "Reliability"):
        assert absent not in shown, absent
    assert page.tables["The arms"][0] == [
        *(
            "Arm",
            "Rows",
            "Units",
            "Base rate",
            "revenue",
            "latency",
            "Effective rows rows of equal weight",
        ),
    ]


@pytest.mark.parametrize(
    "plan",
    [
        REVENUE,
        PARALLEL | {"metric": "outcome"},
        PARALLEL | {"metric": "ratio", "minimum_effect": "2%"},
        PARALLEL | {"metric": "base_rate", "covariate": True},
        PAIRED | {"metric": "outcome", "winsorize": {"upper": 9}},
        PAIRED | {"guardrails": [LATENCY]},
    ],
)
async def test_the_first_batch_is_one_that_the_plan_takes(service: Service, plan: Document) -> None:
    await service.put(EXPERIMENT, **plan)
    page = await opened(service)
    rows = json.loads(shlex.split(page.code[0].replace("\\\n", " "))[5])
    assert ("y_proba" in rows) == (plan.get("metric", "log_loss") == "log_loss")
    assert (await observe(service, **rows))["accepted"] == 2
