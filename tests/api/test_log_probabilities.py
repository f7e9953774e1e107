"""Log-probabilities over HTTP, and pairs of distributions of different forms and sizes."""

import io
import math

import numpy as np
import pyarrow as pa
import pytest
from httpx import AsyncClient

from tests.api.asking import refused, score

pytestmark = pytest.mark.anyio

HALF, QUARTER = math.log(0.5), math.log(0.25)
PAIRS = ("cross-entropy", "kl-divergence", "js-divergence")


async def test_log_probabilities_with_infinities_are_taken(client: AsyncClient) -> None:
    found = await score(
        client, "entropy", p_log=[[math.log(0.5), math.log(0.5), "-Infinity"]], base="2"
    )
    assert found["value"] == pytest.approx(1.0, rel=1e-15)
    found = await score(client, "cross-entropy", p=[0.5, 0.5], q_log=[0.0, -800.0])
    assert found["value"] == 400.0


@pytest.mark.parametrize("metric", PAIRS)
async def test_rows_of_log_probabilities_that_do_not_sum_to_one_are_refused(
    client: AsyncClient, metric: str
) -> None:
    bad, half = [math.log(0.5), math.log(0.47)], [math.log(0.5)] * 2
    assert await refused(client, metric, p=[[0.5, 0.5]] * 2, q_log=[half, bad]) == "/q_log/1"
    assert await refused(client, metric, p_log=bad, q=[0.5, 0.5]) == "/p_log"
    loose = await score(client, metric, p_log=bad, q=[0.5, 0.5], on_unnormalized="renormalize")
    assert loose["diagnostics"]["renormalized"] == 1


@pytest.mark.parametrize("metric", PAIRS)
async def test_one_row_goes_beside_many(client: AsyncClient, metric: str) -> None:
    rows = [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]
    for one in ([0.5, 0.5], [[0.5, 0.5]]):
        found = await score(client, metric, p=one, q=rows[:2], per_row=True)
        each = [await score(client, metric, p=[0.5, 0.5], q=row) for row in rows[:2]]
        assert found["per_row"] == [single["value"] for single in each]
        found = await score(client, metric, p=rows, q=one, per_row=True, gradient=True)
        each = [await score(client, metric, p=row, q=[0.5, 0.5]) for row in rows]
        assert found["per_row"] == [single["value"] for single in each]
        assert np.shape(found["gradient"]) == np.shape(one)


@pytest.mark.parametrize("form", ["", "_log"])
async def test_rows_that_do_not_count_are_left_out_beside_one_row(
    client: AsyncClient, form: str
) -> None:
    one, kept = [0.3, 0.3, 0.4], [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]
    if form:
        one, kept = np.log(one).tolist(), np.log(kept).tolist()
    rows = [kept[0], [9.0, 9.0, 9.0], kept[1], [None, 0.1, 0.1]]
    asked = {"per_row": True, "gradient": True}
    more = {"sample_weight": [1, 0, 1, 1], "missing": "drop", **asked}
    for metric in PAIRS:
        for single, many in (("p", "q"), ("q", "p")):
            plain = {single + form: one, many + form: kept}
            expected = await score(client, metric, **plain, **asked)
            found = await score(client, metric, **{**plain, many + form: rows}, **more)
            assert found["value"] == expected["value"]
            assert found["diagnostics"]["dropped"] == 1
            assert [found["per_row"][0], found["per_row"][2]] == expected["per_row"]
            slopes = found["gradient"] if single == "q" else found["gradient"][::2]
            assert slopes == expected["gradient"]


async def test_rows_of_outcomes_that_do_not_count_are_left_out(client: AsyncClient) -> None:
    p, q = {"a": HALF, "b": QUARTER}, {"a": QUARTER, "c": HALF}
    expected = await score(client, "kl-divergence", p_top_logprobs=p, q_top_logprobs=q)
    asked = {"p_top_logprobs": p, "q_top_logprobs": [q, None, {"a": 3}], "per_row": True}
    weights = [1, 1, 0]
    found = await score(client, "kl-divergence", **asked, sample_weight=weights, missing="drop")
    assert found["per_row"] == [expected["value"], None, None]
    assert found["diagnostics"]["dropped_rows"] == [1]
    at = await refused(client, "kl-divergence", **asked, sample_weight=weights)
    assert at == "/q_top_logprobs/1"


async def test_directions_and_mixtures_are_options(client: AsyncClient) -> None:
    pair = {"p": [0.5, 0.5], "q": [0.25, 0.75], "base": "2"}
    found = await score(client, "kl-divergence", **pair, direction="reverse")
    assert found["value"] == pytest.approx(0.75 * math.log2(3) - 1, rel=1e-14)
    assert found["conventions"]["direction"] == "reverse"
    found = await score(client, "js-divergence", p=[1, 0], q=[0, 1], base="2", mixture_weight=0.25)
    assert found["value"] == pytest.approx(2 - 0.75 * math.log2(3), rel=1e-15)
    assert found["conventions"]["mixture_weight"] == 0.25
    for weight in (0, 1, -0.5, 2):
        at = await refused(client, "js-divergence", p=[1, 0], q=[0, 1], mixture_weight=weight)
        assert at == "/mixture_weight"
    assert await refused(client, "kl-divergence", **pair, direction="both") == "/direction"
    counts = {"p_counts": [1, 2], "q": [0.5, 0.5], "direction": "forward"}
    assert await refused(client, "kl-divergence", **counts) == "/direction"


