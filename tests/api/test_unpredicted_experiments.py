"""Experiments on outcomes without predictions: pages, and requests within their days."""

import numpy as np
import pytest

from kullback.numerics.types import Array
from tests.experiments.service import EXPERIMENT, observe, report
from tests.monitoring.service import NOON, Document, Service

pytestmark = pytest.mark.anyio

REVENUE: Document = {
    "arms": ["a", "b"],
    "metric": "outcome",
    "outcome": "revenue",
    "minimum_effect": 0.2,
}
RNG = np.random.default_rng(7)
N = 4000
BEFORE: Array = RNG.normal(size=N)
SPENT: Array = BEFORE + RNG.normal(size=N)
ROWS: Document = {"arm": np.where(RNG.random(N) < 0.5, "b", "a").tolist(), "unit": list(range(N))}


@pytest.mark.parametrize("accept", ["application/json", "text/markdown", "text/html"])
async def test_experiments_without_predictions_have_reports_and_pages(
    service: Service, accept: str
) -> None:
    await service.put(EXPERIMENT, **REVENUE, covariate=True, slices=["country"])
    countries = np.where(RNG.random(N) < 0.5, "DE", "FR").tolist()
    covariate = BEFORE.tolist()
    columns = ROWS | {"outcome": SPENT.tolist(), "covariate": covariate}
    await observe(service, **columns, slice={"country": countries})
    for path in (f"{EXPERIMENT}/report?by=country", f"{EXPERIMENT}/series"):
        answer = await service.client.get(path, headers={"Accept": accept})
        assert answer.status_code == 200
    for path in ("/experiments/ranker", "/experiments/ranker?by=country", "/"):
        answer = await service.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, path
    assert "revenue" in (await service.client.get("/experiments/ranker")).text
    assert (await service.client.get("/metrics")).status_code == 200


async def test_an_empty_experiment_on_outcomes_has_a_page(service: Service) -> None:
    await service.put(EXPERIMENT, **REVENUE, covariate=True)
    page = await service.client.get("/experiments/ranker")
    assert page.status_code == 200
    (comparison,) = (await report(service))["comparisons"]
    assert (comparison["effect"], comparison["reason_code"]) == (None, "empty")


@pytest.mark.parametrize("metric", ["outcome", "ratio"])
async def test_requests_are_compared_within_their_days(service: Service, metric: str) -> None:
    """Days differ in shares and in level: what is pooled is biased, what is within them is not."""
    day = np.arange(N) % 2
    of_b = RNG.random(N) < np.where(day == 0, 0.1, 0.7)
    value = SPENT + 5.0 * day
    times = (NOON - 86400.0 * (1 - day)).tolist()
    columns: Document = {"arm": np.where(of_b, "b", "a").tolist(), "unit": list(range(N))}
    if metric == "ratio":
        columns |= {"numerator": value.tolist(), "denominator": [2.0] * N}
    else:
        columns |= {"outcome": value.tolist()}
    plan = {"arms": {"a": 0.6, "b": 0.4}, "metric": metric, "assignment": "request"}
    await service.put(EXPERIMENT, **plan)
    await observe(service, **columns, timestamp=times)
    document = await report(service)
    assert document["strata"] is not None
    (comparison,) = document["comparisons"]
    scale, weights, effects = 1.0 if metric == "outcome" else 2.0, [], []
    for at in (0, 1):
        ours, theirs = value[(day == at) & of_b], value[(day == at) & ~of_b]
        weights.append(ours.size * theirs.size / (ours.size + theirs.size))
        effects.append((ours.mean() - theirs.mean()) / scale)
    assert comparison["effect"] == pytest.approx(np.average(effects, weights=weights), rel=1e-9)
    pooled = (value[of_b].mean() - value[~of_b].mean()) / scale
    assert abs(comparison["effect"] - pooled) > 20 * comparison["standard_error"]
    assert comparison["metrics"]["log_loss"]["reason"] == "missing_predictions"
