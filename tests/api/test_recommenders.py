"""What recommenders are scored by, over HTTP: groups, tasks, lists, pairs, and their limits."""

import math

import numpy as np
import pyarrow as pa
import pytest
from httpx import AsyncClient

from kullback.payload.media import ARROW, PARQUET
from kullback.scoring.group_scores import MOST_ROWS
from tests.api.asking import Score, refused, score
from tests.payload.bodies import as_arrow, as_parquet, as_table

pytestmark = pytest.mark.anyio

GROUPED: Score = {
    "y_true": [1, 0, 0, 1, 0, 1],
    "y_proba": [0.9, 0.9, 0.1, 0.4, 0.5, 0.3],
    "group": ["ann", "ann", "ann", "bob", "bob", "cid"],
}
FORMS: list[tuple[str, Score]] = [
    ("recommender", GROUPED | {"per_group": True, "at": [1, 2]}),
    ("recommender", {"y_true": [[1, 0], [0, 1]], "logits": [[0.5, 1.0], [0.0, -1.0]]}),
    ("recommender", {"y_true": ["n", "y"], "logits": [0.5, "-Infinity"], "pos_label": "n"}),
    (
        "listwise-softmax",
        {"logits": [0.5, 1, "-Infinity"], "y_true": [1, 0, 0], "group": [7, 7, 7]},
    ),
    ("bpr", {"logits": [0.5, 1, 0], "y_true": [1, 0, 1], "group": ["a", "a", "a"]}),
    ("bpr", {"positive_logits": [0.5], "negative_logits": [[0.5, 1]], "mask": [[1, 0]]}),
    (
        "sampled-softmax",
        {
            "positive_logits": [0.5, 1],
            "negative_logits": [[0.5, 1], [0, 2]],
            "positive_log_q": [-1, -2],
            "negative_log_q": [[-1, -2], [-3, -4]],
        },
    ),
]


@pytest.mark.parametrize("at", ["1,2", ["1", "2"], "[1, 2]"])
async def test_cutoffs_have_commas_in_a_query(client: AsyncClient, at: str | list[str]) -> None:
    table, _ = as_table("recommender", GROUPED)
    answer = await client.post(
        "/v1/scores/recommender",
        content=as_arrow(table),
        params={"at": at},
        headers={"Content-Type": ARROW},
    )
    assert answer.json() == await score(client, "recommender", **GROUPED, at=[1, 2])


async def test_one_cutoff_needs_no_list(client: AsyncClient) -> None:
    one = await score(client, "recommender", **GROUPED, at=2)
    assert one == await score(client, "recommender", **GROUPED, at=[2])
    assert await refused(client, "recommender", **GROUPED, at=True) == "/at/0"
    assert await refused(client, "recommender", **GROUPED, at="1,x") == "/at"


@pytest.mark.parametrize(("metric", "fields"), FORMS)
@pytest.mark.parametrize(("media_type", "write"), [(ARROW, as_arrow), (PARQUET, as_parquet)])
async def test_tables_are_scored_as_json_is(
    client: AsyncClient, metric: str, fields: Score, media_type: str, write: object
) -> None:
    assert callable(write)
    table, options = as_table(metric, fields | {"gradient": True})
    answer = await client.post(
        f"/v1/scores/{metric}",
        content=write(table),
        params={name: str(value).lower() for name, value in options.items() if name != "at"}
        | {name: value for name, value in options.items() if name == "at"},
        headers={"Content-Type": media_type},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == await score(client, metric, **fields, gradient=True)


async def test_an_answer_does_not_grow_with_groups(client: AsyncClient) -> None:
    n = 3 * MOST_ROWS
    group, y = np.repeat(np.arange(n // 2), 2), np.tile([1, 0], n // 2)
    table = pa.table({"y_true": y, "y_proba": np.tile([0.75, 0.25], n // 2), "group": group})
    headers, body = {"Content-Type": ARROW}, as_arrow(table)
    answer = await client.post("/v1/scores/recommender", content=body, headers=headers)
    assert len(answer.content) < 2000
    details = answer.json()["details"]
    assert details["group_summary"]["groups"] == n // 2
    assert (details["grouped_auc"], details["groups"]) == (1.0, [])
    answer = await client.post(
        "/v1/scores/recommender?per_group=true", content=body, headers=headers
    )
    details = answer.json()["details"]
    assert [row["group"] for row in details["groups"]] == list(range(MOST_ROWS))
    assert details["groups_rest"]["groups"] == n // 2 - MOST_ROWS
    assert details["groups_rest"]["log_loss"] == pytest.approx(math.log(4 / 3), rel=1e-12)


async def test_too_many_pairs_are_refused_by_how_many_there_are(client: AsyncClient) -> None:
    n = 4000
    fields = {"logits": [0.0] * n, "y_true": [1, 0] * (n // 2)}
    answer = await client.post("/v1/scores/bpr", json=fields)
    assert answer.status_code == 422
    problem = answer.json()["errors"][0]
    assert problem["pointer"] == "/y_true"
    assert problem["detail"].startswith("4000000 pairs, where ")
    assert "negative_logits" in problem["detail"]
    groups = [row // 40 for row in range(n)]
    found = await score(client, "bpr", **fields, group=groups)
    assert found["details"]["pairs"] == n // 40 * 20 * 20
    assert found["value"] == pytest.approx(math.log(2), rel=1e-14)


async def test_too_many_tasks_are_refused(client: AsyncClient) -> None:
    fields = {"y_true": [[0] * 2000], "y_proba": [[0.5] * 2000]}
    assert await refused(client, "recommender", **fields) == "/y_true"


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("/logits", {}),
        ("/logits", {"logits": [1.0], "positive_logits": [1.0], "y_true": [1]}),
        ("/y_true", {"logits": [1.0]}),
        ("/y_true", {"positive_logits": [1.0], "negative_logits": [1.0], "y_true": [1]}),
        ("/group", {"positive_logits": [1.0], "negative_logits": [1.0], "group": [1]}),
        ("/negative_logits", {"positive_logits": [1.0]}),
        ("/negative_logits", {"logits": [1.0], "y_true": [1], "negative_logits": [1.0]}),
        ("/mask", {"logits": [1.0], "y_true": [1], "mask": [1]}),
    ],
)
async def test_one_form_of_pairs_is_sent(client: AsyncClient, place: str, fields: Score) -> None:
    assert await refused(client, "bpr", **fields) == place


async def test_items_of_weight_0_are_not_in_their_list(client: AsyncClient) -> None:
    fields = {"y_true": [1, 0], "group": ["a", "a"], "logits": [1.0, 0.0]}
    padded = {"y_true": [1, 0, 0], "group": ["a", "a", "a"], "logits": [1.0, 0.0, 9.0]}
    weight = {"sample_weight": [1, 1, 0]}
    for metric in ("listwise-softmax", "bpr"):
        expected = await score(client, metric, **fields, gradient=True)
        found = await score(client, metric, **padded, **weight, gradient=True)
        assert found["value"] == expected["value"]
        assert found["gradient"] == [*expected["gradient"], 0.0]
