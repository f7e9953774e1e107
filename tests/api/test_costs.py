"""What is small in bytes and large in work is refused before it is done, and names the limit."""

import json
from threading import Thread, current_thread
from time import process_time

import pytest
from httpx import AsyncClient, Response

from kullback.api.score_handlers import MetricHandler, Scored
from kullback.payload.media import JSON
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from tests.costs import ALLOWANCE, PER_KB, spent, walk
from tests.costs.forms import FORMS, NEEDED, options
from tests.payload.bodies import typed

pytestmark = [pytest.mark.anyio, pytest.mark.untraced]


def classes(n: int) -> list[int]:
    return [i % 3 for i in range(n)]


def segments(n: int, slices: int) -> dict[str, object]:
    return {f"s{i}": [str(row) for row in range(n)] for i in range(slices)}


def arms(n: int, count: int) -> dict[str, object]:
    return {
        "y_true": [row % 2 for row in range(n)],
        "y_proba": {f"a{i}": [0.5] * n for i in range(count)},
    }


async def scored(client: AsyncClient, metric: str, fields: dict[str, object]) -> Response:
    """The answer to fields; its CPU time is bounded by the size of its body."""
    body = json.dumps(fields, separators=(",", ":")).encode()
    before = process_time()
    answer = await client.post(f"/v1/scores/{metric}", content=body, headers=typed(JSON))
    seconds = process_time() - before
    assert seconds <= ALLOWANCE + PER_KB * len(body) / 1024
    return answer


@pytest.mark.parametrize(
    ("metric", "pointer", "fields"),
    [
        (
            "infocam",
            "/upsample_to",
            {"features": [[[0, 1], [1, 0]]], "weights": [[1], [0]], "upsample_to": [4096, 4096]},
        ),
        ("infocam", "/window", {"features": [[[0, 1]]], "weights": [[1], [0]], "window": 1024}),
        (
            "infocam",
            "/features",
            {
                "features": [[[[i]]] for i in classes(30_000)],
                "weights": [[i] for i in classes(30_000)],
            },
        ),
        (
            "infocam",
            "/weights",
            {
                "features": [[[[i]]] for i in classes(1000)],
                "weights": [[i] for i in classes(1000)],
            },
        ),
        ("compare", "/slice", arms(450, 2) | {"slice": segments(450, 20)}),
        ("compare", "/slice", arms(300, 20) | {"slice": segments(300, 1)}),
        (
            "calibration",
            "/bins",
            {"y_true": [0], "y_proba": [[1, *[0] * 9999]], "strategy": "quantile", "bins": 10_000},
        ),
        ("perplexity", "/token_logprobs", {"token_logprobs": [[]] * 300_000}),
    ],
)
async def test_it_is_refused_at_the_field_that_asks_for_most(
    client: AsyncClient, metric: str, pointer: str, fields: dict[str, object]
) -> None:
    answer = await scored(client, metric, fields)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert "limit" in error["detail"]


async def test_segments_are_counted_as_a_caller_counts_them(client: AsyncClient) -> None:
    details = {}
    for values in (120, 121):
        fields = arms(242, 2) | {"slice": {"s": [str(row % values) for row in range(242)]}}
        answer = await scored(client, "compare", fields)
        details[values] = answer.json()["errors"][0]["detail"] if answer.is_error else ""
    assert details[120] == ""
    assert details[121].startswith("121 values × 2 arms are 242 segments, where 240 are the limit")


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        (
            "gccs",
            {
                "latents": [[(i * 7 + j * 3) % 5 for j in range(300)] for i in range(600)],
                "y_true": [i % 300 for i in range(600)],
                "mu": 1,
                "sigma": 1,
            },
        ),
        ("calibration", {"y_true": [0], "y_proba": [[1, *[0] * 99_999]]}),
        (
            "calibration",
            {"y_true": [1] + [0] * 9999, "logits": [[1e307, 0]] + [[1e-300, 0]] * 9999},
        ),
        ("calibration", {"y_true": [0], "y_proba": [1], "bins": 10_000}),
        (
            "infocam",
            {"features": [[[0, 1], [1, 0]]], "weights": [[1], [0]], "upsample_to": [800, 800]},
        ),
        ("mutual-information", {"pair_scores": [[0] * 300] * 300, "gradient": True}),
        (
            "log-loss",
            {"y_true": [0, 1] * 50_000, "y_proba": [0.5, 0.25] * 50_000, "per_row": True},
        ),
        ("compare", arms(200, 2) | {"slice": {"s": ["a", "b"] * 100}}),
    ],
)
async def test_what_is_large_but_in_proportion_is_scored(
    client: AsyncClient, metric: str, fields: dict[str, object]
) -> None:
    answer = await scored(client, metric, fields)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("metric", "fields", "is_small"),
    [
        ("log-loss", {"y_true": [1, 0], "y_proba": [0.9, 0.2]}, True),
        ("compare", arms(2, 20), False),
        ("calibration", {"y_true": [0], "y_proba": [1], "bins": 10_000}, False),
        ("perplexity", {"token_logprobs": [[]] * 5000}, False),
    ],
)
async def test_what_is_small_in_bytes_and_large_in_work_leaves_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
    client: AsyncClient,
    metric: str,
    fields: dict[str, object],
    *,
    is_small: bool,
) -> None:
    threads = list[Thread]()
    score = MetricHandler.score

    def noted(handler: MetricHandler, request: ScoreRequest, cap: int) -> Scored:
        threads.append(current_thread())
        return score(handler, request, cap)

    monkeypatch.setattr(MetricHandler, "score", noted)
    assert (await scored(client, metric, fields)).status_code == 200
    assert [thread is current_thread() for thread in threads] == [is_small]


async def test_a_gcc_of_one_latent_makes_no_table_of_its_axes(client: AsyncClient) -> None:
    fields = {"latents": [[0] * 300_000], "y_true": [0], "mu": 1, "sigma": 1}
    answer = await scored(client, "gccs", fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/y_true"


@pytest.mark.parametrize(("entries", "compressed"), [(1, False), (400, True)])
def test_no_field_at_its_limits_takes_more_than_was_sent_for_it(
    entries: int, *, compressed: bool
) -> None:
    for asked in walk(entries):
        each = spent(asked, compressed=compressed)
        assert each.beyond <= ALLOWANCE, each
        assert each.inline <= ALLOWANCE / 2, each


def test_the_walk_leaves_no_field_out() -> None:
    for metric, model in REQUESTS.items():
        walked = {
            name
            for own, form in FORMS
            if own == metric
            for name in [*form, *NEEDED.get(metric, {}), *dict(options(metric, form, 1))]
        }
        assert walked == model.model_fields.keys(), metric
