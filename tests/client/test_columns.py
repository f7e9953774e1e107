"""Columns of every library say the same, as JSON and as Arrow, and no others travel."""

import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kullback.scoring.catalog import METRICS
from kullback_client import Client, InvalidInput, Monitor, bodies
from kullback_client.bodies import Body, Table
from kullback_client.columns import named_columns
from kullback_client.exchange import ARROW, JSON
from kullback_client.schemas.fields import COLUMNS, SHORT
from tests.library.test_forms import OF_NUMBERS, OF_ROWS, OF_WORDS, Kept

LABELS = ["cat", "dog", "eel"]
PETS: dict[str, Any] = {
    "pet": ["dog", "cat", "dog", "eel"],
    "p_cat": [0.2, 0.7, 0.25, 0.2],
    "p_dog": [0.7, 0.2, 0.5, 0.1],
    "p_eel": [0.1, 0.1, 0.25, 0.7],
    "weight": [1.0, 2.0, 1.0, 3.0],
    "secret": ["a", "b", "c", "d"],
}
NAMED: dict[str, Any] = {
    "y_true": "pet",
    "y_proba": ["p_cat", "p_dog", "p_eel"],
    "sample_weight": "weight",
}


class OnlyArrow:
    """A table that nothing but the protocol of Arrow tells."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def records(columns: dict[str, Any]) -> np.ndarray[Any, Any]:
    """An array of records of NumPy."""
    array: np.ndarray[Any, Any] = pd.DataFrame(columns).to_records(index=False)
    return array


TABLES: dict[str, Callable[[dict[str, Any]], object]] = {
    "pandas": pd.DataFrame,
    "pandas with an index": lambda columns: pd.DataFrame(columns, index=[7, 7, 3, 1]),
    "polars": pl.DataFrame,
    "pyarrow": pa.table,
    "NumPy": records,
    "mapping": dict,
    "rows": lambda columns: pd.DataFrame(columns).to_dict("records"),
    "only Arrow": lambda columns: OnlyArrow(pa.table(columns)),
}


@pytest.fixture(params=["JSON", "Arrow", "polars"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How rows are sent: as the few they are, or as if they were many."""
    if request.param != "JSON":
        monkeypatch.setattr(bodies, "MOST_OF_JSON", 0)
    if request.param == "polars":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    return str(request.param)


forms = pytest.mark.usefixtures("form")


def media_type(form: str) -> str:
    return JSON if form == "JSON" else ARROW


def body(data: object, **fields: object) -> Body:
    return Table(named_columns(data, fields, COLUMNS), COLUMNS, SHORT).body()


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_a_table_of_every_library_is_scored_alike(
    make: Callable[[dict[str, Any]], object], form: str, kb: Client
) -> None:
    fields = {key: PETS[column] for key, column in NAMED.items() if isinstance(column, str)}
    rows = np.column_stack([PETS[name] for name in NAMED["y_proba"]]).tolist()
    plain = kb.score("log-loss", y_proba=rows, labels=LABELS, **fields)
    data = make(PETS)
    assert body(data, labels=LABELS, **NAMED).media_type == media_type(form)
    assert kb.score("log-loss", data, labels=LABELS, **NAMED) == plain
    several = kb.score(["log-loss", "calibration"], data, labels=LABELS, **NAMED)
    assert several["log_loss"] == plain
    assert several["calibration"].n == 4


@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_no_other_column_travels(make: Callable[[dict[str, Any]], object], form: str) -> None:
    sent = body(make(PETS), labels=LABELS, **NAMED)
    if form == "JSON":
        assert json.loads(sent.content).keys() == {*NAMED, "labels"}
    else:
        assert pa.ipc.open_stream(sent.content).schema.names == list(NAMED)
        assert sent.query == (("labels", '["cat","dog","eel"]'),)


def test_a_relation_of_duckdb_is_a_table(kb: Client) -> None:
    fields = {"labels": LABELS, **NAMED}
    relation = duckdb.from_arrow(pa.table(PETS))
    assert kb.score("log-loss", relation, **fields) == kb.score("log-loss", PETS, **fields)


