"""Perplexity of what language models return: ragged lists, logits, the few likeliest tokens."""

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from httpx import AsyncClient

from kullback.payload.json_cuts import PIECE
from tests.api.asking import Score, refused, score
from tests.api.system_requests import LOG_PROBS, MASK, REQUESTS, TOKENS, softmax
from tests.payload.bodies import IS_ARROW, as_arrow

pytestmark = pytest.mark.anyio


async def test_perplexity_is_weighted_by_tokens(client: AsyncClient) -> None:
    found = await score(client, "perplexity", token_logprobs=LOG_PROBS, n_bytes=77, per_row=True)
    flat = np.concatenate(LOG_PROBS)
    mean = -flat.mean()
    assert found["value"] == pytest.approx(np.exp(mean), rel=1e-12)
    details = found["details"]
    assert details["nll"] == pytest.approx(-flat.sum(), rel=1e-12)
    assert details["n_tokens"] == flat.size
    assert details["bits_per_token"] == pytest.approx(mean / np.log(2), rel=1e-12)
    assert details["bits_per_byte"] == pytest.approx(-flat.sum() / np.log(2) / 77, rel=1e-12)
    assert details["log10_perplexity"] == pytest.approx(mean / np.log(10), rel=1e-12)
    assert [row["n_tokens"] for row in details["sequences"]] == [len(row) for row in LOG_PROBS]
    assert details["sequences"][5] == {"nll": 0.0, "n_tokens": 0, "perplexity": None}
    assert found["per_row"][2] == found["per_row"][7] == found["per_row"][8]
    assert found["per_row"][2] == pytest.approx(-np.mean(LOG_PROBS[2]), rel=1e-12)


async def test_masked_and_ignored_tokens_do_not_count(client: AsyncClient) -> None:
    sent = REQUESTS["perplexity of logits"][1]
    found = await score(client, "perplexity", **sent)
    p = softmax(sent["logits"])
    flags = np.asarray(TOKENS) != 0
    log_p = np.log(np.take_along_axis(p, np.asarray(TOKENS)[..., None], 2)[..., 0])
    assert found["value"] == pytest.approx(np.exp(-log_p[flags].mean()), rel=1e-12)
    slope = (p - np.eye(5)[TOKENS]) * flags[..., None] * found["value"] / flags.sum()
    assert np.asarray(found["gradient"]) == pytest.approx(slope, rel=1e-9, abs=1e-12)
    masked = await score(client, "perplexity", token_logprobs=LOG_PROBS, mask=MASK)
    kept = np.concatenate(LOG_PROBS)[np.concatenate(MASK) == 1]
    assert masked["value"] == pytest.approx(np.exp(-kept.mean()), rel=1e-12)


async def test_base_and_reduction_leave_perplexity_alone(client: AsyncClient) -> None:
    sent = {"token_logprobs": LOG_PROBS}
    plain = await score(client, "perplexity", **sent)
    other = await score(client, "perplexity", **sent, base="2", reduction="sum")
    assert (other["value"], other["details"]) == (plain["value"], plain["details"])
    assert other["unit"] == "tokens"


async def test_a_perplexity_beyond_a_double_has_its_logarithm(client: AsyncClient) -> None:
    found = await score(client, "perplexity", token_logprobs=[[-1000.0]])
    assert (found["status"], found["reason"]) == ("infinite", "positive_overflow")
    assert found["details"]["log10_perplexity"] == pytest.approx(1000 / np.log(10), rel=1e-12)
    found = await score(client, "perplexity", token_logprobs=[["-Infinity", -1], [-1]])
    assert (found["status"], found["reason"]) == ("infinite", "positive_infinity")
    assert found["details"]["reasons"]["log10_perplexity"] == "positive_infinity"


RETURNED = [
    [
        {"The": -0.25, "A": -2.0},
        {" cat": -0.5, ", [": -1.5, '"': -4.0},
        {"]}": -0.125, "],[": -3.0, "{": -5.0},
    ],
    [{'"},{"': -0.7, "\\": -1.1, "\n": -3.5}, {"né": -0.01, "日本": -5.0, "🙂": -9.0}],
]
SAID = [["The", ", [", "]}"], ["\\", "🙂"]]


async def test_the_likeliest_tokens_are_read_as_a_language_model_returns_them(
    client: AsyncClient,
) -> None:
    found = await score(client, "perplexity", top_logprobs=RETURNED, y_true=SAID)
    own = [-0.25, -1.5, -0.125, -1.1, -9.0]
    assert found["value"] == pytest.approx(np.exp(-np.mean(own)), rel=1e-12)
    assert [row["n_tokens"] for row in found["details"]["sequences"]] == [3, 2]
    escaped = json.dumps({"top_logprobs": RETURNED, "y_true": SAID}, ensure_ascii=False)
    answer = await client.post(
        "/v1/scores/perplexity",
        content=escaped.encode(),
        headers={"content-type": "application/json"},
    )
    assert answer.json() == found


