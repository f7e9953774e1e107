"""An experiment on numbers of rows: outcomes, ratios, a covariate, guardrails."""

import math
from typing import Any

import numpy as np
import pytest

from kullback.numerics.types import Array, Indices
from kullback.tally.units import bucket_of
from tests.experiments.service import EXPERIMENT, NEW_EPOCH, OBSERVATIONS, observe, report
from tests.monitoring.service import Document, Service, done, refused
from tests.payload.batch_bodies import bodies
from tests.payload.bodies import typed

pytestmark = pytest.mark.anyio

REVENUE: Document = {
    "arms": ["a", "b"],
    "metric": "outcome",
    "outcome": "revenue",
    "minimum_effect": 0.2,
}
RNG = np.random.default_rng(7)
UNITS = 3000
N = 9000
UNIT: Indices = RNG.integers(0, UNITS, N)
BEFORE: Array = RNG.normal(size=UNITS)
OF_B = RNG.random(UNITS) < 0.5
VISITS: Array = RNG.poisson(2.0, N).astype(np.float64) + 1.0
SPENT: Array = BEFORE[UNIT] + RNG.normal(size=N) + 0.4 * OF_B[UNIT] - 1.0
ARM = np.where(OF_B, "b", "a")[UNIT].tolist()
ROWS: Document = {"arm": ARM, "unit": UNIT.tolist()}


def of_arms(values: Array) -> tuple[Array, Array]:
    """The values of the rows of b, and of those of a."""
    inside = OF_B[UNIT]
    return values[inside], values[~inside]


def ratio_error(numerator: Array, denominator: Array) -> tuple[float, float]:
    """The difference of two ratios of sums, and its standard error: the delta method by bucket."""
    buckets = of_arms(bucket_of(UNIT).astype(np.float64))
    u, ratios = np.zeros(1024), []
    for above, below, where, sign in zip(
        of_arms(numerator), of_arms(denominator), buckets, (1, -1), strict=True
    ):
        ratio, place = above.sum() / below.sum(), where.astype(np.int64)
        parts = np.bincount(place, above - ratio * below, 1024) / below.sum()
        count = np.unique(place).size
        u += sign * math.sqrt(count / (count - 1)) * parts
        ratios.append(ratio)
    return ratios[0] - ratios[1], math.sqrt(float(u @ u))


async def test_an_outcome_may_be_any_number_and_needs_no_predictions(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE)
    reply = await observe(service, **ROWS, outcome=SPENT.tolist())
    assert (reply["accepted"], reply["infinite"]) == (N, 0)
    document = await report(service)
    (comparison,) = document["comparisons"]
    effect, error = ratio_error(SPENT, np.ones(N))
    assert comparison["effect"] == pytest.approx(effect, rel=1e-12)
    assert comparison["standard_error"] == pytest.approx(error, rel=1e-9)
    assert comparison["relative_effect"] == pytest.approx(effect / of_arms(SPENT)[1].mean())
    assert (comparison["verdict"], comparison["why"]) == ("better", None)
    assert (document["outcome"], document["higher_is_better"]) == ("revenue", True)
    value = document["arms"][0]["metrics"]["revenue"]["value"]
    assert value == pytest.approx(of_arms(SPENT)[1].mean(), rel=1e-12)


async def test_what_needs_predictions_or_labels_says_that_there_are_none(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE)
    await observe(service, **ROWS, outcome=SPENT.tolist())
    (arm, _) = (await report(service))["arms"]
    found = {name: metric["reason"] for name, metric in arm["metrics"].items()}
    assert found.pop("revenue") is None
    assert found.pop("base_rate") == "missing_labels"
    assert set(found.values()) == {"missing_predictions"}
    assert (arm["reliability"], arm["diagnosis"]["slope"]) == ([], None)


async def test_conversions_need_no_predictions(service: Service) -> None:
    await service.put(EXPERIMENT, arms=["a", "b"], metric="base_rate", minimum_effect=0.05)
    converted = (SPENT > 0).astype(int)
    await observe(service, **ROWS, y_true=converted.tolist())
    document = await report(service)
    (comparison,) = document["comparisons"]
    effect, error = ratio_error(converted.astype(np.float64), np.ones(N))
    assert comparison["effect"] == pytest.approx(effect, rel=1e-12)
    assert comparison["standard_error"] == pytest.approx(error, rel=1e-9)
    assert comparison["metrics"]["log_loss"]["reason"] == "missing_predictions"
    assert document["warnings"] == []


