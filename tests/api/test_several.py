"""Several metrics of one body: each answers as it does alone, and refuses for itself."""

import json
from typing import Any

import pyarrow as pa
import pytest
from httpx import AsyncClient, Response

from kullback.api.problem_document import Problem
from kullback.api.several_answer import SeveralAnswer
from kullback.payload.media import ARROW, ARROW_FILE, JSON, PARQUET
from kullback.requests.several import readings
from kullback.scoring.catalog import METRICS
from tests.payload.bodies import as_arrow, as_arrow_file, as_json, as_parquet, typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]

CLICKS = {
    "y_true": [1, 0, 0, 1, 0],
    "y_proba": [0.75, 0.5, 0.25, 1.0, 0.125],
    "group": ["a", "b", "a", "b", "b"],
    "sample_weight": [1.0, 2.0, 0.5, 1.0, 3.0],
}
NAMES = ["log-loss", "calibration", "recommender"]
PLAIN = {name: CLICKS[name] for name in ("y_true", "y_proba", "sample_weight")}


async def asked(client: AsyncClient, fields: object, query: str = "") -> Response:
    return await client.post(f"/v1/scores{query}", json=fields)


async def alone(client: AsyncClient, metric: str, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    answer = await client.post(f"/v1/scores/{metric}", json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1], ["log_loss", "recommender"]])
async def test_each_answers_as_it_does_alone_in_the_order_named(
    client: AsyncClient, names: list[str]
) -> None:
    answer = await asked(client, {"metrics": names} | CLICKS | {"base": "2"})
    assert answer.status_code == 200, answer.text
    scores = SeveralAnswer.model_validate_json(answer.content).scores
    assert [*scores] == [name.replace("_", "-") for name in names]
    for name, score in answer.json()["scores"].items():
        own = CLICKS if name == "recommender" else PLAIN
        assert score == await alone(client, name, own | {"base": "2"})


@pytest.mark.parametrize("name", METRICS)
async def test_an_example_is_answered_alike_whatever_metric_is_beside_it(
    client: AsyncClient, name: str
) -> None:
    request = dict(METRICS[name].example.request)
    expected = await alone(client, name, request)
    for other in METRICS.keys() - {name}:
        for names in ([name, other], [other, name]):
            answer = await asked(client, {"metrics": names} | request)
            assert answer.status_code == 200, answer.text
            assert answer.json()["scores"][name] == expected


async def test_a_field_that_only_some_know_goes_to_those(client: AsyncClient) -> None:
    answer = await asked(client, {"metrics": NAMES, "bins": 2} | CLICKS)
    scores = answer.json()["scores"]
    assert scores["calibration"] == await alone(client, "calibration", PLAIN | {"bins": 2})
    assert scores["log-loss"] == await alone(client, "log-loss", PLAIN)


async def test_a_field_that_none_of_them_knows_is_refused(client: AsyncClient) -> None:
    answer = await asked(client, {"metrics": ["log-loss", "calibration"], "binz": 2} | PLAIN)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/binz", "detail": "there is no such field: did you mean bins?"}
    ]


async def test_a_refusal_stands_beside_the_scores(client: AsyncClient) -> None:
    fields = {"metrics": ["entropy", "log-loss", "calibration"], "bins": 0} | PLAIN
    answer = await asked(client, fields)
    assert answer.status_code == 200
    scores = answer.json()["scores"]
    assert scores["log-loss"]["status"] == "finite"
    for name, pointer in (("entropy", "/p"), ("calibration", "/bins")):
        problem = Problem.model_validate(scores[name])
        assert (problem.status, problem.errors[0].pointer) == (422, pointer)
        assert problem.request_id == answer.headers["x-request-id"]


async def test_what_every_metric_refuses_is_refused_with_the_places_of_all(
    client: AsyncClient,
) -> None:
    fields = PLAIN | {"y_proba": [2, 0.5, 0.5, 0.5, 0.5], "metrics": ["log-loss", "entropy"]}
    answer = await asked(client, fields)
    assert answer.status_code == 422
    problem = Problem.model_validate(answer.json())
    assert problem.total_errors == 2
    assert [each.pointer for each in problem.errors] == ["/y_proba/0", "/p"]
    assert [each.detail.partition(": ")[0] for each in problem.errors] == ["log-loss", "entropy"]
    assert "log-loss: y_proba: 2 is not in [0, 1]" in problem.detail


@pytest.mark.parametrize(
    ("named", "pointer"),
    [
        (None, "/metrics"),
        ([], "/metrics"),
        ("log-loss", "/metrics"),
        (["log-loss", "log-los"], "/metrics/1"),
        (["log-loss", 1], "/metrics/1"),
        (["log-loss", "log_loss"], "/metrics/1"),
        (["log-loss", ["entropy"]], "/metrics/1"),
    ],
)
async def test_metrics_that_there_are_not_are_named(
    client: AsyncClient, named: object, pointer: str
) -> None:
    answer = await asked(client, PLAIN if named is None else {"metrics": named} | PLAIN)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_metric_is_named_once_in_the_query_or_in_the_body(client: AsyncClient) -> None:
    in_query = await asked(client, PLAIN, "?metrics=log-loss,calibration")
    repeated = await asked(client, PLAIN, "?metrics=log-loss&metrics=calibration")
    in_body = await asked(client, {"metrics": ["log-loss", "calibration"]} | PLAIN)
    assert in_query.content == repeated.content == in_body.content
    both = await asked(client, {"metrics": ["log-loss"]} | PLAIN, "?metrics=log-loss")
    assert both.status_code == 422
    other = await asked(client, PLAIN, "?metrics=log-loss&base=2")
    assert other.json()["errors"][0]["pointer"] == "/base"