async def test_a_token_that_was_not_returned_has_its_part_of_the_rest(client: AsyncClient) -> None:
    said = [["The", "dog", "]}"], ["\\", "é"]]
    found = await score(
        client, "perplexity", top_logprobs=RETURNED, y_true=said, vocabulary_size=50_000
    )
    rest = [1 - np.exp(list(RETURNED[i][j].values())).sum() for i, j in ((0, 1), (1, 1))]
    own = [-0.25, math.log(rest[0] / 49_997), -0.125, -1.1, math.log(rest[1] / 49_997)]
    assert found["value"] == pytest.approx(np.exp(-np.mean(own)), rel=1e-9)
    assert await refused(client, "perplexity", top_logprobs=RETURNED, y_true=said) == (
        "/vocabulary_size"
    )


async def test_a_returned_token_may_be_ruled_out(client: AsyncClient) -> None:
    kept: Score = {"top_logprobs": [[{"a": 0, "b": "-Infinity"}]], "y_true": [["b"]]}
    found = await score(client, "perplexity", **kept)
    assert (found["status"], found["reason"]) == ("infinite", "positive_infinity")
    found = await score(client, "perplexity", **(kept | {"y_true": [["a"]]}))
    assert found["value"] == 1.0
    found = await score(client, "perplexity", **kept, mask=[[0]])
    assert (found["status"], found["reason"]) == ("undefined", "empty")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ([0] * 9999, "/0"),
        ([[0] * 9999], "/0/0"),
        ([[{"a": -1}, {f"{i}": "" for i in range(9999)}]], "/0/1"),
        ([[{"a": -1.0, "b": 10**400}]], "/0/0"),
    ],
)
async def test_the_first_wrong_token_alone_is_named(
    client: AsyncClient, wrong: object, place: str
) -> None:
    body = {"top_logprobs": wrong, "y_true": [["a"]]}
    answer = await client.post("/v1/scores/perplexity", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["total_errors"]) == (422, 1)
    assert problem["errors"][0]["pointer"] == f"/top_logprobs{place}"


def sequences(size: int) -> list[list[float]]:
    """Enough of them for many pieces, of 0 to 6 tokens."""
    return [[-(i % 13) / 8 - j for j in range(i * 7 % 11 % 7)] for i in range(size)]


async def test_ragged_rows_in_many_pieces_are_all_read(client: AsyncClient) -> None:
    rows = sequences(30_000)
    assert len(json.dumps(rows)) > 5 * PIECE
    mask = [[True] * len(row) for row in rows]
    found = await score(client, "perplexity", token_logprobs=rows, mask=mask)
    flat = np.concatenate(rows)
    assert found["details"]["n_tokens"] == flat.size
    assert found["value"] == pytest.approx(np.exp(-flat.mean()), rel=1e-12)
    listed = found["details"]["sequences"]
    assert [row["n_tokens"] for row in listed] == [len(row) for row in rows]
    assert listed[-2]["nll"] == pytest.approx(-sum(rows[-2]), rel=1e-12)
    answer = await client.post(
        "/v1/scores/perplexity",
        content=as_arrow(pa.table({"token_logprobs": rows, "mask": mask})),
        headers=IS_ARROW,
    )
    assert answer.json() == found


@pytest.mark.parametrize("entry", [0.5, "x", None, True, "Infinity", [-1.0], {"a": -1.0}])
async def test_a_bad_entry_of_a_later_piece_is_named(client: AsyncClient, entry: object) -> None:
    rows: list[list[Any]] = [*sequences(20_000), [-1.0, -2.0, entry], *sequences(5)]
    place = await refused(client, "perplexity", token_logprobs=rows)
    assert place == "/token_logprobs/20000/2"


async def test_one_bad_flag_or_token_of_a_later_piece_is_named(client: AsyncClient) -> None:
    rows = sequences(20_000)
    last = next(i for i in range(len(rows) - 1, 0, -1) if len(rows[i]) == 3)
    mask: list[list[float]] = [[1.0] * len(row) for row in rows]
    mask[last][1] = 0.5
    place = await refused(client, "perplexity", token_logprobs=rows, mask=mask)
    assert place == f"/mask/{last}/1"
    mask[last] = [1]
    place = await refused(client, "perplexity", token_logprobs=rows, mask=mask)
    assert place == f"/mask/{last}"
    tokens = [[0, 1, 2]] * 20_000
    sent: Score = {"logits": [[[0, 0, 1]] * 3] * 20_000}
    for token in (3, -1, 0.5, 10**20):
        bad = [*tokens[:-1], [0, token, 1]]
        assert await refused(client, "perplexity", **sent, y_true=bad) == "/y_true/19999/1"


async def test_tokens_may_be_whole_numbers_of_any_spelling(client: AsyncClient) -> None:
    sent = REQUESTS["perplexity of logits"][1]
    found = await score(client, "perplexity", **sent)
    floats = [[float(token) for token in row] for row in TOKENS]
    assert await score(client, "perplexity", **(sent | {"y_true": floats})) == found


