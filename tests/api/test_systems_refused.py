"""Numbers and shapes that the later metrics cannot score are a 422 that names the field."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from httpx import AsyncClient

from tests.api.asking import Score, refused, score
from tests.payload.bodies import IS_ARROW, as_arrow, as_table

pytestmark = pytest.mark.anyio

TWO: Score = {"logits": [[0.0, 1.0], [1.0, 0.0]], "y_true": [0, 1]}
PAIRS: Score = {"pair_scores": [[1.0, 2.0], [3.0, 4.0]]}
COLUMNS: Score = {"x": ["a", "b"], "y": [0, 1]}
TABLE: Score = {"joint": [[0.5, 0.5]]}
LATENT: Score = {
    "latents": [[2.0, 1.0], [0.0, -1.0], [1.0, 3.0], [-1.0, 1.0]],
    "y_true": [0, 0, 1, 1],
    "mu": 1.0,
    "sigma": 1.0,
}
IMAGE: Score = {"features": [[[1.0, 0.0], [0.0, 0.0]]], "weights": [[1.0], [0.0]]}
GAME: Score = {"real_logits": [1.0, 2.0], "fake_logits": [0.5]}
LOG_PROBS: Score = {"token_logprobs": [[-1.0], [-1.0, -2.0]]}
LOGITS: Score = {"logits": [[[0.0, 1.0], [1.0, 0.0]]], "y_true": [[0, 1]]}
TOP: Score = {"top_logprobs": [[{"a": -0.5}, {"b": -0.25}]], "y_true": [["a", "b"]]}
COUNTED: Score = {"p_counts": [3, 1], "q": [0.5, 0.5]}

REFUSED: dict[str, list[tuple[Score, Score, str]]] = {
    "entropy": [
        ({"counts": [1, -1]}, {}, "/counts/1"),
        ({"counts": [[1, 2], [3, -1]]}, {}, "/counts/1/1"),
        ({"counts": [0, 0]}, {}, "/counts"),
        ({"counts": [[1, 2], [0, 0]]}, {}, "/counts/1"),
        ({"counts": [0.5, 1]}, {"estimator": "jackknife"}, "/counts/0"),
        ({"counts": [0.5, 1]}, {"estimator": "chao_shen"}, "/counts/0"),
        ({"counts": [0.5, 1]}, {"estimator": "combinatorial"}, "/counts/0"),
        ({"counts": [2**53, 1]}, {}, "/counts/0"),
        ({"counts": [1, 2]}, {"estimator": "guess"}, "/estimator"),
        ({"counts": [1, 2]}, {"p": [0.5, 0.5]}, "/counts"),
        ({"counts": [1, 2]}, {"logits": [0.5, 0.5]}, "/counts"),
        ({"p": [0.5, 0.5]}, {"estimator": "plugin"}, "/estimator"),
    ],
    "kl-divergence": [
        (COUNTED, {"p_counts": [1, -1]}, "/p_counts/1"),
        (COUNTED, {"p_counts": [1, 0.5]}, "/p_counts/1"),
        (COUNTED, {"p_counts": [0, 0]}, "/p_counts"),
        (COUNTED, {"p_counts": [1, 1, 1]}, "/q"),
        (COUNTED, {"q": [0.5, 0.6]}, "/q"),
        (COUNTED, {"p": [0.5, 0.5]}, "/p_counts"),
        (COUNTED, {"p_logits": [0.5, 0.5]}, "/p_counts"),
        (COUNTED, {"q_logits": [0.0, 0.0]}, "/q"),
        ({"p_counts": [1, 1]}, {}, "/q"),
    ],
    "perplexity": [
        ({}, {}, "/token_logprobs"),
        (LOG_PROBS, {"logits": [[[0.0]]]}, "/token_logprobs"),
        (LOG_PROBS, {"top_logprobs": [[{}]]}, "/token_logprobs"),
        (LOG_PROBS, {"y_true": [[0], [0, 1]]}, "/y_true"),
        (LOG_PROBS, {"token_logprobs": [[-1.0], [-1.0, 0.5]]}, "/token_logprobs/1/1"),
        (LOG_PROBS, {"token_logprobs": [[[-1.0]]]}, "/token_logprobs"),
        (LOG_PROBS, {"token_logprobs": -1.0}, "/token_logprobs"),
        (LOG_PROBS, {"mask": [[1]]}, "/mask"),
        (LOG_PROBS, {"mask": [[1], [1]]}, "/mask/1"),
        (LOG_PROBS, {"mask": [[1], [1, 0.5]]}, "/mask/1/1"),
        (LOG_PROBS, {"mask": [[True], [True, 1]]}, "/mask/1/1"),
        (LOG_PROBS, {"ignore_index": 0}, "/ignore_index"),
        (LOG_PROBS, {"gradient": True}, "/gradient"),
        (LOG_PROBS, {"n_bytes": [4]}, "/n_bytes"),
        (LOG_PROBS, {"n_bytes": [4, -1]}, "/n_bytes/1"),
        (LOG_PROBS, {"n_bytes": -1}, "/n_bytes"),
        (LOG_PROBS, {"sample_weight": [1, 1, 1]}, "/sample_weight"),
        (LOG_PROBS, {"sample_weight": [1, -1]}, "/sample_weight/1"),
        (LOG_PROBS, {"vocabulary_size": 0}, "/vocabulary_size"),
        ({"logits": LOGITS["logits"]}, {}, "/y_true"),
        (LOGITS, {"y_true": [[0]]}, "/y_true"),
        (LOGITS, {"y_true": [[0, 1], [0, 1]]}, "/y_true"),
        (LOGITS, {"y_true": [[0, 2]]}, "/y_true/0/1"),
        (LOGITS, {"y_true": [[0, -1]]}, "/y_true/0/1"),
        (LOGITS, {"y_true": [[0, 0.5]]}, "/y_true/0/1"),
        (LOGITS, {"y_true": [["a", "b"]]}, "/y_true"),
        (LOGITS, {"mask": [[1, 1, 1]]}, "/mask/0"),
        (LOGITS, {"logits": [[[0.0, 1.0], [1.0]]]}, "/logits/0/1"),
        (LOGITS, {"logits": [0.0, 1.0]}, "/logits"),
        ({"top_logprobs": TOP["top_logprobs"]}, {}, "/y_true"),
        (TOP, {"y_true": [["a"]]}, "/y_true"),
        (TOP, {"y_true": [[0, 1]]}, "/y_true"),
        (TOP, {"y_true": [["a", "c"]]}, "/vocabulary_size"),
        (TOP, {"y_true": [["a", "c"]], "vocabulary_size": 1}, "/vocabulary_size"),
        (TOP, {"top_logprobs": [[{"a": -0.5}, {"b": 0.25}]]}, "/top_logprobs/0/1"),
        (TOP, {"top_logprobs": [[{"a": -0.5}, {"b": -0.1, "c": -0.1}]]}, "/top_logprobs/0/1"),
        (TOP, {"top_logprobs": [[{"a": -0.5}, {"b": None}]]}, "/top_logprobs/0/1"),
        (TOP, {"top_logprobs": [[["a", -0.5]]]}, "/top_logprobs/0/0"),
        (TOP, {"gradient": True}, "/gradient"),
    ],
    "mutual-information": [
        ({}, {}, "/joint"),
        (TABLE, PAIRS, "/joint"),
        (TABLE, {"logits": [[0.0, 1.0]]}, "/joint"),
        (TABLE, {"joint": [[0.5, 0.5], [0.5, 0.5]]}, "/joint"),
        (TABLE, {"joint": [[1.5, -0.5]]}, "/joint/0/1"),
        (TABLE, {"joint": [0.5, 0.5]}, "/joint"),
        (TABLE, {"estimator": "dv"}, "/estimator"),
        (TABLE, {"estimator": "plugin"}, "/estimator"),
        (TABLE, {"adjusted": True}, "/adjusted"),
        (TABLE, {"joint": [[10, 5], [5, 15]]}, "/joint"),
        (TABLE, {"gradient": True}, "/gradient"),
        (TABLE, COLUMNS, "/joint"),
        (COLUMNS, {"x": ["a"]}, "/y"),
        (COLUMNS, {"y": None}, "/y"),
        (COLUMNS, {"x": None}, "/x"),
        (COLUMNS, {"x": [0.5, 1]}, "/x/0"),
        (COLUMNS, {"prior": [0.5, 0.5]}, "/prior"),
        (COLUMNS, {"gradient": True}, "/gradient"),
        (COLUMNS, {"estimator": "nwj"}, "/estimator"),
        (COLUMNS, {"average": "mean"}, "/average"),
        (COLUMNS, {"estimator": "jackknife", "sample_weight": [0.5, 1]}, "/sample_weight"),
        (COLUMNS, {"counts": [[1, 2]]}, "/joint"),
        ({"counts": [[0, 0]]}, {}, "/counts"),
        ({"counts": [1, 2]}, {}, "/counts"),
        ({"counts": [[1, 2]]}, {"sample_weight": [1]}, "/sample_weight"),
        (PAIRS, {"average": "min"}, "/average"),
        (PAIRS, {"estimator": "plugin"}, "/estimator"),
        (TWO, {"estimator": "plugin"}, "/estimator"),
        (TABLE, {"sample_weight": [1]}, "/sample_weight"),
        (PAIRS, {"pair_scores": [[1.0, 2.0]]}, "/pair_scores"),
        (PAIRS, {"pair_scores": [1.0, 2.0]}, "/pair_scores"),
        (PAIRS, {"pair_scores": [[1.0]], "estimator": "dv"}, "/pair_scores"),
        (PAIRS, {"pair_scores": [[1.0]], "estimator": "nwj"}, "/pair_scores"),
        (PAIRS, {"estimator": "mine"}, "/estimator"),
        (PAIRS, {"sample_weight": [1, 1]}, "/sample_weight"),
        ({"y_true": [0, 1]}, {}, "/joint"),
        ({"logits": TWO["logits"]}, {}, "/y_true"),
        (TWO, {"prior": [0.3, 0.7]}, "/logit_kind"),
        (TWO, {"prior": [0.3, 0.7], "logit_kind": "softmax"}, "/logit_kind"),
        (TWO, {"prior": [0.3, 0.6], "logit_kind": "pc"}, "/prior"),
        (TWO, {"prior": [1.0]}, "/prior"),
        (TWO, {"prior": [0.0, 1.0], "logit_kind": "pc"}, "/y_true/0"),
        (TWO, {"y_true": [0, 2]}, "/y_true/1"),
        (TWO, {"y_true": [0]}, "/y_true"),
        (TWO, {"estimator": "infonce"}, "/estimator"),
    ],
    "pc-softmax": [
        ({"logits": TWO["logits"]}, {}, "/y_true"),
        (TWO, {"prior": [0.3, 0.6]}, "/prior"),
        (TWO, {"prior": [1.3, -0.3]}, "/prior/1"),
        (TWO, {"prior": [0.3, 0.3, 0.4]}, "/prior"),
        (TWO, {"prior": [0.0, 1.0]}, "/y_true/0"),
        (TWO, {"y_true": [0, 2]}, "/y_true/1"),
        (TWO, {"y_true": [0, -1]}, "/y_true/1"),
        (TWO, {"y_true": [0]}, "/y_true"),
        (TWO, {"sample_weight": [1]}, "/sample_weight"),
    ],
    "gan-loss": [
        ({"real_logits": [1.0]}, {}, "/fake_logits"),
        (GAME, {"real_logits": []}, "/real_logits"),
        (GAME, {"real_logits": [[1.0, 2.0], [1.0]]}, "/real_logits/1"),
        (GAME, {"real_logits": [[1.0, 2.0]]}, "/real_logits"),
        (GAME, {"label_smoothing": 1.0}, "/label_smoothing"),
        (GAME, {"label_smoothing": 0.1, "kind": "hinge"}, "/label_smoothing"),
        (GAME, {"real_proba": [0.5]}, "/real_proba"),
        (GAME, {"fake_logits": ["-Infinity"]}, "/fake_logits/0"),
        (GAME, {"fake_logits": [0.0, 1e61]}, "/fake_logits/1"),
        (GAME, {"kind": "cycle"}, "/kind"),
        (GAME, {"sample_weight": [1, 1, 1]}, "/sample_weight"),
    ],
    "gccs": [
        (LATENT, {"mu": 0}, "/mu"),
        (LATENT, {"mu": -1.0}, "/mu"),
        (LATENT, {"sigma": 0.0}, "/sigma"),
        (LATENT, {"mu": 1e300}, "/mu"),
        (LATENT, {"y_true": [0, 0, 0, 1]}, "/y_true"),
        (LATENT, {"covariance": "full"}, "/y_true"),
        (LATENT, {"y_true": [0, 0, 1, 2]}, "/y_true/3"),
        (LATENT, {"y_true": [0, 0, 1]}, "/y_true"),
        (LATENT, {"adversarial_latents": [[1.0, 1.0]]}, "/adversarial_latents"),
        (LATENT, {"adversarial_latents": [[1e61, 0.0]] * 4}, "/adversarial_latents/0/0"),
        (LATENT, {"latents": [1.0, 2.0, 3.0, 4.0]}, "/latents"),
        (LATENT, {"ddof": 2}, "/ddof"),
        (LATENT, {"layout": "circle"}, "/layout"),
        (LATENT, {"sample_weight": [1, 1, 1, 1]}, "/sample_weight"),
    ],
    "infocam": [
        (IMAGE, {"weights": [[1.0, 2.0], [0.0, 1.0]]}, "/weights"),
        (IMAGE, {"weights": [[1.0]]}, "/weights"),
        (IMAGE, {"bias": [1.0]}, "/bias"),
        (IMAGE, {"features": [[1.0, 0.0]]}, "/features"),
        (IMAGE, {"features": [[[1.0, 0.0], [0.0]]]}, "/features/0/1"),
        (IMAGE, {"target": [2]}, "/target/0"),
        (IMAGE, {"target": [-1]}, "/target/0"),
        (IMAGE, {"target": [0, 1]}, "/target"),
        (IMAGE, {"window": 0}, "/window"),
        (IMAGE, {"window": 2, "gradient": True}, "/gradient"),
        (IMAGE, {"upsample_to": [4]}, "/upsample_to"),
        (IMAGE, {"upsample_to": [4, 4, 4]}, "/upsample_to"),
        (IMAGE, {"upsample_to": [0, 4]}, "/upsample_to/0"),
        (IMAGE, {"truth_box": [1, 1, 1, 2]}, "/truth_box"),
        (IMAGE, {"truth_box": [2, 2, 1, 1]}, "/truth_box"),
        (IMAGE, {"truth_box": [1, 1, 2]}, "/truth_box"),
        (IMAGE, {"mode": "pair"}, "/reference"),
        (IMAGE, {"mode": "pair", "reference": 2}, "/reference"),
        (IMAGE, {"mode": "grad"}, "/mode"),
        (IMAGE, {"threshold": 1.0}, "/threshold"),
        (IMAGE, {"sample_weight": [1, 1]}, "/sample_weight"),
    ],
}
CASES = [
    (metric, {**sent, **wrong}, at) for metric in REFUSED for sent, wrong, at in REFUSED[metric]
]


@pytest.mark.parametrize(("metric", "sent", "place"), CASES)
async def test_what_cannot_be_scored_is_named(
    client: AsyncClient, metric: str, sent: Score, place: str
) -> None:
    assert await refused(client, metric, **sent) == place


STARTS: list[tuple[str, Score]] = [
    *(("entropy", {"counts": [3, 1]}), ("kl-divergence", COUNTED), ("perplexity", LOG_PROBS)),
    *(("perplexity", LOGITS), ("perplexity", TOP), ("mutual-information", TABLE)),
    *(("mutual-information", PAIRS), ("mutual-information", TWO), ("pc-softmax", TWO)),
    *(("gan-loss", GAME), ("gccs", LATENT), ("infocam", IMAGE)),
]


@pytest.mark.parametrize(("metric", "sent"), STARTS)
async def test_what_the_refusals_start_from_is_scored(
    client: AsyncClient, metric: str, sent: Score
) -> None:
    assert (await score(client, metric, **sent))["status"] == "finite"


async def test_counts_need_not_be_whole_where_no_estimator_looks_at_single_ones(
    client: AsyncClient,
) -> None:
    for estimator in ("plugin", "miller_madow", "james_stein"):
        found = await score(client, "entropy", counts=[0.5, 1.5], estimator=estimator)
        assert found["status"] == "finite"


@pytest.mark.parametrize(
    ("metric", "columns", "place"),
    [
        ("gan-loss", {"real_logits": [1.0, 2.0], "fake_logits": [0.5, 1.0]}, "/real_logits"),
        (
            "gan-loss",
            {"real_logits": [[1.0], [2.0]], "fake_logits": [[1.0], [2.0]]},
            "/real_logits",
        ),
        ("pc-softmax", {"logits": [[0.0, 1.0]], "y_true": [0], "prior": [[0.5, 0.5]]}, "/y_true"),
        ("infocam", {"features": [[[[1.0, None]]]], "weights": [[[1.0], [0.0]]]}, "/features"),
        ("infocam", {"features": [[[[1.0, np.nan]]]], "weights": [[[1.0], [0.0]]]}, "/features"),
        ("gccs", {"latents": [[1.0, np.inf]], "y_true": [0]}, "/latents/0/1"),
    ],
)
async def test_columns_that_cannot_be_scored_are_named(
    client: AsyncClient, metric: str, columns: dict[str, Any], place: str
) -> None:
    query = {"mu": 1, "sigma": 1} if metric == "gccs" else {}
    answer = await client.post(
        f"/v1/scores/{metric}",
        content=as_arrow(pa.table(columns)),
        params=query,
        headers=IS_ARROW,
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(place)


@pytest.mark.parametrize("estimator", ["infonce", "dv", "nwj"])
async def test_pairs_are_read_alike_from_every_type(client: AsyncClient, estimator: str) -> None:
    sent: Score = {"pair_scores": [[0.0, "-Infinity"], [0.0, 0.0]], "estimator": estimator}
    table, _ = as_table("mutual-information", sent)
    from_json = await client.post("/v1/scores/mutual-information", json=sent)
    from_arrow = await client.post(
        "/v1/scores/mutual-information",
        content=as_arrow(table),
        params={"estimator": estimator},
        headers=IS_ARROW,
    )
    assert from_json.status_code == from_arrow.status_code
