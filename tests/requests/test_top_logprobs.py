"""Forms in which providers return the likeliest tokens: all become the same."""

import math

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.requests import REQUESTS
from kullback.requests.validation import validated
from kullback.scoring.score import Score
from kullback.scoring.tokens import Ragged

OBJECTS = [{"a": -0.5, "b": -1.5}, {"a": -0.25}]
LISTS = [
    [{"token": "a", "logprob": -0.5, "bytes": [97]}, {"token": "b", "logprob": -1.5}],
    [{"token": "a", "logprob": -0.25}],
]
CHOSEN = [
    {"token": "b", "logprob": -1.5, "bytes": [98], "top_logprobs": LISTS[0]},
    {"token": "a", "logprob": -0.25, "bytes": None, "top_logprobs": []},
]
BY_ID = [
    None,
    {
        "64": {"logprob": -0.5, "rank": 1, "decoded_token": "a"},
        "65": {"logprob": -1.5, "rank": 2, "decoded_token": "b"},
    },
    {"64": {"logprob": -0.25, "rank": 1, "decoded_token": "a"}},
]
SAID = Ragged(["b", "a"], np.array([2]))
IDS = Ragged(np.array([1.0, 65.0, 64.0]), np.array([3]))
MEAN = (1.5 + 0.25) / 2


def score(**fields: object) -> Score:
    return validated(REQUESTS["perplexity"], fields).score()


@pytest.mark.parametrize("form", [OBJECTS, LISTS, CHOSEN])
def test_the_tokens_of_every_provider_are_the_same(form: list[object]) -> None:
    found = score(top_logprobs=[form], y_true=SAID)

    assert found.value == pytest.approx(math.exp(MEAN), rel=1e-15)
    if form is not LISTS:  # lists of lists are sequences
        assert score(top_logprobs=form, y_true=SAID) == found


def test_a_choice_among_the_likeliest_names_itself() -> None:
    found = score(top_logprobs=CHOSEN)

    assert found.value == pytest.approx(math.exp(MEAN), rel=1e-15)
    assert found == score(top_logprobs=[CHOSEN])
    with pytest.raises(InvalidInput, match="y_true"):
        score(top_logprobs=[OBJECTS])


def test_a_choice_beyond_the_likeliest_has_its_own_cost() -> None:
    rare = {"token": "z", "logprob": -9.0, "top_logprobs": [{"token": "a", "logprob": -0.5}]}

    assert score(top_logprobs=[[rare]]).value == pytest.approx(math.exp(9), rel=1e-15)


def test_ids_are_read_as_a_server_of_models_returns_them() -> None:
    found = score(top_logprobs=BY_ID, y_true=IDS)

    assert found.value == pytest.approx(math.exp(MEAN), rel=1e-15)
    assert found.details["tokens_without_context"] == 1
    texts = Ragged(["1", "65", "64"], np.array([3]))
    assert score(top_logprobs=[BY_ID], y_true=texts) == found


def test_a_token_named_token_is_a_token() -> None:
    kept = [[{"token": -0.5, "logprob": -1.5}]]

    found = score(top_logprobs=kept, y_true=Ragged(["logprob"], np.array([1])))
    assert found.value == pytest.approx(math.exp(1.5), rel=1e-15)


def test_of_a_token_that_stands_twice_the_first_counts() -> None:
    twice = [[{"token": "?", "logprob": -1.0}, {"token": "?", "logprob": -3.0}]]

    found = score(top_logprobs=[twice], y_true=Ragged(["?"], np.array([1])))
    assert found.value == pytest.approx(math.e, rel=1e-15)


@pytest.mark.parametrize("wrong", [{"content": CHOSEN}, [{"content": CHOSEN}]])
def test_of_a_completion_its_content_is_wanted(wrong: object) -> None:
    with pytest.raises(InvalidInput, match="send what its content holds"):
        score(top_logprobs=wrong)
    assert score(top_logprobs=[[{"content": -0.5}]], y_true=Ragged(["content"], np.array([1])))


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"a": -1.0}, ""),
        ([[{"a": -1.0}], {"b": -1.0}], "/1"),
        ([[{"a": -1.0}], 3], "/1"),
        ([{"a": -1.0}, "b"], "/1"),
        ([[{"a": True}]], "/0/0"),
        ([[{"a": "b"}]], "/0/0"),
        ([[{"a": math.inf}]], "/0/0"),
        ([[{"a": -1.0}, {"a": {"rank": 1}}]], "/0/1"),
        ([[{"a": -1.0}, {"token": "a", "logprob": None}]], "/0/1"),
        ([[{"token": "a", "logprob": -1.0, "top_logprobs": {"a": -1.0}}]], "/0/0/top_logprobs"),
        ([[{"token": "a", "logprob": -1.0, "top_logprobs": [1]}]], "/0/0/top_logprobs"),
        ([{"token": "a", "logprob": -1.0, "top_logprobs": [1]}], "/0/top_logprobs"),
        ([[[["a", -0.5]]]], "/0/0"),
        ([[{"a": -1.0}, None]], "/0/1"),
        ([{"a": -1.0}, None], "/1"),
        ([[{"a": -1.0}, {"a": None}]], "/0/1"),
    ],
)
def test_what_is_none_of_the_forms_is_refused_where_it_stands(wrong: object, place: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        score(top_logprobs=wrong, y_true=SAID)
    assert [each.pointer for each in caught.value.offences] == [f"/top_logprobs{place}"]


KEPT = {"a": math.log(0.5), "b": math.log(0.25)}


@pytest.mark.parametrize("gone", [None, {"a": math.log(0.5), "b": None}])
def test_outcomes_are_missing_as_numbers_are(gone: object) -> None:
    sent = {"p_top_logprobs": [KEPT, gone], "q_top_logprobs": [KEPT, KEPT]}
    found = validated(REQUESTS["kl-divergence"], sent | {"missing": "drop"}).score()
    assert (found.value, found.diagnostics.dropped_rows) == (0.0, (1,))
    with pytest.raises(InvalidInput, match="1 of 2 rows") as refused:
        validated(REQUESTS["kl-divergence"], dict(sent)).score()
    assert [each.pointer for each in refused.value.offences] == ["/p_top_logprobs/1"]


def test_counts_beside_truncated_distributions_are_refused() -> None:
    counts = {"p_counts": np.array([1.0, 2.0]), "p_top_logprobs": [KEPT]}
    with pytest.raises(InvalidInput, match="exclude each other"):
        validated(REQUESTS["kl-divergence"], counts | {"q": np.array([0.5, 0.5])}).score()