async def test_a_list_of_plain_entries_is_one_sequence(client: AsyncClient) -> None:
    one = await score(client, "perplexity", token_logprobs=[-1.0, -2.0], mask=[1, 0])
    assert one == await score(client, "perplexity", token_logprobs=[[-1.0, -2.0]], mask=[[1, 0]])
    one = await score(client, "perplexity", logits=[[0.0, 1.0], [2.0, 0.5]], y_true=[0, 1])
    sent: Score = {"logits": [[[0.0, 1.0], [2.0, 0.5]]], "y_true": [[0, 1]]}
    assert one == await score(client, "perplexity", **sent)


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ([[-1.0], [-1.0, None]], "/token_logprobs/1/1"),
        ([[-1.0], None], "/token_logprobs/1"),
        ([[-1.0], [-1.0, float("nan")]], "/token_logprobs/1/1"),
        ([[-1.0], [-1.0, 0.5]], "/token_logprobs/1/1"),
        ([[[-1.0, -2.0]], [[-1.0, -2.0], [-3.0, -4.0]]], "/token_logprobs"),
        ([-1.0, -2.0], "/token_logprobs"),
        ([["a"], ["b"]], "/token_logprobs"),
        (pa.array([], pa.list_(pa.float64())), "/token_logprobs"),
    ],
)
async def test_columns_of_ragged_lists_are_refused_with_the_place(
    client: AsyncClient, column: object, place: str
) -> None:
    raw = as_arrow(pa.table({"token_logprobs": column}))
    answer = await client.post("/v1/scores/perplexity", content=raw, headers=IS_ARROW)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == place


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float64(), 2),
        *(pa.large_list(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.int8())),
    ],
    ids=str,
)
async def test_every_type_of_list_may_hold_sequences(client: AsyncClient, kind: object) -> None:
    rows = [[-1, -2], [-3, -4], [-5, -6]]
    expected = await score(client, "perplexity", token_logprobs=rows[1:])
    table = pa.table({"token_logprobs": pa.array(rows, kind)}).slice(1)
    answer = await client.post("/v1/scores/perplexity", content=as_arrow(table), headers=IS_ARROW)
    assert answer.json() == expected


async def test_the_bytes_of_the_text_may_be_an_option_beside_columns(client: AsyncClient) -> None:
    table = pa.table({"token_logprobs": [[-1.0], [-2.0]]})
    answer = await client.post(
        "/v1/scores/perplexity", content=as_arrow(table), params={"n_bytes": 6}, headers=IS_ARROW
    )
    expected = await score(client, "perplexity", token_logprobs=[[-1.0], [-2.0]], n_bytes=6)
    assert (answer.status_code, answer.json()) == (200, expected)


async def test_a_body_with_no_field_of_rows_is_refused(client: AsyncClient) -> None:
    assert await refused(client, "perplexity") == "/token_logprobs"
    assert await refused(client, "perplexity", base="2", n_bytes=4) == "/token_logprobs"


async def test_lists_of_providers_are_read_as_they_come(client: AsyncClient) -> None:
    """OpenAI's `logprobs.content`, and vLLM's `prompt_logprobs`."""
    top = [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105]}, {"token": "\n", "logprob": -1.25}]
    content = [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": top}] * 3
    found = await score(client, "perplexity", top_logprobs=content)
    assert found["value"] == pytest.approx(math.exp(0.5), rel=1e-15)
    prompt: list[Any] = [None, {"7": {"logprob": -0.5, "rank": 1, "decoded_token": "Hi"}}]
    found = await score(client, "perplexity", top_logprobs=[prompt], y_true=[[1, 7]])
    assert found["value"] == pytest.approx(math.exp(0.5), rel=1e-15)
    assert found["details"]["tokens_without_context"] == 1


async def test_a_null_is_missing_but_in_the_first_place(client: AsyncClient) -> None:
    found = await score(client, "perplexity", token_logprobs=[[None, -1.0], [-2.0]])
    assert found["details"]["mean_nll"] == 1.5
    place = await refused(client, "perplexity", token_logprobs=[[-1.0, None], [-2.0]])
    assert place == "/token_logprobs/0/1"
    dropped = await score(
        client, "perplexity", token_logprobs=[[-1.0, None], [-2.0]], missing="drop"
    )
    assert (dropped["details"]["mean_nll"], dropped["diagnostics"]["dropped"]) == (2.0, 1)


async def test_a_list_that_is_null_is_no_token_without_context(client: AsyncClient) -> None:
    sent: Score = {"token_logprobs": [[-1.0], None, [None, -3.0], [None]]}
    assert await refused(client, "perplexity", **sent) == "/token_logprobs/1"
    found = await score(client, "perplexity", **sent, missing="drop")
    assert found["details"]["mean_nll"] == 2.0
    assert found["details"]["tokens_without_context"] == 2
    assert found["diagnostics"]["dropped_rows"] == [1]
