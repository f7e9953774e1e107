"""The contract of every score: one envelope, the worked examples, and what happens at the edges."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from httpx import ASGITransport, AsyncClient

from kullback.main import create_app
from kullback.payload.media import MEDIA_TYPES
from kullback.scoring.catalog import METRICS
from kullback.settings import Settings
from tests.api.asking import Score, refused, score
from tests.payload.bodies import IS_JSON, as_json

pytestmark = pytest.mark.anyio

DETAILS = {
    "entropy": {"normalized", "effective_outcomes", "maximum"},
    "cross-entropy": {"entropy", "kl_divergence", "perplexity"},
    "kl-divergence": {"cross_entropy", "entropy"},
    "js-divergence": {"distance", "mean_distance"},
    "log-loss": {"accuracy", "brier", "macro"},
    "softmax-cross-entropy": {"accuracy", "perplexity", "normalizer", "macro"},
    "sigmoid-cross-entropy": {"per_label", "valid"},
    "focal-loss": {"positives"},
    "calibration": {
        *("mce", "rmsce", "brier", "table", "decomposition", "temperature", "classwise"),
        "smooth_ece",
    },
    "brier": {
        *("skill_score", "reliability", "resolution", "uncertainty", "within_bin_variance"),
        "within_bin_covariance",
    },
    "recommender": {
        *("normalized_entropy", "relative_information_gain", "calibration_ratio", "base_rate"),
        *("mean_prediction", "brier", "ece", "auc", "grouped_auc", "macro_log_loss", "groups"),
    },
    "perplexity": {
        *("mean_nll", "nll", "n_tokens", "bits_per_token", "bits_per_byte", "log10_perplexity"),
        "sequences",
    },
    "mutual-information": {
        *("entropy_x", "entropy_y", "conditional_entropy", "upper_bound", "estimator"),
    },
    "pc-softmax": {"mutual_information", "predictions", "predictions_prior"},
    "gan-loss": {
        *("generator", "discriminator_real", "discriminator_fake", "discriminator_accuracy"),
        "jsd_lower_bound",
    },
    "gccs": {
        *("loss_mean", "kl_per_class", "predictions", "accuracy", "margins", "pairwise_distance"),
        *("ideal_accuracy", "separation", "robustness"),
    },
    "infocam": {
        *("map", "box", "area", "components", "degenerate", "logits", "target", "iou"),
        "pointwise_information",
    },
    "compare": {
        *("design", "metric", "control", "alpha", "minimum_effect", "minimum_units", "convention"),
        *("arms", "comparisons", "sample_ratio", "crossover", "groups", "warnings"),
    },
    "listwise-softmax": {"lists", "without_positives", "of_one_item", "target_entropy"},
    "bpr": {"pairs", "auc", "groups", "groups_without_pairs"},
    "sampled-softmax": {"accuracy", "negatives"},
}
NOT_ASKED = {"compare": {"minimum_effect", "power", "strata"}}  # null as nothing was sent
UNITS = {"brier": "squared probability", "calibration": "probability", "perplexity": "tokens"}
WITHOUT_WEIGHTS = {"gan-loss", "gccs"}
WITH_GRADIENT: dict[str, Score] = {
    name: dict(metric.example.request)
    for name, metric in METRICS.items()
    if name not in {"calibration", "compare"}
} | {
    "perplexity": {"logits": [[[0.5, 0.0], [1.0, 2.0]]], "y_true": [[0, 1]]},
    "mutual-information": {"logits": [[1.0, 0.0], [0.0, 1.0]], "y_true": [0, 1]},
}
BINARY: dict[str, Any] = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.25, 1.0]}


@pytest.mark.parametrize("metric", METRICS)
async def test_every_worked_example_gives_what_it_says(client: AsyncClient, metric: str) -> None:
    example = METRICS[metric].example
    found = await score(client, metric, **example.request)
    assert found["metric"] == metric.replace("-", "_")
    assert found["value"] == pytest.approx(example.value, rel=1e-12)
    for name, value in example.details.items():
        expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-12)
        assert found["details"][name] == expected


@pytest.mark.parametrize("metric", METRICS)
async def test_every_detail_of_the_contract_stands_in_the_answer(
    client: AsyncClient, metric: str
) -> None:
    found = await score(client, metric, **METRICS[metric].example.request)
    assert found["details"].keys() >= DETAILS[metric]
    nulls = {name for name, value in found["details"].items() if value is None}
    reasons = found["details"].get("reasons", {})
    assert nulls <= reasons.keys() | NOT_ASKED.get(metric, set())


SUMMED = {  # metrics of which the example has rows that sum to 1
    *("entropy", "cross-entropy", "kl-divergence", "js-divergence", "log-loss"),
    "pc-softmax",
}


@pytest.mark.parametrize("metric", METRICS)
async def test_what_was_asked_is_echoed_in_the_conventions(
    client: AsyncClient, metric: str
) -> None:
    asked = {"base": "10", "reduction": "sum", "on_unnormalized": "renormalize"}
    convention = "exact"
    if metric == "compare":  # a difference of means, under what poisons no experiment
        asked["reduction"], convention = "mean", "sklearn"
    if metric == "calibration":  # of bins, not of rows
        asked["reduction"] = "mean"
    if metric == "brier":  # no information
        asked["base"] = "e"
    if metric not in SUMMED:
        asked["on_unnormalized"] = "error"
    found = await score(client, metric, **(dict(METRICS[metric].example.request) | asked))
    assert found["conventions"].items() >= (asked | {"convention": convention}).items()
    assert found["unit"] == UNITS.get(metric, "hartleys")


async def test_the_catalog_lists_every_metric(client: AsyncClient) -> None:
    found = (await client.get("/v1/scores")).json()["scores"]
    assert [entry["name"] for entry in found] == list(METRICS)
    for entry in found:
        assert entry.keys() == {
            *("name", "title", "summary", "unit", "range", "direction", "href"),
        }
        assert (await client.get(entry["href"])).status_code == 200


@pytest.mark.parametrize("metric", METRICS)
async def test_an_entry_of_the_catalog_can_be_posted_as_it_is(
    client: AsyncClient, metric: str
) -> None:
    entry = (await client.get(f"/v1/scores/{metric}")).json()
    assert entry["formula"] == METRICS[metric].formula
    assert entry["request_schema"]["additionalProperties"] is False
    assert entry["media_types"] == [*MEDIA_TYPES]
    found = await score(client, metric, **entry["example"])
    assert found["value"] == pytest.approx(entry["answer"]["value"], rel=1e-12)
    assert entry["answer"]["explanation"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_metric_is_answered_with_the_nearest_one(
    client: AsyncClient, method: str
) -> None:
    answer = await client.request(method, "/v1/scores/log-los", json={})
    assert answer.status_code == 404
    assert "did you mean log-loss?" in answer.json()["detail"]
    answer = await client.request(method, "/v1/scores/zzz", json={})
    assert answer.status_code == 404
    assert all(name in answer.json()["detail"] for name in METRICS)


@pytest.mark.parametrize("metric", sorted(WITH_GRADIENT.keys() - {"gan-loss", "sampled-softmax"}))
async def test_a_gradient_has_the_shape_of_its_array(client: AsyncClient, metric: str) -> None:
    request = WITH_GRADIENT[metric]
    found = await score(client, metric, **request, gradient=True)
    arrays = ("q", "logits", "y_proba", "p", "latents", "features")
    name = next(name for name in arrays if name in request)
    assert np.shape(found["gradient"]) == np.shape(request[name])


async def test_the_gradient_of_two_arrays_is_an_object_of_two(client: AsyncClient) -> None:
    sent: Score = {"positive_logits": [1.0, 2.0], "negative_logits": [[0.5, 1, 2], [0, 1, 2]]}
    for metric in ("bpr", "sampled-softmax"):
        found = await score(client, metric, **sent, gradient=True)
        shapes = {name: np.shape(array) for name, array in found["gradient"].items()}
        assert shapes == {"positive_logits": (2,), "negative_logits": (2, 3)}
    sent = {"real_logits": [1.0, 2.0, 3.0], "fake_logits": [0.5]}
    found = await score(client, "gan-loss", **sent, gradient=True)
    assert {name: np.shape(array) for name, array in found["gradient"].items()} == {
        "real_logits": (3,),
        "fake_logits": (1,),
    }


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - {"calibration", "gccs"}))
async def test_there_is_a_number_for_every_row(client: AsyncClient, metric: str) -> None:
    found = await score(
        client, metric, **(dict(METRICS[metric].example.request) | {"per_row": True})
    )
    assert len(found["per_row"]) == found["n"]


async def test_a_sum_over_classes_has_no_rows(client: AsyncClient) -> None:
    found = await score(client, "gccs", **METRICS["gccs"].example.request, per_row=True)
    assert found["per_row"] is None


@pytest.mark.parametrize(
    ("metric", "name", "value"),
    [
        ("calibration", "per_row", True),
        ("calibration", "reduction", "sum"),
        ("brier", "base", "2"),
    ],
)
async def test_an_option_that_would_do_nothing_is_refused(
    client: AsyncClient, metric: str, name: str, value: object
) -> None:
    request = METRICS[metric].example.request
    assert await refused(client, metric, **request, **{name: value}) == f"/{name}"


async def test_one_distribution_is_a_row_and_a_batch_is_rows(client: AsyncClient) -> None:
    one = await score(client, "entropy", p=[0.5, 0.5], gradient=True, per_row=True)
    many = await score(client, "entropy", p=[[0.5, 0.5]], gradient=True, per_row=True)
    assert one["gradient"] == many["gradient"][0]
    assert one["per_row"] == many["per_row"]
    assert (one["n"], many["n"]) == (1, 1)


async def test_infinite_rows_are_all_counted_and_the_first_twenty_named(
    client: AsyncClient,
) -> None:
    y_true, y_proba = [1] * 100, [0.0, 0.5] * 50
    found = await score(client, "log-loss", y_true=y_true, y_proba=y_proba, per_row=True)
    assert (found["status"], found["value"]) == ("infinite", None)
    assert found["reason"] == "positive_infinity"
    assert found["diagnostics"]["infinite"] == 50
    assert found["diagnostics"]["infinite_rows"] == list(range(0, 40, 2))
    assert [index for index, loss in enumerate(found["per_row"]) if loss is None] == list(
        range(0, 100, 2)
    )
    assert found["standard_error"] is None


async def test_a_row_of_weight_0_adds_nothing_even_if_it_is_infinite(client: AsyncClient) -> None:
    found = await score(client, "log-loss", y_true=[1, 1], y_proba=[0.0, 0.5], sample_weight=[0, 2])
    assert found["status"] == "finite"
    assert found["value"] == pytest.approx(math.log(2), rel=1e-15)
    assert (found["n"], found["weight"]) == (1, 2.0)
    assert found["diagnostics"]["infinite"] == 0


@pytest.mark.parametrize("metric", sorted(METRICS.keys() - WITHOUT_WEIGHTS))
async def test_without_any_weight_a_score_is_undefined(client: AsyncClient, metric: str) -> None:
    request: Score = dict(METRICS[metric].example.request)
    rows = next(
        (len(request[name]) for name in ("y_true", "token_logprobs", "x") if name in request), 1
    )
    found = await score(client, metric, **(request | {"sample_weight": [0] * rows}))
    assert (found["status"], found["reason"]) == ("undefined", "zero_weight")


@pytest.mark.parametrize("metric", sorted(WITHOUT_WEIGHTS))
async def test_weights_that_mean_nothing_are_refused(client: AsyncClient, metric: str) -> None:
    request = METRICS[metric].example.request
    for weights in ([1], [1, 1, 1, 1]):
        assert await refused(client, metric, **request, sample_weight=weights) == "/sample_weight"


@pytest.mark.parametrize("metric", METRICS)
async def test_no_rows_are_refused(client: AsyncClient, metric: str) -> None:
    request = METRICS[metric].example.request
    empty = {name: [] if isinstance(value, list) else value for name, value in request.items()}
    assert (await refused(client, metric, **empty)).split("/")[1] in request


@pytest.mark.parametrize(
    ("metric", "name", "others"),
    [
        ("entropy", "logits", {}),
        ("entropy", "counts", {}),
        ("kl-divergence", "p_counts", {"q": [0.5, 0.5]}),
        ("perplexity", "token_logprobs", {}),
        ("perplexity", "logits", {"y_true": [[0]]}),
        ("perplexity", "top_logprobs", {"y_true": [["a"]]}),
        ("mutual-information", "joint", {}),
        ("mutual-information", "pair_scores", {}),
        ("mutual-information", "logits", {"y_true": [0]}),
        ("gan-loss", "fake_logits", {"real_logits": [1.0]}),
        ("gccs", "adversarial_latents", METRICS["gccs"].example.request),
        ("infocam", "weights", {"features": [[[1.0]]]}),
    ],
)
async def test_no_rows_of_any_form_are_refused(
    client: AsyncClient, metric: str, name: str, others: Score
) -> None:
    place = await refused(client, metric, **(dict(others) | {name: []}))
    assert place in (f"/{name}", "/y_true")


async def test_the_standard_error_is_that_of_the_mean(client: AsyncClient) -> None:
    fields = {"y_true": [1, 1, 1, 1], "y_proba": [0.5, 0.25, 0.5, 0.125], "per_row": True}
    found = await score(client, "log-loss", **fields)
    losses = np.array(found["per_row"])
    assert found["standard_error"] == pytest.approx(losses.std(ddof=1) / 2, rel=1e-12)
    total = await score(client, "log-loss", **fields, reduction="sum")
    assert total["value"] == pytest.approx(4 * found["value"], rel=1e-12)
    assert total["standard_error"] == pytest.approx(4 * found["standard_error"], rel=1e-12)
    assert total["details"] == found["details"]
    bits = await score(client, "log-loss", **fields, base="2")
    assert bits["value"] == pytest.approx(found["value"] / math.log(2), rel=1e-12)


async def test_rows_must_sum_to_1_within_the_tolerance(client: AsyncClient) -> None:
    rows = [[0.5, 0.5], [0.5, 0.5001]]
    assert await refused(client, "entropy", p=rows) == "/p/1"
    assert await refused(client, "entropy", p=rows[1]) == "/p"
    found = await score(client, "entropy", p=rows, sum_tolerance=0.001)
    assert found["diagnostics"]["max_sum_error"] == pytest.approx(1e-4, rel=1e-9)
    assert found["diagnostics"]["renormalized"] == 0
    found = await score(client, "entropy", p=rows, on_unnormalized="renormalize")
    assert found["diagnostics"]["renormalized"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("group", [[1, 1], [2, 2], [3, 3]]),
        ("sample_weight", [[1, 1, 1]]),
        ("y_true", [[[1], [0], [1]]]),
    ],
)
async def test_a_list_has_no_more_axes_than_its_field(
    client: AsyncClient, field: str, value: object
) -> None:
    answer = await client.post("/v1/scores/recommender", json=BINARY | {field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{field}"
    assert "axes, where at most" in answer.json()["detail"]


LOGITS: dict[str, dict[str, Any]] = {
    "entropy": {"logits": ["-Infinity", 0, 0]},
    "cross-entropy": {"p": [0, 0.5, 0.5], "q_logits": ["-Infinity", 0, 0]},
    "kl-divergence": {"p_logits": ["-Infinity", 0, 0], "q_logits": ["-Infinity", 0, 0]},
    "softmax-cross-entropy": {"logits": [["-Infinity", 0, 0]], "y_true": [1]},
    "focal-loss": {"logits": [["-Infinity", 0, 0]], "y_true": [1], "gamma": 0},
    "calibration": {"logits": [["-Infinity", 0, 0]], "y_true": [1]},
    "sigmoid-cross-entropy": {"logits": ["-Infinity", 0], "y_true": [0, 1]},
    "perplexity": {"logits": [[["-Infinity", 0, 0]]], "y_true": [[1]]},
    "mutual-information": {"logits": [["-Infinity", 0, 0]], "y_true": [1]},
    "pc-softmax": {"logits": [["-Infinity", 0, 0]], "y_true": [1]},
}


@pytest.mark.parametrize("metric", LOGITS)
async def test_minus_infinity_rules_an_outcome_out(client: AsyncClient, metric: str) -> None:
    found = await score(client, metric, **LOGITS[metric])
    assert found["status"] == "finite"


@pytest.mark.parametrize("metric", [name for name in LOGITS if name != "sigmoid-cross-entropy"])
async def test_a_row_of_nothing_but_minus_infinity_is_refused(
    client: AsyncClient, metric: str
) -> None:
    name = next(name for name in LOGITS[metric] if "logits" in name)
    text = json.dumps(LOGITS[metric]).replace(
        '"-Infinity", 0, 0', '"-Infinity", ' * 2 + '"-Infinity"'
    )
    place = await refused(client, metric, **json.loads(text))
    assert place.startswith(f"/{name}")


@pytest.mark.parametrize("metric", ["entropy", "cross-entropy", "js-divergence", "log-loss"])
async def test_minus_infinity_is_no_probability(client: AsyncClient, metric: str) -> None:
    request = dict(METRICS[metric].example.request)
    name = "y_proba" if metric == "log-loss" else "p"
    assert await refused(client, metric, **(request | {name: ["-Infinity", 1]})) == f"/{name}/0"


BATCH: dict[str, list[float]] = {
    "y_true": [i % 3 == 0 for i in range(20_000)],
    "y_proba": [(i % 97) / 97 for i in range(20_000)],
}


@pytest.mark.parametrize("metric", ["log-loss", "calibration", "recommender"])
async def test_a_worker_answers_as_the_loop_does_to_the_byte(
    metric: str, settings: Settings
) -> None:
    fields = {"y_true": [int(y) for y in BATCH["y_true"]], "y_proba": BATCH["y_proba"]}
    body = as_json(fields | {"per_row": metric != "calibration"})
    answers = []
    for inline_kb in (0, 1 << 20):
        app = create_app(settings.model_copy(update={"inline_kb": inline_kb}))
        async with (
            app.router.lifespan_context(app),
            AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
        ):
            path = f"/v1/scores/{metric}"
            answers.append(await client.post(path, content=body, headers=IS_JSON))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("metric", METRICS)
async def test_a_worker_gives_every_worked_example(metric: str, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"inline_kb": 0}))
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://kullback") as client,
    ):
        example = METRICS[metric].example
        found = await score(client, metric, **example.request)
    assert found["value"] == pytest.approx(example.value, rel=1e-12)


async def test_long_lists_are_written_whole(client: AsyncClient) -> None:
    logits = [[float(i % 7), float(i % 5), 0.5] for i in range(10_000)]
    found = await score(
        client,
        "softmax-cross-entropy",
        logits=logits,
        y_true=[i % 3 for i in range(10_000)],
        per_row=True,
        gradient=True,
    )
    assert len(found["per_row"]) == 10_000
    assert np.shape(found["gradient"]) == (10_000, 3)
    assert found["value"] == pytest.approx(math.fsum(found["per_row"]) / 10_000, rel=1e-12)


async def count(client: AsyncClient, series: str) -> float:
    text = (await client.get("/metrics")).text
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found.group(1))


async def test_scores_and_rows_are_counted_by_what_came_out(own_client: AsyncClient) -> None:
    await score(own_client, "log-loss", **BINARY)
    await score(own_client, "log-loss", y_true=[1], y_proba=[0.0])
    await score(own_client, "log-loss", **BINARY, sample_weight=[0, 0, 0])
    await refused(own_client, "log-loss", y_true=[1], y_proba=[2.0])
    assert await count(own_client, 'kullback_scores_rows_total{metric="log_loss"}') == 4
    for status in ("finite", "infinite", "undefined"):
        series = f'kullback_scores_total{{metric="log_loss",status="{status}"}}'
        assert await count(own_client, series) == 1
    route = '{method="POST",route="/v1/scores/log-loss",status="%d"}'
    assert await count(own_client, f"http_requests_total{route % 200}") == 3
    assert await count(own_client, f"http_requests_total{route % 422}") == 1
