"""In Python the same numbers as over HTTP, from the arrays of every library, without a server."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sized
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import kullback
import kullback_client
from kullback.cli.client import Payload, score_here
from kullback.payload.media import JSON
from kullback.requests import REQUESTS
from kullback.requests.validation import array_fields
from kullback.scoring.catalog import METRICS

PETS = ["dog", "cat", "dog", "eel"]
ROWS = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5], [1e-17, 0.3, 0.7]]
WEIGHTS = [1.0, 2.0, 0.5, 3.25]
LABELS = ["dog", "cat", "eel"]
WEB = ("fastapi", "starlette", "uvicorn", "httptools", "httpx", "sqlalchemy", "typer", "jinja2")

Kept = Callable[[list[Any]], Any]


def answered(metric: str, request: Mapping[str, object]) -> dict[str, object]:
    """What the service answers to the request as JSON."""
    body = bytearray(json.dumps(request).encode())
    answer: dict[str, object] = json.loads(score_here([metric], Payload(JSON, body)))
    return answer


def table(columns: list[list[float]]) -> dict[str, list[float]]:
    return dict(zip(LABELS, map(list, zip(*columns, strict=True)), strict=True))


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_is_the_same_in_python_as_over_http(metric: str) -> None:
    request = dict(METRICS[metric].example.request)
    assert kullback.score(metric, **request).to_dict() == answered(metric, request)


@pytest.mark.parametrize("metric", METRICS)
def test_columns_of_the_example_may_be_given_by_position(metric: str) -> None:
    request = dict(METRICS[metric].example.request)
    columns = [request[name] for name in request if name in array_fields(REQUESTS[metric])]
    options = {
        name: request[name] for name in request if name not in array_fields(REQUESTS[metric])
    }
    function = getattr(kullback, METRICS[metric].key)
    assert function(*columns, **options).to_dict() == answered(metric, request)


ROWS_OF: dict[str, Kept] = {
    "list": list,
    "NumPy": np.array,
    "Fortran order": np.asfortranarray,
    "big endian": lambda rows: np.array(rows, dtype=">f8"),
    "list of NumPy": lambda rows: [np.array(row) for row in rows],
    "pandas table": lambda rows: pd.DataFrame(table(rows), index=[7, 5, 3, 1]),
    "polars table": lambda rows: pl.DataFrame(table(rows)),
    "polars lists": pl.Series,
    "Arrow table": lambda rows: pa.table(table(rows)),
    "Arrow lists": pa.array,
    "Arrow in chunks": lambda rows: pa.chunked_array([rows[:1], rows[1:]]),
}


LABELS_OF: dict[str, Kept] = {
    "list": list,
    "tuple": tuple,
    "NumPy": np.array,
    "pandas": pd.Series,
    "polars": pl.Series,
    "Arrow": pa.array,
}


@pytest.mark.parametrize("labels", LABELS_OF.values(), ids=LABELS_OF)
@pytest.mark.parametrize("rows", ROWS_OF.values(), ids=ROWS_OF)
def test_arrays_of_every_library_make_the_same_answer(labels: Kept, rows: Kept) -> None:
    options: dict[str, Any] = {"labels": LABELS, "per_row": True, "gradient": True}
    plain = {"y_true": PETS, "y_proba": ROWS, "sample_weight": WEIGHTS, **options}
    answer = kullback.log_loss(
        labels(PETS), rows(ROWS), sample_weight=np.array(WEIGHTS), **options
    ).to_dict()
    assert answer == answered("log-loss", plain)


CLICKS: dict[str, Any] = {
    "int8": np.array([1, 0, 1], dtype=np.int8),
    "uint64": np.array([1, 0, 1], dtype=np.uint64),
    "bool": np.array([True, False, True]),
    "float": np.array([1.0, 0.0, 1.0]),
    "pandas Int64": pd.Series([1, 0, 1], dtype="Int64"),
    "pandas category": pd.Series([1, 0, 1], dtype="category"),
    "polars": pl.Series([True, False, True]),
    "list": [True, False, True],
    "range": range(1, 2),
}


@pytest.mark.parametrize("clicks", CLICKS.values(), ids=CLICKS)
def test_a_click_is_a_click_of_any_type(clicks: Sized) -> None:
    p = [0.9, 0.2, 0.6][: len(clicks)]
    plain = answered("log-loss", {"y_true": [1, 0, 1][: len(clicks)], "y_proba": p})
    assert kullback.log_loss(clicks, p).to_dict() == plain


def test_ragged_sequences_and_arms_by_name_are_read() -> None:
    logprobs = [[-0.5, -1.0], [-0.25]]
    plain = answered("perplexity", {"token_logprobs": logprobs})
    for sent in (logprobs, [np.array(each) for each in logprobs], pl.Series(logprobs)):
        assert kullback.perplexity(sent).to_dict() == plain
    request = dict(METRICS["compare"].example.request)
    arms: Any = request.pop("y_proba")
    series = {name: pd.Series(p) for name, p in arms.items()}
    assert kullback.compare(y_proba=series, **request).to_dict() == answered(
        "compare", {"y_proba": arms, **request}
    )


def test_an_infinite_score_is_infinite_in_python_and_null_in_the_answer() -> None:
    score = kullback.log_loss([1], [0.0])
    assert float(score) == np.inf
    assert score.status == "infinite"
    assert score.to_dict()["value"] is None


def test_options_are_those_of_numpy_too() -> None:
    score = kullback.score(
        "log_loss", y_true=PETS, y_proba=ROWS, labels=np.array(LABELS), base=2, per_row=np.True_
    )
    plain = {"y_true": PETS, "y_proba": ROWS, "labels": LABELS, "base": "2", "per_row": True}
    assert score.to_dict() == answered("log-loss", plain)


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"y_pred": [0.5]}, "/y_pred", "there is no such field"),
        ({"y_proba": [0.5, 1.5, 0.1]}, "/y_proba/1", "1.5 is not in [0, 1]"),
        ({"y_proba": [0.5, "a", 0.1]}, "/y_proba/1", "'a' is of type str"),
        ({"y_proba": [[0.5, 0.5], [0.5, b"?"], [0.5, 0.5]]}, "/y_proba/1/1", "of type bytes"),
        ({"y_proba": [[0.5, 0.5], [1.0], [0.5, 0.5]]}, "/y_proba/1", "1 entries where others"),
        ({"y_proba": pd.DataFrame({"p": ["x", "y", "z"]})}, "/y_proba", "the column p of type"),
        ({"y_proba": pl.DataFrame()}, "/y_proba", "a table without columns"),
        ({"y_proba": object()}, "/y_proba", "no column of entries of one kind"),
        ({"y_proba": {"a": [0.5]}}, "/y_proba", "expected a list of numbers"),
        ({"y_proba": 0.5}, "/y_proba", "one number, where a list is expected"),
        ({"y_proba": None}, "/y_proba", "this field is missing"),
        ({"base": 3}, "/base", "Input should be"),
    ],
)
def test_a_refusal_is_a_value_error_that_names_the_place(
    fields: dict[str, object], pointer: str, words: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        kullback.score("log-loss", **({"y_true": [1, 0, 1], "y_proba": [0.5] * 3} | fields))
    assert isinstance(caught.value, kullback.InvalidInput)
    assert caught.value.offences[0].pointer == pointer
    assert words in str(caught.value)


def test_what_is_no_metric_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(kullback.InvalidInput, match=r"did you mean log-loss\?"):
        kullback.score("logloss")
    with pytest.raises(AttributeError, match="'kullback' has no attribute 'logloss'"):
        _ = kullback.logloss
    with pytest.raises(TypeError, match=r"log_loss\(\) takes by position no more than y_true, y_"):
        kullback.log_loss([1], [0.5], [1.0])


def test_the_library_says_its_version() -> None:
    assert kullback.__version__ == version("kullback") == kullback_client.__version__
    assert "__version__" in dir(kullback)


def test_every_function_says_what_it_takes() -> None:
    assert {"score", "Score", "InvalidInput"} <= {*dir(kullback)}
    for name, metric in METRICS.items():
        function = getattr(kullback, metric.key)
        assert metric.key in dir(kullback)
        assert function.__doc__.startswith(metric.summary)
        assert metric.formula.splitlines()[0] in function.__doc__
        assert {*inspect.signature(function).parameters} == {*REQUESTS[name].model_fields}


def test_an_import_brings_nothing_and_a_score_no_web() -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "import kullback; print(*sorted(set(sys.modules) - before))\n"
        "kullback.log_loss([1], [0.5]); print(*sorted(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    imported, used = (line.split() for line in ran.stdout.splitlines())
    assert {name.partition(".")[0] for name in imported} <= {"kullback", *sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in used}.isdisjoint(WEB)


def test_a_table_of_one_column_of_words_is_that_column() -> None:
    expected = kullback.log_loss(["a", "b"], [0.5, 0.25], pos_label="a").value
    for frame in (pd.DataFrame({"y": ["a", "b"]}), pl.DataFrame({"y": ["a", "b"]})):
        assert kullback.score(
            "log-loss", y_true=frame, y_proba=[0.5, 0.25], pos_label="a"
        ).value == (expected)


def test_one_metric_is_scored_at_a_time() -> None:
    with pytest.raises(kullback.InvalidInput, match="call score once for each"):
        kullback.score(["log-loss", "brier"], y_true=[1], y_proba=[0.5])


def test_what_may_be_asked_for_is_listed_once() -> None:
    names = dir(kullback)
    assert len(names) == len(set(names))
    assert {"score", "Score", "InvalidInput", *(each.key for each in METRICS.values())} <= {*names}
