"""Rows that count: what is missing, of weight 0 or ignored is neither checked nor counted."""

import math
from typing import Any

import numpy as np
import pytest

from kullback.errors import InvalidInput
from kullback.payload.json_object import parse
from kullback.requests import REQUESTS
from kullback.requests.base import ScoreRequest
from kullback.requests.validation import array_fields, validated
from kullback.scoring.score import Score
from tests.payload.bodies import as_json

GAP = None
CLICKS: dict[str, Any] = {"y_true": [1, GAP, 0, 0], "y_proba": [0.5, 0.2, GAP, 0.25]}


def scored(metric: str, /, **fields: object) -> Score:
    """The score of these fields, sent as JSON."""
    model = REQUESTS[metric]
    return validated(model, parse(bytearray(as_json(fields)), array_fields(model))).score()


def refusal(metric: str, /, **fields: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        scored(metric, **fields)
    return refused.value


def listed(values: object) -> list[Any]:
    """An array with None for NaN, as JSON has it."""
    entries: list[Any] = np.asarray(values).tolist()
    return [None if entry != entry else entry for entry in entries]  # noqa: PLR0124 - NaN alone


def test_rows_with_a_missing_value_are_refused_and_counted() -> None:
    refused = refusal("log-loss", **CLICKS)
    assert [offence.pointer for offence in refused.offences] == ["/y_true/1", "/y_proba/2"]
    assert "2 of 4 rows" in refused.message
    assert 'missing: "drop"' in refused.message


def test_dropped_rows_are_named_and_their_places_are_kept() -> None:
    found = scored("log-loss", **CLICKS, missing="drop", per_row=True, gradient=True)
    rest = scored("log-loss", y_true=[1, 0], y_proba=[0.5, 0.25], gradient=True)
    assert (found.value, found.n, found.weight) == (rest.value, 2, 2.0)
    assert found.details == rest.details
    assert listed(found.per_row) == [math.log(2), None, None, -math.log(0.75)]
    assert rest.gradient is not None
    assert listed(found.gradient) == [rest.gradient[0], 0.0, 0.0, rest.gradient[1]]
    assert (found.diagnostics.dropped, found.diagnostics.dropped_rows) == (2, (1, 2))


def test_labels_beside_a_missing_one_stay_exact() -> None:
    labels = [2**53 + 1, 2**53]
    found = scored(
        "log-loss",
        y_true=[labels[0], GAP],
        y_proba=[[0.25, 0.75], [0.5, 0.5]],
        labels=labels,
        missing="drop",
    )
    assert found.value == math.log(4)


def test_a_row_that_is_null_misses_everything() -> None:
    for y_proba in ([[0.5, 0.5], GAP, [0.2, 0.8]], [GAP, [0.5, 0.5], [0.2, 0.8]]):
        found = scored("log-loss", y_true=[0, 1, 1], y_proba=y_proba, missing="drop")
        assert found.diagnostics.dropped_rows == (y_proba.index(GAP),)
        assert found.n == 2


def test_a_first_row_of_nothing_but_nan_is_one_of_numbers() -> None:
    sent = {"y_proba": [[0.5, 0.5]] * 2, "missing": "drop"}
    found = scored("log-loss", y_true=[["NaN", "NaN"], [0.25, 0.75]], **sent)
    assert found.diagnostics.dropped_rows == (0,)
    assert found.value == pytest.approx(math.log(2), rel=1e-15)


def test_words_and_groups_may_be_missing() -> None:
    found = scored(
        "log-loss",
        y_true=["cat", GAP, "dog"],
        y_proba=[[0.5, 0.5]] * 3,
        labels=["cat", "dog"],
        missing="drop",
    )
    assert (found.value, found.diagnostics.dropped_rows) == (math.log(2), (1,))
    sent = {"y_true": [1, 0, 1], "y_proba": [0.5, 0.5, 0.25], "group": ["a", GAP, "a"]}
    assert refusal("recommender", **sent).offences[0].pointer == "/group/1"
    assert scored("recommender", **sent, missing="drop").n == 2


def test_weights_may_be_missing_and_are_checked_in_rows_that_are_left_out() -> None:
    sent: dict[str, Any] = {"y_true": [1, 1], "y_proba": [0.5, 0.25]}
    found = scored("log-loss", **sent, sample_weight=[2, GAP], missing="drop")
    assert (found.value, found.weight) == (math.log(2), 2.0)
    refused = refusal("log-loss", y_true=[1, GAP], y_proba=[1, 1], sample_weight=[1, -1])
    assert refused.offences[0].pointer == "/sample_weight/1"


def test_the_twenty_first_rows_are_named() -> None:
    found = scored("log-loss", y_true=[GAP] * 50 + [1], y_proba=[0.5] * 51, missing="drop")
    assert (found.diagnostics.dropped, found.diagnostics.dropped_rows) == (50, tuple(range(20)))


@pytest.mark.parametrize("p", [[0.5, GAP], [[0.5, GAP]], [[GAP, 1.0], [0.5, "NaN"]]])
def test_nothing_is_left_of_rows_that_all_miss_something(p: object) -> None:
    found = scored("entropy", p=p, missing="drop", per_row=True)
    rows = found.diagnostics.dropped
    assert (found.status, found.reason, found.n, found.weight) == ("undefined", "empty", 0, 0.0)
    assert (found.unit, found.metric, listed(found.per_row)) == ("nats", "entropy", [None] * rows)


def test_junk_of_weight_0_is_neither_checked_nor_counted() -> None:
    found = scored(
        "log-loss",
        y_true=[1, 7, 1, "NaN"],
        y_proba=[0.5, -3, 0.25, 0],
        sample_weight=[1, 0, 1, 0],
        per_row=True,
    )
    rest = scored("log-loss", y_true=[1, 1], y_proba=[0.5, 0.25], sample_weight=[1, 1])
    assert (found.value, found.n, found.standard_error) == (rest.value, 2, rest.standard_error)
    assert listed(found.per_row) == [math.log(2), None, math.log(4), None]
    assert found.diagnostics == rest.diagnostics


def test_a_refusal_beside_rows_left_out_names_the_row_as_sent() -> None:
    refused = refusal(
        "log-loss", y_true=[9, 9, 1, 9], y_proba=[0.5] * 4, sample_weight=[0, 0, 1, 1]
    )
    assert [offence.pointer for offence in refused.offences] == ["/y_true/3"]


def test_infinite_rows_beside_rows_left_out_are_named_as_sent() -> None:
    found = scored("log-loss", y_true=[GAP, 1, 1], y_proba=[0.5, 0.5, 0.0], missing="drop")
    assert found.diagnostics.infinite_rows == (2,)


def test_an_ignored_row_may_hold_anything() -> None:
    found = scored(
        "softmax-cross-entropy",
        logits=[["-Infinity", "-Infinity"], [3, 4], [GAP, 1]],
        y_true=[-100, 1, -100],
        ignore_index=-100,
        per_row=True,
        gradient=True,
    )
    assert found.value == pytest.approx(0.3132616875182229, rel=1e-15)
    assert (found.n, found.diagnostics.dropped) == (1, 0)
    assert listed(found.per_row) == [0.0, found.value, 0.0]
    assert found.gradient is not None
    assert found.gradient[[0, 2]].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_samples_of_their_own_lose_rows_of_their_own() -> None:
    sent: dict[str, Any] = {"real_logits": [1, GAP, 2], "fake_logits": [GAP, 3]}
    found = scored("gan-loss", **sent, missing="drop", gradient=True, per_row=True)
    rest = scored("gan-loss", real_logits=[1, 2], fake_logits=[3], gradient=True)
    assert (found.value, found.n, found.diagnostics.dropped_rows) == (rest.value, 3, (1, 3))
    assert found.gradients is not None
    assert rest.gradients is not None
    assert found.gradients["real_logits"].tolist() == [
        *rest.gradients["real_logits"][:1],
        0.0,
        *rest.gradients["real_logits"][1:],
    ]
    assert found.gradients["fake_logits"].tolist() == [0.0, *rest.gradients["fake_logits"]]
    gone = scored("gan-loss", real_logits=[1, 2], fake_logits=[GAP], missing="drop")
    assert (gone.status, gone.reason) == ("undefined", "empty")


@pytest.mark.parametrize("field", ["class_weight", "labels"])
def test_what_is_not_of_rows_is_never_missing(field: str) -> None:
    sent = {"y_true": [0], "y_proba": [[0.5, 0.5]], field: [1, GAP], "missing": "drop"}
    assert refusal("log-loss", **sent).offences[0].pointer == f"/{field}/1"


def test_arms_are_compared_on_rows_in_which_nothing_is_missing() -> None:
    sent = {"y_true": [1, 0], "y_proba": {"a": [0.5, 0.5], "b": [0.5, 0.25]}}
    assert refusal("compare", **sent, missing="drop").offences[0].pointer == "/missing"


@pytest.mark.parametrize("metric", sorted(REQUESTS))
def test_every_metric_scores_rows_that_count(metric: str) -> None:
    model = REQUESTS[metric]
    assert model.metric_name == metric.replace("-", "_")
    own = {"compare", "softmax-cross-entropy"}  # the latter scores each token as a row
    assert (model.score is ScoreRequest.score) == (metric not in own)


@pytest.mark.parametrize(
    ("metric", "fields"),
    [
        ("log-loss", {"y_true": [1, 0], "y_proba": [[0.5] * 2] * 2, "mask": [1, 0]}),
        ("focal-loss", {"y_true": [[1, 0], [0, 1]], "y_proba": [0.5, 0.5], "mask": [[1, 0]] * 2}),
        ("focal-loss", {"y_true": [1, 0], "y_proba": [[0.5] * 2] * 2, "ignore_index": 0}),
        ("perplexity", {"token_logprobs": [[-1.0, -1.0]], "top_logprobs": [[GAP, {"a": -0.5}]]}),
        ("perplexity", {"token_logprobs": [[-1.0], [-1.0]], "top_logprobs": [[{"a": -0.5}], []]}),
    ],
)
def test_a_mask_of_another_shape_is_refused(metric: str, fields: dict[str, Any]) -> None:
    task = {"task": "multilabel"} if metric != "perplexity" else {}
    assert refusal(metric, **fields, **task).offences


def test_a_sample_that_is_missing_leaves_losses_of_the_other_undefined() -> None:
    sent = {"real_logits": [0.25, 1.0], "fake_logits": [GAP]}
    score = scored("gan-loss", **sent, per_row=True, missing="drop")
    assert score.status == "undefined"
    assert listed(score.per_row) == [None, None, None]


NOBODY: dict[str, dict[str, Any]] = {
    "bpr": {"logits": [0.5, 1.0], "y_true": [GAP, GAP], "group": ["a", GAP]},
    "recommender": {"y_true": [1, 0], "y_proba": [0.5, 0.5], "group": [GAP, GAP]},
    "mutual-information": {"x": [GAP, GAP], "y": ["a", "b"]},
}


@pytest.mark.parametrize("metric", NOBODY)
def test_rows_that_all_miss_something_cost_nothing(metric: str) -> None:
    columns = array_fields(REQUESTS[metric])
    options = {"missing": "drop"} | ({"per_group": True} if metric == "recommender" else {})
    request = validated(
        REQUESTS[metric], parse(bytearray(as_json(NOBODY[metric] | options)), columns)
    )
    assert sum(each.work for each in request.costs()) < 2_000
    assert request.score().reason == "empty"