def test_who_has_no_library_to_read_a_table_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    data = OnlyArrow(pa.table(PETS))
    for library in ("pyarrow", "polars"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(TypeError, match="to read a OnlyArrow, install pyarrow or polars"):
        body(data, **NAMED)


@forms
@pytest.mark.parametrize("kept", OF_NUMBERS.values(), ids=OF_NUMBERS)
def test_a_missing_number_is_missing_in_every_form(kept: Kept, kb: Client) -> None:
    y_true, y_proba = [1, None, 0, 1], [0.9, 0.5, 0.25, None]
    plain = kb.score("log-loss", y_true=[1, None, 0, 1], y_proba=y_proba, missing="drop")
    assert plain.diagnostics.dropped == 2
    columns = {"y_true": kept(y_true), "y_proba": kept(y_proba)}
    assert kb.score("log-loss", **columns, missing="drop") == plain
    with pytest.raises(InvalidInput):
        kb.score("log-loss", **columns)


@forms
@pytest.mark.parametrize("kept", OF_WORDS.values(), ids=OF_WORDS)
def test_a_missing_label_is_missing_in_every_form(kept: Kept, kb: Client) -> None:
    fields = {"y_proba": [0.9, 0.5, 0.25], "labels": ["no", "yes"], "missing": "drop"}
    plain = kb.score("log-loss", y_true=["yes", None, "no"], **fields)
    assert kb.score("log-loss", y_true=kept(["yes", None, "no"]), **fields) == plain


@forms
@pytest.mark.parametrize("rows", OF_ROWS.values(), ids=OF_ROWS)
def test_rows_may_miss_entries(rows: object, kb: Client) -> None:
    fields = {"y_true": [0, 1, 2], "missing": "drop"}
    plain = kb.score("log-loss", y_proba=[[0.7, 0.2, 0.1], None, [0.25, 0.25, 0.5]], **fields)
    score = kb.score("log-loss", y_proba=rows, **fields)
    assert (score.value, score.n) == (plain.value, 2)


@forms
@pytest.mark.parametrize("name", METRICS)
def test_every_example_is_scored_as_the_service_says(name: str, kb: Client) -> None:
    example = METRICS[name].example
    score = kb.score(name, **example.request)
    assert score.value == pytest.approx(example.value)


@forms
def test_infinite_logits_are_words_in_json(kb: Client) -> None:
    logits = np.array([[0.0, -math.inf], [0.0, 0.0]])
    score = kb.score("softmax-cross-entropy", logits=logits, y_true=[0, 0])
    assert score.value == pytest.approx(math.log(2) / 2)


@forms
@pytest.mark.parametrize("labels", [["1", "2"], [1, 2], [True, False], ["a,b", '"']])
def test_options_keep_their_types_beside_a_table(labels: list[Any], kb: Client) -> None:
    fields = {"y_true": [labels[0], labels[1]], "y_proba": [0.25, 0.5], "labels": labels}
    score = kb.score("log-loss", pos_label=labels[0], base="2", **fields)
    assert score.value == pytest.approx(-(math.log2(0.25) + math.log2(0.5)) / 2)
    assert score.unit == "bits"


TIME = datetime.now(UTC).replace(second=30, microsecond=123456) - timedelta(hours=2)
NAIVE = TIME.replace(tzinfo=None)
TIMES: dict[str, Any] = {
    "datetime": [TIME, TIME],
    "text": [TIME.astimezone(timezone(timedelta(hours=1))).isoformat()] * 2,
    "pandas": pd.Series([TIME] * 2),
    "pandas ns": pd.Series([TIME] * 2).astype("datetime64[ns, Europe/Berlin]"),
    "polars": pl.Series([TIME] * 2),
    "pyarrow": pa.array([TIME] * 2, pa.timestamp("ns", "UTC")),
    "NumPy epoch": np.array([TIME.timestamp()] * 2),
    "decimal": [Decimal(str(TIME.timestamp()))] * 2,
}
IN_UTC: dict[str, Any] = {
    "datetime": [NAIVE, NAIVE],
    "NumPy ns": np.array([NAIVE] * 2, dtype="datetime64[ns]"),
    "NumPy us": np.array([NAIVE] * 2, dtype="datetime64[us]"),
    "NumPy objects": np.array([NAIVE] * 2, dtype=object),
    "pandas": pd.Series([NAIVE] * 2),
    "polars": pl.Series([NAIVE] * 2),
}


@forms
@pytest.mark.parametrize(
    ("times", "zone"),
    [*((times, None) for times in TIMES.values()), *((times, "UTC") for times in IN_UTC.values())],
    ids=[*TIMES, *(f"{name} of a zone" for name in IN_UTC)],
)
def test_times_are_those_that_they_were(
    times: object, zone: str | None, kb: Client, unused: Callable[[], str]
) -> None:
    monitor = kb.monitor(unused()).ensure(timezone=zone, retention_days=3650)
    monitor.observations(y_true=[0, 1], y_proba=[0.5, 0.5], timestamp=times)
    within = monitor.report(from_=TIME, to=TIME + timedelta(seconds=1))
    assert (within.n, within.from_) == (2, TIME.replace(second=0, microsecond=0))


@forms
@pytest.mark.parametrize(
    "ids",
    [
        [UUID(int=7), UUID(int=8)],
        pd.Series([UUID(int=7), UUID(int=8)]),
        [str(UUID(int=7)), str(UUID(int=8))],
        np.array([str(UUID(int=7)), str(UUID(int=8))]),
    ],
)
def test_ids_may_be_uuids(ids: object, monitor: Monitor) -> None:
    monitor.predictions(id=ids, y_proba=[0.5, 0.5])
    assert monitor.labels(id=[str(UUID(int=7))], y_true=[1]).matched == 1


@forms
def test_columns_with_the_names_of_fields_need_not_be_named(monitor: Monitor) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "y_proba": [0.5, 0.25],
            "slice.country": ["DE", "FR"],
            "features.age": [30.0, None],
            "secret": ["a", "b"],
        }
    )
    assert monitor.predictions(frame).accepted == 2
    report = monitor.report(by="country")
    assert [group.slice for group in report.groups] == [{"country": "DE"}, {"country": "FR"}]
    with pytest.raises(InvalidInput) as raised:
        monitor.predictions(frame.rename(columns={"slice.country": "slice.nation"}))
    assert "nation" in raised.value.errors[0].pointer