@pytest.mark.parametrize("kind", [np.float32, np.float16])
async def test_a_column_of_logarithms_has_the_tolerance_of_its_type(
    client: AsyncClient, kind: type[np.floating]
) -> None:
    z = np.random.default_rng(3).normal(0, 2, (3, 500))
    shift = 2e-5 if kind is np.float32 else 2e-3  # beyond the tolerance of doubles
    logs = (z - np.log(np.exp(z).sum(axis=1, keepdims=True)) - shift).astype(kind)
    column = pa.FixedSizeListArray.from_arrays(pa.array(logs.reshape(-1)), 500)
    sink = io.BytesIO()
    table = pa.table({"p_log": column})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    media = {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = await client.post("/v1/scores/entropy", content=sink.getvalue(), headers=media)
    assert answer.status_code == 200, answer.text
    exact = logs.astype(np.float64)
    expected = -(np.exp(exact) * exact).sum(axis=1).mean()
    assert answer.json()["value"] == pytest.approx(expected, rel=1e-12)


async def test_log_proba_stands_in_place_of_y_proba(client: AsyncClient) -> None:
    asked = {"y_true": [1, 0], "log_proba": [-800.0, "-Infinity"], "per_row": True}
    for metric in ("log-loss", "recommender"):
        found = await score(client, metric, **asked)
        assert found["per_row"] == [800.0, 0.0]
    found = await score(client, "calibration", y_true=[1, 0], log_proba=[HALF, "-Infinity"])
    assert found["value"] == pytest.approx(0.25, rel=1e-15)
    rows = {"y_true": ["b", "a"], "log_proba": [[0.0, -800.0], [0.0, -800.0]], "labels": ["a", "b"]}
    found = await score(client, "log-loss", **rows)
    assert found["value"] == 400.0
    printed = await score(client, "log-loss", **asked, convention="sklearn")
    assert printed["per_row"][0] == pytest.approx(52 * math.log(2), rel=1e-15)


@pytest.mark.parametrize("metric", ["log-loss", "recommender", "calibration"])
async def test_log_proba_is_alone_and_checked(client: AsyncClient, metric: str) -> None:
    both = {"y_true": [1], "y_proba": [0.5], "log_proba": [-0.7]}
    assert await refused(client, metric, **both) == "/log_proba"
    assert await refused(client, metric, y_true=[1]) == "/y_proba"
    assert await refused(client, metric, y_true=[1], log_proba=[0.5]) == "/log_proba/0"
    rows = {"y_true": [1, 0], "log_proba": [[-0.7, -0.7], [-0.2, -0.2]]}
    at = "/log_proba" if metric == "recommender" else "/log_proba/0"
    assert await refused(client, metric, **rows) == at


TRUNCATED = (
    {"a": HALF, "b": QUARTER},
    {"a": {"logprob": HALF, "rank": 1}, "b": {"logprob": QUARTER}},
    [[{"token": "a", "logprob": HALF}, {"token": "b", "logprob": QUARTER}]],
    [{"token": "a", "logprob": HALF, "top_logprobs": [{"token": "b", "logprob": QUARTER}]}],
)


@pytest.mark.parametrize("p", TRUNCATED)
async def test_truncated_distributions_are_compared_in_the_forms_of_providers(
    client: AsyncClient, p: object
) -> None:
    q = {"a": QUARTER, "c": HALF, "d": "-Infinity"}
    found = await score(client, "kl-divergence", p_top_logprobs=p, q_top_logprobs=q, base="2")
    assert found["value"] == pytest.approx(1 - math.log2(3) / 2, rel=1e-14)
    assert (found["details"]["p_tail"], found["details"]["q_tail"]) == (0.5, 0.75)
    for metric in PAIRS:
        found = await score(client, metric, p_top_logprobs=p, q_top_logprobs=[q] * 3, per_row=True)
        assert found["n"] == 3
        assert found["details"]["bound"] == "lower"


async def test_truncated_distributions_that_are_none_are_refused_where_they_stand(
    client: AsyncClient,
) -> None:
    p = [{"a": HALF}, {"a": HALF}]
    for bad, place in (
        ([{"a": -1}, {"a": 1}], "/1"),
        ([{"a": -1}, {"a": "x"}], "/1"),
        ([{"a": -1}, None], "/1"),
        ([{"a": -1}, 3], "/1"),
        ([{"a": -0.1, "b": -0.1}, {"a": -1}], "/0"),
        ([{"a": -1}] * 3, ""),
        ([], ""),
        (3, ""),
    ):
        at = await refused(client, "kl-divergence", p_top_logprobs=p, q_top_logprobs=bad)
        assert at == f"/q_top_logprobs{place}"
    one = {"p_top_logprobs": p, "q": [0.5, 0.5]}
    assert await refused(client, "js-divergence", **one) == "/p_top_logprobs"
    both = {"p_top_logprobs": p, "q_top_logprobs": p, "gradient": True}
    assert await refused(client, "cross-entropy", **both) == "/gradient"


async def test_one_wide_row_beside_many_narrow_ones_costs_too_much(
    client: AsyncClient,
) -> None:
    wide = {str(i): -20.0 for i in range(20_000)}
    narrow = [{"0": -1.0}] * 20_000
    at = await refused(
        client, "kl-divergence", p_top_logprobs=[wide, *narrow], q_top_logprobs=[wide, *narrow]
    )
    assert at == "/p_top_logprobs"


async def test_many_rows_of_few_outcomes_do_not_cost_too_much(client: AsyncClient) -> None:
    rows = [{"a": HALF, "b": QUARTER}] * 30_000
    found = await score(client, "kl-divergence", p_top_logprobs=rows, q_top_logprobs=rows)
    assert (found["n"], found["value"]) == (30_000, 0.0)
