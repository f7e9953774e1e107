"""What single metrics of predictions promise: conventions, labels, one class, infinite bins."""

import math
from typing import get_args

import numpy as np
import pytest
from httpx import AsyncClient

from kullback.scoring.conventions import ConventionName
from tests.api.asking import refused, score

pytestmark = pytest.mark.anyio

COST_OF_ZERO = {
    "sklearn": -math.log(np.finfo(np.float64).eps),
    "torchrec": -math.log2(1e-12),
    "lightgbm": -math.log(np.float32(1e-15)),
    "xgboost": -math.log(np.float32(1e-16)),
    "keras": -math.log(np.float32(1e-7)),
    "torch": 100.0,
    "lightgbm_cross_entropy": -math.log(1e-12),
    "river": -math.log(1e-15),
    "spark": -math.log(1e-15),
}


def test_every_convention_is_told_apart() -> None:
    assert {"exact", "catboost", *COST_OF_ZERO} == set(get_args(ConventionName))


@pytest.mark.parametrize("convention", COST_OF_ZERO)
async def test_every_convention_has_its_cost_of_zero(client: AsyncClient, convention: str) -> None:
    found = await score(client, "log-loss", y_true=[1], y_proba=[0.0], convention=convention)
    assert found["value"] == pytest.approx(COST_OF_ZERO[convention], rel=1e-6)
    assert found["conventions"]["convention"] == convention
    assert found["diagnostics"]["clipped"] == 1
    report = await score(client, "recommender", y_true=[1], y_proba=[0.0], convention=convention)
    assert report["value"] == found["value"]


async def test_an_epsilon_of_ones_own_clips(client: AsyncClient) -> None:
    asked = {"y_true": [1], "y_proba": [0.0], "epsilon": 0.25, "base": "2"}
    for metric in ("log-loss", "recommender"):
        found = await score(client, metric, **asked)
        assert found["value"] == 2.0
        assert found["conventions"]["convention"] == "epsilon"
        assert found["conventions"]["epsilon"] == 0.25
        assert found["diagnostics"]["clipped"] == 1


@pytest.mark.parametrize("epsilon", [0, 0.5, -1e-9, 0.7, None])
@pytest.mark.parametrize("metric", ["log-loss", "recommender"])
async def test_an_epsilon_out_of_its_range_or_beside_a_convention_is_refused(
    client: AsyncClient, metric: str, epsilon: float | None
) -> None:
    row = {"y_true": [1], "y_proba": [0.5]}
    if epsilon is None:
        for convention in get_args(ConventionName):
            asked = row | {"epsilon": 1e-9, "convention": convention}
            assert await refused(client, metric, **asked) == "/epsilon"
    else:
        assert await refused(client, metric, **row, epsilon=epsilon) == "/epsilon"


async def test_torchrec_prints_bits_unless_a_base_is_sent(client: AsyncClient) -> None:
    half = {"y_true": [1], "y_proba": [0.5], "convention": "torchrec"}
    found = await score(client, "log-loss", **half)
    assert (found["value"], found["unit"], found["conventions"]["base"]) == (1.0, "bits", "2")
    found = await score(client, "log-loss", **half, base="e")
    assert (found["value"], found["unit"]) == (math.log(2), "nats")


async def test_labels_are_in_column_order_and_never_sorted(client: AsyncClient) -> None:
    fields = {"y_true": ["dog", "cat"], "y_proba": [[0.75, 0.25], [0.75, 0.25]]}
    dogs = await score(client, "log-loss", **fields, labels=["dog", "cat"], per_row=True)
    cats = await score(client, "log-loss", **fields, labels=["cat", "dog"], per_row=True)
    expected = [-math.log(0.75), -math.log(0.25)]
    assert dogs["per_row"] == pytest.approx(expected, rel=1e-15)
    assert cats["per_row"] == pytest.approx(expected[::-1], rel=1e-15)
    assert await refused(client, "log-loss", **fields, labels=["dog", "cow"]) == "/y_true/1"


async def test_rows_without_any_label_are_not_free(client: AsyncClient) -> None:
    found = await score(
        client, "log-loss", y_true=[[0, 0]], y_proba=[[0.5, 0.5]], task="multilabel"
    )
    assert found["value"] == pytest.approx(math.log(2), rel=1e-15)


async def test_confidence_1_falls_into_the_last_bin(client: AsyncClient) -> None:
    found = await score(client, "calibration", y_true=[1, 0], y_proba=[1.0, 0.0], bins=4)
    assert [row["count"] for row in found["details"]["table"]] == [1, 0, 0, 1]


async def test_one_class_has_no_normalized_entropy(client: AsyncClient) -> None:
    found = await score(client, "recommender", y_true=[1, 1], y_proba=[0.5, 0.25])
    assert found["status"] == "finite"
    for name in ("normalized_entropy", "relative_information_gain", "auc"):
        assert found["details"][name] is None
        assert found["details"]["reasons"][name] == "one_class"


async def test_a_bin_that_q_rules_out_is_infinite(client: AsyncClient) -> None:
    found = await score(client, "kl-divergence", p=[0.5, 0.5], q=[1.0, 0.0], gradient=True)
    assert (found["status"], found["reason"]) == ("infinite", "positive_infinity")
    assert found["gradient"][1] is None
    assert found["details"]["cross_entropy"] is None
    assert found["details"]["reasons"]["cross_entropy"] == "positive_infinity"


async def test_js_of_a_subnormal_is_finite_and_of_equals_is_zero(client: AsyncClient) -> None:
    found = await score(client, "js-divergence", p=[0.0, 1.0], q=[5e-324, 1.0])
    assert found["status"] == "finite"
    assert 0 <= found["value"] < 1e-300
    found = await score(client, "js-divergence", p=[0.1, 0.9], q=[0.1, 0.9])
    assert (found["value"], found["details"]["distance"]) == (0.0, 0.0)


async def test_a_huge_gap_of_logits_loses_no_digits(client: AsyncClient) -> None:
    found = await score(client, "softmax-cross-entropy", logits=[[1e4, 0.0]], y_true=[1])
    assert found["value"] == 1e4