async def test_some_rows_without_predictions_leave_none_of_them_a_metric(service: Service) -> None:
    await service.put(EXPERIMENT, arms=["a", "b"], metric="base_rate")
    part = {name: column[:100] for name, column in ROWS.items()}
    labels = (SPENT[:100] > 0).astype(int).tolist()
    await observe(service, **part, y_true=labels, y_proba=[0.5] * 100)
    (arm, _) = (await report(service))["arms"]
    assert arm["metrics"]["log_loss"]["value"] == pytest.approx(math.log(2))
    await observe(service, **part, y_true=labels)
    (arm, _) = (await report(service))["arms"]
    for name in ("log_loss", "brier", "auc", "ece", "mean_prediction", "normalized_entropy"):
        assert arm["metrics"][name]["reason"] == "missing_predictions"
    assert arm["metrics"]["base_rate"]["value"] == pytest.approx(
        of_arms((SPENT > 0).astype(np.float64)[:N])[1][: arm["n"] // 2].mean()
    )


async def test_a_ratio_is_of_sums_and_its_error_of_both(service: Service) -> None:
    await service.put(EXPERIMENT, arms=["a", "b"], metric="ratio", higher_is_better=False)
    await observe(service, **ROWS, numerator=SPENT.tolist(), denominator=VISITS.tolist())
    (comparison,) = (await report(service))["comparisons"]
    effect, error = ratio_error(SPENT, VISITS)
    assert comparison["effect"] == pytest.approx(effect, rel=1e-11)
    assert comparison["standard_error"] == pytest.approx(error, rel=1e-9)


async def test_denominators_that_sum_to_nothing_are_a_reason(service: Service) -> None:
    await service.put(EXPERIMENT, arms=["a", "b"], metric="ratio", minimum_effect=0.1)
    await observe(service, **ROWS, numerator=SPENT.tolist(), denominator=[0.0] * N)
    (comparison,) = (await report(service))["comparisons"]
    assert (comparison["effect"], comparison["reason_code"]) == (None, "zero_denominator")


async def test_bounds_move_the_outcome_and_are_counted(service: Service) -> None:
    plan = REVENUE | {"winsorize": {"lower": -1.5, "upper": 1.0}}
    await service.put(EXPERIMENT, **plan)
    await observe(service, **ROWS, outcome=SPENT.tolist())
    document = await report(service)
    (comparison,) = document["comparisons"]
    effect, error = ratio_error(np.clip(SPENT, -1.5, 1.0), np.ones(N))
    assert comparison["effect"] == pytest.approx(effect, rel=1e-12)
    assert comparison["standard_error"] == pytest.approx(error, rel=1e-9)
    beyond = of_arms(((SPENT < -1.5) | (SPENT > 1.0)).astype(np.float64))[1].mean()
    assert document["arms"][0]["winsorized"] == pytest.approx(beyond)
    assert document["winsorize"] == plan["winsorize"]


async def test_a_covariate_narrows_the_interval(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE, covariate=True)
    await observe(service, **ROWS, outcome=SPENT.tolist(), covariate=BEFORE[UNIT].tolist())
    (comparison,) = (await report(service))["comparisons"]
    of_covariate = comparison["covariate"]
    effect, error = ratio_error(SPENT, np.ones(N))
    assert of_covariate["unadjusted_effect"] == pytest.approx(effect, rel=1e-12)
    assert of_covariate["unadjusted_standard_error"] == pytest.approx(error, rel=1e-9)
    narrower = math.sqrt(1 - of_covariate["correlation"] ** 2)
    assert comparison["standard_error"] / error == pytest.approx(narrower, rel=2e-3)
    assert of_covariate["reduction"] == pytest.approx(1 - narrower**2, abs=2e-3)
    assert of_covariate["reduction"] > 0.6
    assert of_covariate["is_balanced"]
    headers = {"accept": "text/markdown"}
    page = (await service.client.get(f"{EXPERIMENT}/report", headers=headers)).text
    taken = f"{100 * of_covariate['reduction']:.3g}%"
    assert f"The covariate takes away {taken} of the variance of its effect." in page
    control = of_arms(SPENT)[1].mean()
    assert comparison["relative_effect"] == pytest.approx(comparison["effect"] / control)


async def test_a_covariate_that_the_arm_moved_is_told(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE, covariate=True)
    moved = BEFORE[UNIT] + 0.5 * OF_B[UNIT]
    await observe(service, **ROWS, outcome=SPENT.tolist(), covariate=moved.tolist())
    document = await report(service)
    assert not document["comparisons"][0]["covariate"]["is_balanced"]
    (warning,) = document["warnings"]
    assert warning.startswith("b: its covariate differs from the control's")


async def test_a_guardrail_that_suffers_is_told_with_the_verdict(service: Service) -> None:
    rails = [
        {"metric": "outcome", "outcome": "latency", "minimum_effect": 0.01},
        {"metric": "ratio", "minimum_effect": 0.5},
    ]
    rails[0]["higher_is_better"] = False
    await service.put(EXPERIMENT, **REVENUE, guardrails=rails)
    latency = RNG.normal(size=N) + 0.5 * OF_B[UNIT]
    outcomes = {"revenue": SPENT.tolist(), "latency": latency.tolist()}
    ratio = {"numerator": SPENT.tolist(), "denominator": VISITS.tolist()}
    await observe(service, **ROWS, outcome=outcomes, **ratio)
    document = await report(service)
    (comparison,) = document["comparisons"]
    assert comparison["verdict"] == "better"
    assert comparison["reason"].endswith("But guardrail latency is worse.")
    found = comparison["guardrails"]
    assert {name: rail["verdict"] for name, rail in found.items()} == {
        "latency": "worse",
        "ratio": "not_worse",
    }
    assert found["latency"]["effect"] == pytest.approx(ratio_error(latency, np.ones(N))[0])
    family = [comparison, *found.values()]
    least = min(each["fixed_p_value"] for each in family)
    assert min(each["adjusted"]["holm"] for each in family) == pytest.approx(3 * least)


async def test_paired_arms_have_an_outcome_each_of_every_row(service: Service) -> None:
    await service.put(
        EXPERIMENT, arms=["a", "b"], design="paired", metric="outcome", minimum_effect=0.05
    )
    ndcg = {"a": RNG.random(N), "b": RNG.random(N)}
    ndcg["b"] = np.minimum(ndcg["a"] + 0.1 * ndcg["b"], 1.0)
    sent = {arm: values.tolist() for arm, values in ndcg.items()}
    await observe(service, unit=UNIT.tolist(), outcome=sent)
    (comparison,) = (await report(service))["comparisons"]
    difference = ndcg["b"] - ndcg["a"]
    parts = np.bincount(bucket_of(UNIT), difference - difference.mean(), 1024) / N
    count = np.unique(bucket_of(UNIT)).size
    assert comparison["effect"] == pytest.approx(difference.mean(), rel=1e-9)
    error = math.sqrt(count / (count - 1) * float(parts @ parts))
    assert comparison["standard_error"] == pytest.approx(error, rel=1e-9)


FOUR: Document = {"arm": ["a", "b", "a", "b"], "unit": [1, 2, 3, 4]}
WRONG: dict[str, tuple[Document, Document, str, str]] = {
    "no outcome": (REVENUE, {}, "/outcome", "the plan expects it of every row"),
    "an outcome too few": (REVENUE, {"outcome": [1, 2, 3]}, "/outcome", "3 rows where"),
    "a null": (REVENUE, {"outcome": [1, None, 3, 4]}, "/outcome/1", "null"),
    "a huge number": (REVENUE, {"outcome": [1, 2, 1e101, 4]}, "/outcome/2", "is not in"),
    "another outcome": (
        REVENUE,
        {"outcome": {"revenue": [1, 2, 3, 4], "cost": [1, 2, 3, 4]}},
        "/outcome/cost",
        "no such outcome: revenue",
    ),
    "an outcome without its name": (
        REVENUE,
        {"outcome": {"cost": [1, 2, 3, 4]}},
        "/outcome/cost",
        "no such outcome",
    ),
    "an outcome that is not planned": (
        {"arms": ["a", "b"], "metric": "base_rate"},
        {"y_true": [0, 1, 0, 1], "outcome": [1, 2, 3, 4]},
        "/outcome",
        'plan it with metric "outcome"',
    ),
    "a covariate that is not planned": (
        REVENUE,
        {"outcome": [1, 2, 3, 4], "covariate": [1, 2, 3, 4]},
        "/covariate",
        '"covariate": true',
    ),
    "a denominator below 0": (
        {"arms": ["a", "b"], "metric": "ratio"},
        {"numerator": [1, 2, 3, 4], "denominator": [1, 2, -3, 4]},
        "/denominator/2",
        "-3 is not in [0, 1e+100]",
    ),
    "no denominator": (
        {"arms": ["a", "b"], "metric": "ratio"},
        {"numerator": [1, 2, 3, 4]},
        "/denominator",
        "missing",
    ),
    "no predictions": (
        {"arms": ["a", "b"]},
        {"y_true": [0, 1, 0, 1]},
        "/y_proba",
        "log_loss is of predictions",
    ),
    "no labels": ({"arms": ["a", "b"], "metric": "base_rate"}, {}, "/y_true", "base_rate is of"),
    "predictions without labels": (
        REVENUE,
        {"outcome": [1, 2, 3, 4], "y_proba": [0.5] * 4},
        "/y_true",
        "predictions are of labels",
    ),
    "an outcome of arms, of parallel ones": (
        {"arms": ["a", "b"], "metric": "ratio"},
        {"numerator": {"a": [1, 2, 3, 4]}, "denominator": [1, 2, 3, 4]},
        "/numerator",
        "parallel",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_rows_that_do_not_fit_are_refused_where_they_are_wrong(
    service: Service, wrong: str
) -> None:
    plan, columns, place, why = WRONG[wrong]
    await service.put(EXPERIMENT, **plan)
    answer = await service.client.post(OBSERVATIONS, json=FOUR | columns)
    assert refused(answer)[1] == place
    assert why in answer.json()["errors"][0]["detail"]


async def test_bad_outcomes_may_be_left_out(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE)
    reply = await observe(service, **FOUR, outcome=[1, 2, 1e300, 4], on_invalid="drop")
    assert (reply["accepted"], reply["rejected"]) == (3, 1)
    assert reply["rejections"][0]["pointer"] == "/outcome/2"


IMPOSSIBLE: dict[str, tuple[Document, str]] = {
    "a name without an outcome": ({"outcome": "x"}, "/outcome"),
    "the name of a metric": (REVENUE | {"outcome": "auc"}, "/outcome"),
    "losses of which more is better": ({"higher_is_better": True}, "/higher_is_better"),
    "bounds of a loss": ({"winsorize": {"upper": 1}}, "/winsorize"),
    "bounds in no order": (REVENUE | {"winsorize": {"lower": 2, "upper": 1}}, "/winsorize/upper"),
    "no bounds": (REVENUE | {"winsorize": {}}, "/winsorize"),
    "a covariate of paired arms": (REVENUE | {"design": "paired", "covariate": True}, "/covariate"),
    "a guardrail twice": (
        REVENUE | {"guardrails": [{"metric": "ratio", "minimum_effect": 1}] * 2},
        "/guardrails/1",
    ),
    "a guardrail that is the metric": (
        {"guardrails": [{"metric": "log_loss", "minimum_effect": 1}]},
        "/guardrails/0",
    ),
    "a guardrail without a margin": ({"guardrails": [{"metric": "brier"}]}, "/guardrails/0"),
    "a guardrail of a negative margin": (
        {"guardrails": [{"metric": "brier", "minimum_effect": -1}]},
        "/guardrails/0/minimum_effect",
    ),
    "two outcomes of paired arms": (
        REVENUE
        | {
            "design": "paired",
            "guardrails": [{"metric": "outcome", "outcome": "y", "minimum_effect": 1}],
        },
        "/guardrails/0/outcome",
    ),
}


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
async def test_plans_that_do_not_fit_are_refused(service: Service, wrong: str) -> None:
    fields, place = IMPOSSIBLE[wrong]
    answer = await service.client.put(EXPERIMENT, json={"arms": ["a", "b"]} | fields)
    assert refused(answer)[1].startswith(place)


async def test_a_plan_that_is_sent_back_changes_nothing(service: Service) -> None:
    rails = [{"metric": "base_rate", "minimum_effect": 0.1, "higher_is_better": False}]
    plan = REVENUE | {"winsorize": {"upper": 9}, "covariate": True, "guardrails": rails}
    setup = await service.put(EXPERIMENT, **plan)
    again = {name: setup[name] for name in setup if name not in {"name", "epoch"}}
    changed = await service.put(EXPERIMENT, **again)
    assert changed["change"]["fields"] == []
    assert changed["guardrails"] == [rails[0] | {"objective": "non_inferiority"}]


async def test_another_measure_opens_an_epoch(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE)
    await observe(service, **FOUR, outcome=[1, 2, 3, 4])
    refused(await service.client.put(EXPERIMENT, json=REVENUE | {"covariate": True}), 409)
    done(await service.client.put(NEW_EPOCH, json=REVENUE | {"covariate": True}))


async def test_numbers_come_in_any_form_of_rows(service: Service) -> None:
    rail = {"metric": "outcome", "outcome": "cost", "minimum_effect": 1}
    plan = REVENUE | {"guardrails": [rail]}
    columns: dict[str, Any] = FOUR | {
        "outcome": {"revenue": [1.5, -2.0, 0.0, 4.25], "cost": [0.5, 0.5, 1.0, 3.0]}
    }
    found = []
    for kind, body in bodies(columns):
        await service.client.delete(EXPERIMENT)
        await service.put(EXPERIMENT, **plan)
        done(await service.client.post(OBSERVATIONS, content=body, headers=typed(kind)))
        found.append((await report(service))["arms"])
    assert found == found[:1] * len(found)
    assert found[0][1]["metrics"]["revenue"]["value"] == pytest.approx(1.125)
