"""Calibration and the Brier score over HTTP: bins of every form, and what people sent."""

from typing import Any

import pyarrow as pa
import pytest
from httpx import AsyncClient

from tests.api.asking import refused, score
from tests.payload.bodies import as_arrow, typed

pytestmark = pytest.mark.anyio

SPIKE: dict[str, Any] = {"y_true": [1] * 10 + [0] * 90, "y_proba": [0.01] * 90 + [0.9] * 10}
ROWS: dict[str, Any] = {"y_true": [1, 0, 1, 0], "y_proba": [0.75, 0.25, 0.5, 1.0]}


@pytest.mark.parametrize("bins", [10, 15])
async def test_a_spike_at_the_least_score_is_not_swallowed(client: AsyncClient, bins: int) -> None:
    found = await score(client, "calibration", **SPIKE, strategy="quantile", bins=bins)
    assert found["value"] == pytest.approx(0.181, rel=1e-12)
    assert found["details"]["mce"] == pytest.approx(0.9, rel=1e-12)
    fields = {"y_true": [1] * 9 + [0] * 91, "y_proba": [0.0] * 90 + [0.8] * 10}
    found = await score(client, "calibration", **fields, strategy="quantile", bins=bins)
    assert found["value"] == pytest.approx(0.17, rel=1e-12)


@pytest.mark.parametrize("metric", ["calibration", "brier"])
async def test_a_whole_number_of_bins_may_be_written_as_a_float(
    client: AsyncClient, metric: str
) -> None:
    found = await score(client, metric, **ROWS, bins=10.0)
    assert found == await score(client, metric, **ROWS, bins=10)


async def test_edges_have_commas_in_a_query(client: AsyncClient) -> None:
    answer = await client.post(
        "/v1/scores/calibration",
        content="y_true,y_proba\n1,0.75\n0,0.25\n1,0.5\n0,1.0\n",
        params={"bins": "0,0.25,0.5,0.75,1"},
        headers={"Content-Type": "text/csv"},
    )
    found = await score(client, "calibration", **ROWS, bins=[0, 0.25, 0.5, 0.75, 1])
    assert answer.json() == found


@pytest.mark.parametrize("metric", ["calibration", "brier"])
async def test_edges_of_equal_width_are_that_number_of_bins(
    client: AsyncClient, metric: str
) -> None:
    found = await score(client, metric, **ROWS, bins=[0, 0.25, 0.5, 0.75, 1])
    expected = await score(client, metric, **ROWS, bins=4)
    assert found["value"] == expected["value"]
    assert found["details"] == expected["details"]
    assert found["conventions"]["bins"] == "given"
    assert "strategy" not in found["conventions"]


@pytest.mark.parametrize(("rule", "bins"), [("cube_root", 2), ("sweep", 4)])
async def test_a_rule_finds_a_number_of_bins(client: AsyncClient, rule: str, bins: int) -> None:
    fields = {"y_true": [0, 1, 0, 1], "y_proba": [0.1, 0.6, 0.4, 0.9]}
    found = await score(client, "calibration", **fields, bins=rule, strategy="quantile")
    expected = await score(client, "calibration", **fields, bins=bins, strategy="quantile")
    assert found["details"] == expected["details"]
    assert found["conventions"]["bins"] == rule


@pytest.mark.parametrize(
    ("metric", "bins", "pointer"),
    [
        ("calibration", 0, "/bins"),
        ("calibration", 10.5, "/bins"),
        ("calibration", 10_001, "/bins"),
        ("calibration", True, "/bins"),
        ("calibration", "auto", "/bins"),
        ("calibration", ["0", "1"], "/bins"),
        ("calibration", [0, 0.5], "/bins"),
        ("calibration", [0, 0.7, 0.5, 1], "/bins/2"),
        ("brier", "sweep", "/bins"),
        ("brier", [0, 0, 1], "/bins/1"),
    ],
)
async def test_other_bins_are_refused(
    client: AsyncClient, metric: str, bins: object, pointer: str
) -> None:
    assert await refused(client, metric, **ROWS, bins=bins) == pointer


async def test_a_refusal_of_bins_says_what_to_send(client: AsyncClient) -> None:
    answer = await client.post("/v1/scores/calibration", json=ROWS | {"bins": "auto"})
    assert answer.json()["detail"] == (
        'bins: expected a whole number or edges, as in [0, 0.1, 1]; or "cube_root" or "sweep"'
    )


@pytest.mark.parametrize("metric", ["calibration", "brier"])
async def test_edges_are_laid_already(client: AsyncClient, metric: str) -> None:
    edges = ROWS | {"bins": [0, 0.5, 1]}
    assert await refused(client, metric, **edges, strategy="uniform") == "/strategy"


@pytest.mark.parametrize("bins", ["[0,0.02,1]", "cube_root", "10.0"])
async def test_bins_are_options_beside_columns(client: AsyncClient, bins: str) -> None:
    columns = pa.table(ROWS)
    answer = await client.post(
        "/v1/scores/calibration",
        params={"bins": bins},
        content=as_arrow(columns),
        headers=typed("application/vnd.apache.arrow.stream"),
    )
    assert answer.status_code == 200, answer.text


async def test_one_hot_labels_are_labels(client: AsyncClient) -> None:
    p = [[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]
    for metric in ("calibration", "brier"):
        found = await score(client, metric, y_true=[[1, 0, 0], [0, 1, 0]], y_proba=p)
        assert found == await score(client, metric, y_true=[0, 1], y_proba=p)


async def test_each_label_is_calibrated_by_itself(client: AsyncClient) -> None:
    y, p = [[0, 1], [0, 1], [1, 1]], [[0.7, 0.7], [0.7, 0.7], [0.7, 0.65]]
    found = await score(client, "calibration", y_true=y, y_proba=p, task="multilabel")
    each = [
        await score(client, "calibration", y_true=list(labels), y_proba=list(column))
        for labels, column in zip(zip(*y, strict=True), zip(*p, strict=True), strict=True)
    ]
    values = [one["value"] for one in each]
    assert found["details"]["per_label"] == pytest.approx(values, rel=1e-12)
    assert found["value"] == pytest.approx(sum(values) / 2, rel=1e-12)
    pooled = await score(
        client,
        "calibration",
        y_true=[label for row in y for label in row],
        y_proba=[entry for row in p for entry in row],
    )
    assert found["details"]["micro"] == pytest.approx(pooled["value"], rel=1e-12)
    for name in ("mce", "rmsce", "smooth_ece", "brier"):
        assert found["details"][name] == pytest.approx(pooled["details"][name], rel=1e-12)
    assert found["details"]["table"] == pooled["details"]["table"]
    assert found["n"] == 3
    assert found["value"] > 2 * found["details"]["micro"]  # what cancels between labels


async def test_a_positive_label_is_of_a_binary_task(client: AsyncClient) -> None:
    for metric in ("calibration", "brier"):
        asked = {"y_true": [0, 1], "y_proba": [[0.5, 0.5], [0.5, 0.5]], "pos_label": 1}
        assert await refused(client, metric, **asked) == "/pos_label"