@forms
def test_slices_and_features_may_be_named_in_three_ways(monitor: Monitor) -> None:
    frame = pd.DataFrame({"p": [0.5], "country": ["DE"], "land": ["DE"], "age": [3]})
    for n, named in enumerate(["country", ["country"], {"country": "land"}]):
        monitor.predictions(frame, id=[n], y_proba="p", slice=named, features="age")
    (group,) = monitor.report(by="country").groups
    assert (group.predictions, group.slice) == (3, {"country": "DE"})


@pytest.mark.parametrize(
    ("data", "fields", "error", "said"),
    [
        (PETS, {"y_true": "pets"}, ValueError, "there is no column pets; did you mean pet?"),
        ({"a": [1]}, {"y_true": "zzz"}, ValueError, "there is no column zzz; it has a"),
        (7, {"y_true": "a"}, TypeError, "a table with named columns is expected, not int"),
        (None, {"y_true": [object()]}, TypeError, "y_true: a value of type object cannot be sent"),
        (None, {"y_true": print}, TypeError, "y_true: a column is expected, not builtin_function"),
    ],
)
def test_what_is_no_column_is_said(
    data: object, fields: dict[str, object], error: type[Exception], said: str, kb: Client
) -> None:
    with pytest.raises(error, match=said):
        kb.score("log-loss", data, **fields)


def test_without_libraries_many_rows_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    rows = {"y_true": [0, 1] * 20_000, "y_proba": [0.5, 0.25] * 20_000}
    assert body(None, **rows).media_type == ARROW
    monkeypatch.setitem(sys.modules, "polars", None)
    assert body(None, **rows).media_type == JSON
    monkeypatch.undo()
    assert body(None, **rows).media_type == ARROW
    assert body(None, y_true=[0, 1], y_proba=[0.5, 0.25]).media_type == JSON
