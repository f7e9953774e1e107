"""What is missing, and what is sent by name, is the same in every form that Python has for it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import kullback
from tests.library.test_functions import LABELS, answered

NAN = math.nan
ROWS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]]
GAPS = [ROWS[0], [NAN] * 3, ROWS[2]]
LOST = {"missing": "drop", "per_row": True}

Kept = Callable[[list[Any]], Any]


def nan_for_none(entries: list[Any]) -> list[Any]:
    return [NAN if entry is None else entry for entry in entries]


def masked(entries: list[Any]) -> Any:  # noqa: ANN401 - of any type
    """A masked array, under whose mask something stands."""
    gone = [entry is None for entry in entries]
    return np.ma.masked_array([entry or 0 for entry in entries], gone)


ANY: dict[str, Kept] = {
    "None": list,
    "NaN": nan_for_none,
    "pandas.NA": lambda entries: [pd.NA if entry is None else entry for entry in entries],
    "objects": lambda entries: np.array(entries, dtype=object),
    "objects with NaN": lambda entries: np.array(nan_for_none(entries), dtype=object),
    "pandas": pd.Series,
    "pandas objects": lambda entries: pd.Series(nan_for_none(entries), dtype=object),
    "polars": pl.Series,
    "Arrow": pa.array,
}
OF_NUMBERS: dict[str, Kept] = ANY | {
    "NumPy": lambda entries: np.array(nan_for_none(entries)),
    "masked": masked,
    "pandas Float64": lambda entries: pd.Series(entries, dtype="Float64"),
    "polars NaN": lambda entries: pl.Series(nan_for_none(entries), dtype=pl.Float64),
}
OF_WORDS: dict[str, Kept] = ANY | {
    "pandas string": lambda entries: pd.Series(entries, dtype="string"),
    "pandas category": lambda entries: pd.Series(entries, dtype="category"),
    "polars categories": lambda entries: pl.Series(entries, dtype=pl.Categorical),
    "views": lambda entries: pa.array(entries, pa.string_view()),
    "views in a dictionary": lambda entries: pa.DictionaryArray.from_arrays(
        pa.array(range(len(entries))), pa.array(entries, pa.string_view())
    ),
}
OF_ROWS: dict[str, Any] = {
    "None": [ROWS[0], None, ROWS[2]],
    "NaN": GAPS,
    "one None": [ROWS[0], [0.1, None, 0.1], ROWS[2]],
    "NumPy": np.array(GAPS),
    "list of NumPy": [np.array(ROWS[0]), None, np.array(ROWS[2])],
    "masked": np.ma.masked_array(ROWS, [[False] * 3, [False, True, False], [False] * 3]),
    "pandas table": pd.DataFrame(GAPS),
    "pandas Float64": pd.DataFrame(GAPS, dtype="Float64"),
    "polars table": pl.DataFrame(GAPS, schema=LABELS, orient="row"),
    "polars lists": pl.Series([ROWS[0], None, ROWS[2]]),
}


@pytest.mark.parametrize("kept", OF_NUMBERS.values(), ids=OF_NUMBERS)
def test_a_missing_number_is_missing_in_every_form(kept: Kept) -> None:
    y_true, y_proba = [1, None, 0, 1], [0.9, 0.5, 0.25, None]
    plain = answered("log-loss", {"y_true": y_true, "y_proba": y_proba, **LOST})
    assert kullback.log_loss(kept(y_true), kept(y_proba), **LOST).to_dict() == plain
    with pytest.raises(kullback.InvalidInput) as caught:
        kullback.log_loss(kept(y_true), kept(y_proba))
    assert [each.pointer for each in caught.value.offences] == ["/y_true/1", "/y_proba/3"]


@pytest.mark.parametrize("kept", OF_WORDS.values(), ids=OF_WORDS)
def test_a_missing_word_is_missing_in_every_form(kept: Kept) -> None:
    y_true = ["dog", None, "eel"]
    fields = {"y_proba": ROWS, "labels": LABELS, **LOST}
    plain = answered("log-loss", {"y_true": y_true, **fields})
    assert kullback.log_loss(y_true=kept(y_true), **fields).to_dict() == plain


@pytest.mark.parametrize("rows", OF_ROWS.values(), ids=OF_ROWS)
def test_a_missing_row_is_missing_in_every_form(rows: object) -> None:
    y_proba = [ROWS[0], None, ROWS[2]]
    plain = answered("log-loss", {"y_true": [0, 1, 2], "y_proba": y_proba, **LOST})
    assert kullback.log_loss([0, 1, 2], rows, **LOST).to_dict() == plain


@pytest.mark.parametrize(
    ("y_true", "weight", "said"),
    [
        (["dog", "cat", "eel"], {"dog": np.float32(2), "cat": np.int64(1), "eel": 0.5}, LABELS),
        ([0, 1, 2], {0: 2.0, np.int64(1): 1, 2.0: 0.5}, None),
        ([0, 1, 2], np.array([2.0, 1.0, 0.5]), None),
        ([0, 1, 2], pd.Series([2.0, 1.0, 0.5], index=[7, 8, 9]), None),
    ],
)
def test_classes_are_weighed_by_their_labels(y_true: object, weight: object, said: object) -> None:
    plain = {"y_true": y_true, "y_proba": ROWS, "class_weight": [2, 1, 0.5]}
    expected = answered("log-loss", plain if said is None else {**plain, "labels": said})
    found = kullback.log_loss(y_true, ROWS, labels=said, class_weight=weight)
    assert found.to_dict() == expected


def test_true_is_the_label_1() -> None:
    weighed = kullback.log_loss([True, False], [0.5, 0.25], class_weight={True: 2, False: 1})
    digits = kullback.log_loss([1, 0], [0.5, 0.25], class_weight={"1": 2, "0": 1})
    assert weighed.to_dict() == digits.to_dict()


TOP = [[{"5": -0.5, "7": -1.5}, {"5": -0.25, "7": "-Infinity"}]]
OF_TOKENS: dict[str, Any] = {
    "Python": [[{"5": -0.5, "7": -1.5}, {"5": -0.25, "7": -math.inf}]],
    "ids": [[{5: -0.5, 7: -1.5}, {5: -0.25, 7: -math.inf}]],
    "NumPy": [[{5: np.float64(-0.5), 7: np.float64(-1.5)}, {5: -0.25, 7: np.float64(-np.inf)}]],
    "tuples": ([{"5": -0.5, "7": -1.5}, {"5": -0.25, "7": -math.inf}],),
    "arrays of objects": np.array(TOP, dtype=object),
    "a series": pd.Series(TOP),
    "JSON": TOP,
}


@pytest.mark.parametrize("top", OF_TOKENS.values(), ids=OF_TOKENS)
def test_likeliest_tokens_come_as_objects(top: object) -> None:
    plain = answered("perplexity", {"top_logprobs": TOP, "y_true": [[7, 5]]})
    assert kullback.perplexity(top_logprobs=top, y_true=[[7, 5]]).to_dict() == plain


@pytest.mark.parametrize("metric", ["kl-divergence", "cross-entropy", "js-divergence"])
def test_truncated_distributions_come_as_objects(metric: str) -> None:
    p, q = {"a": math.log(0.5), "b": math.log(0.3)}, {"a": math.log(0.4), "b": math.log(0.1)}
    plain = answered(metric, {"p_top_logprobs": [p, p], "q_top_logprobs": [q, p]})
    kept = {name: np.float64(value) for name, value in p.items()}
    for sent in ([p, p], (kept, p), np.array([kept, p]), pd.Series([p, kept])):
        score = kullback.score(metric, p_top_logprobs=sent, q_top_logprobs=[q, p])
        assert score.to_dict() == plain


@pytest.mark.parametrize(
    "tokens", [[None, -0.5, -1.0], np.array([NAN, -0.5, -1.0]), pl.Series([None, -0.5, -1.0])]
)
def test_one_sequence_needs_no_list_around_it(tokens: object) -> None:
    plain = answered("perplexity", {"token_logprobs": [[None, -0.5, -1.0]]})
    assert kullback.perplexity(tokens).to_dict() == plain


def test_words_of_json_are_numbers_where_json_has_them() -> None:
    p_log = [[0.0, "-Infinity"], [math.log(0.5), math.log(0.5)]]
    plain = answered("entropy", {"p_log": p_log})
    assert kullback.entropy(p_log=p_log).to_dict() == plain
    assert kullback.entropy(p_log=[[0.0, -math.inf], p_log[1]]).to_dict() == plain
    lost = kullback.entropy(p=[[0.5, 0.5], ["NaN", 0.5]], missing="drop")
    assert lost.diagnostics.dropped_rows == (1,)


def test_several_tasks_are_the_columns_of_a_table() -> None:
    clicks, p = [[1, 0], [0, 0], [1, 1]], [[0.5, 0.1], [0.2, 0.2], [0.9, 0.6]]
    plain = answered("recommender", {"y_true": clicks, "y_proba": p, "tasks": ["ctr", "cvr"]})
    for kept in (np.array, pd.DataFrame, lambda rows: pl.DataFrame(rows, orient="row")):
        score = kullback.recommender(kept(clicks), kept(p), tasks=["ctr", "cvr"])
        assert score.to_dict() == plain


def test_singles_are_held_to_their_own_precision() -> None:
    z = np.random.default_rng(0).normal(size=(4, 256_000)).astype(np.float32)
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    score = kullback.log_loss([0, 1, 2, 3], p)
    shares = p.astype(np.float64)
    assert float(score) == pytest.approx(-np.log(shares[range(4), range(4)]).mean(), rel=1e-12)
    assert score.diagnostics.max_sum_error == pytest.approx(abs(shares.sum(axis=1) - 1).max())