async def test_every_type_of_body_gives_the_same_bytes(client: AsyncClient) -> None:
    table = pa.table(CLICKS)
    expected = await asked(client, {"metrics": NAMES, "bins": 3, "base": "2"} | CLICKS)
    for media_type, write in (
        (ARROW, as_arrow),
        (ARROW_FILE, as_arrow_file),
        (PARQUET, as_parquet),
    ):
        answer = await client.post(
            f"/v1/scores?metrics={','.join(NAMES)}&bins=3&base=2",
            content=write(table),
            headers=typed(media_type),
        )
        assert answer.content == expected.content
    unnamed = await client.post("/v1/scores", content=as_arrow(table), headers=typed(ARROW))
    assert unnamed.status_code == 422
    assert unnamed.json()["errors"][0]["pointer"] == "/metrics"


async def test_columns_of_single_precision_are_read_once_for_all(client: AsyncClient) -> None:
    table = pa.table(
        {
            "y_true": pa.array([0, 1, 1], pa.int32()),
            "y_proba": pa.array([0.1, 0.7, 1.00001], pa.float32()),
        }
    )
    names = ["log-loss", "recommender", "calibration", "focal-loss"]
    together = await client.post(
        f"/v1/scores?metrics={','.join(names)}", content=as_arrow(table), headers=typed(ARROW)
    )
    for name in names:
        own = await client.post(f"/v1/scores/{name}", content=as_arrow(table), headers=typed(ARROW))
        problem = together.json()["scores"][name]
        expected = own.json()
        for each in (problem, expected):
            each.pop("request_id", None)
        assert problem == expected


@pytest.mark.parametrize("weight", [[1.0, None, 1.0], [1, None, 1], [1.0, float("nan"), 1.0]])
async def test_what_may_be_missing_in_one_metric_is_refused_by_another(
    client: AsyncClient, weight: list[float | None]
) -> None:
    rows = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 0.75]}
    table = pa.table(rows | {"sample_weight": weight})
    names = ["calibration", "log-loss", "recommender", "focal-loss"]
    query = f"?metrics={','.join(names)}&missing=drop"
    answer = await client.post(f"/v1/scores{query}", content=as_arrow(table), headers=typed(ARROW))
    assert answer.status_code == 200, answer.text
    for name, score in answer.json()["scores"].items():
        own = await client.post(
            f"/v1/scores/{name}?missing=drop", content=as_arrow(table), headers=typed(ARROW)
        )
        assert (own.status_code == 200) == ("value" in score), name
        if own.status_code == 200:
            assert score == own.json()


@pytest.mark.parametrize(
    "names", [["log-loss", "calibration", "recommender"], ["brier", "focal-loss", "log-loss"]]
)
def test_metrics_of_the_same_rows_read_them_once(names: list[str]) -> None:
    assert len(readings(names)) == 1


async def test_a_column_that_none_of_them_knows_is_refused(client: AsyncClient) -> None:
    table = pa.table(PLAIN | {"note": ["x"] * 5})
    query = "?metrics=log-loss,calibration"
    answer = await client.post(f"/v1/scores{query}", content=as_arrow(table), headers=typed(ARROW))
    assert answer.json()["errors"][0]["pointer"] == "/note"


async def test_the_costs_of_all_are_added(client: AsyncClient) -> None:
    n, names = 1000, ["entropy", "cross-entropy", "kl-divergence", "js-divergence"]
    rows = {"p": [[0.5, 0.5]] * n, "q": [[0.5, 0.5]] * n}
    assert (await asked(client, {"metrics": names} | rows)).status_code == 200
    bins = {"y_true": [0] * 50, "y_proba": [[1 / 30] * 30] * 50, "strategy": "quantile"}
    one = await client.post("/v1/scores/calibration", json=bins | {"bins": 10_000})
    assert one.status_code == 200
    wide = {"y_true": [0] * 50, "y_proba": [[1 / 180] * 180] * 50, "strategy": "quantile"}
    over = {"metrics": ["calibration", "log-loss"], "bins": 10_000} | wide
    answer = await asked(client, over)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/bins"


async def test_a_body_that_cannot_be_read_is_refused_as_a_whole(client: AsyncClient) -> None:
    broken = as_json({"metrics": NAMES} | CLICKS)[:-3]
    answer = await client.post("/v1/scores", content=broken, headers=typed(JSON))
    assert answer.status_code == 400
    unknown = await client.post("/v1/scores", content=b"x", headers=typed("text/html"))
    assert unknown.status_code == 415


async def test_a_large_body_is_scored_beside_the_loop(client: AsyncClient) -> None:
    n = 40_000
    fields = {"y_true": [0, 1] * (n // 2), "y_proba": [0.25] * n}
    answer = await asked(client, {"metrics": ["log-loss", "calibration"]} | fields)
    assert answer.json()["scores"]["log-loss"] == await alone(client, "log-loss", fields)


async def test_each_score_is_counted_and_no_refusal(own_client: AsyncClient) -> None:
    fields = {"metrics": ["log-loss", "calibration", "entropy"]} | PLAIN
    assert (await asked(own_client, fields)).status_code == 200
    counts = (await own_client.get("/metrics")).text
    for key, expected in (("log_loss", 1), ("calibration", 1), ("entropy", 0)):
        assert f'kullback_scores_total{{metric="{key}",status="finite"}} {expected}.0' in counts
    assert 'kullback_scores_rows_total{metric="calibration"} 5.0' in counts


async def test_the_document_names_the_metrics(client: AsyncClient) -> None:
    document = json.loads((await client.get("/openapi.json")).content)
    schema = document["components"]["schemas"]["SeveralRequest"]
    assert schema["properties"]["metrics"]["items"]["enum"] == [*METRICS]
    assert document["paths"]["/v1/scores"]["post"]["operationId"] == "score_several"
