"""CSV bodies give the same bytes as JSON of the same numbers, or are refused with the place."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import BodyError, BodyTooLarge, InvalidInput, MalformedBody
from kullback.payload.csv_body import MAX_CSV, parse_csv
from kullback.payload.delimited import MAX_COLUMNS, MAX_HEADER
from kullback.payload.dialect import Dialect
from kullback.payload.media import ARROW, CSV, JSON, PARQUET
from tests.payload.answers import answer
from tests.payload.bodies import as_arrow, as_json, as_parquet
from tests.payload.child import CAP, COLUMNS, in_child
from tests.payload.csv_mutants import survived

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=100)
CLICKS = {"y_true": [1, 0, 1, 0], "y_proba": [0.5, 0.25, 0.75, 1e-17]}
PETS = {
    "y_true": ["dog", "cat", "dog"],
    "y_proba": [[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]],
    "sample_weight": [1.0, 0.5, 2.0],
}
WIDE = (
    "y_true,y_proba.dog,y_proba.cat,sample_weight\ndog,0.5,0.5,1\ncat,0.25,0.75,.5\ndog,0.1,0.9,2\n"
)


def csv(text: str | bytes, metric: str = "log-loss", /, **query: Any) -> bytes:  # noqa: ANN401
    return answer(metric, text if isinstance(text, bytes) else text.encode(), CSV, query)


def read(text: str | bytes, dialect: Dialect = Dialect()) -> dict[str, Any]:  # noqa: B008
    raw = bytearray(text if isinstance(text, bytes) else text.encode())
    return dict(parse_csv(raw, COLUMNS, CAP, dialect))


@law
@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(1e-300, 1), st.sampled_from(["a", "b,", 'c"', "ü\n"])),
        min_size=1,
        max_size=20,
    )
)
def test_the_same_rows_give_the_same_bytes_as_every_other_type(
    rows: list[tuple[bool, float, str]],
) -> None:
    frame = pd.DataFrame(rows, columns=["y_true", "y_proba", "group"])
    fields = {name: frame[name].tolist() for name in frame}
    expected = answer("recommender", as_json(fields), JSON, {})
    table = pa.table(fields)
    assert csv(frame.to_csv(index=False), "recommender") == expected
    assert answer("recommender", as_arrow(table), ARROW, {}) == expected
    assert answer("recommender", as_parquet(table), PARQUET, {}) == expected


def test_columns_with_a_dot_are_the_entries_of_rows_in_every_table() -> None:
    expected = answer("log-loss", as_json(PETS | {"labels": ["dog", "cat"]}), JSON, {})
    assert csv(WIDE, labels=["dog", "cat"]) == expected
    proba = np.array(PETS["y_proba"])
    table = pa.table(
        {
            "y_true": PETS["y_true"],
            "y_proba.dog": proba[:, 0],
            "sample_weight": PETS["sample_weight"],
            "y_proba.cat": proba[:, 1],
        }
    )
    for write, kind in ((as_arrow, ARROW), (as_parquet, PARQUET)):
        assert answer("log-loss", write(table), kind, {"labels": ["dog", "cat"]}) == expected


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"y_proba.a": [0.5], "y_proba": [0.5]}, "/y_proba"),
        ({"y_proba.a": [[0.5]], "y_proba.b": [0.5]}, "/y_proba.a"),
        ({"y_proba.a": ["x"], "y_proba.b": [0.5]}, "/y_proba.a"),
        ({"y_true.a": ["x"], "y_true.b": ["y"]}, "/y_true.a"),
        ({"group.a": [1]}, "/group.a"),
    ],
)
def test_columns_that_are_no_parts_of_rows_are_refused(
    columns: dict[str, list[object]], place: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        answer("recommender", as_arrow(pa.table(columns)), ARROW, {})
    if place.startswith("/y"):
        with pytest.raises(InvalidInput) as refused:
            answer("log-loss", as_arrow(pa.table(columns)), ARROW, {})
    assert refused.value.offences[0].pointer == place


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("y_true;y_proba\n1;0,5\n0;0,25\n1;0,75\n0;1E-17\n", {"delimiter": ";", "decimal": ","}),
        ("y_true\ty_proba\n1\t0.5\n0\t0.25\n1\t0.75\n0\t1e-17\n", {"delimiter": "tab"}),
        ("y_true, y_proba\nTrue, 0.5\nFalse, 0.25\nTrue, 0.75\nFalse, 1e-17\n", {}),
        (",y_true,y_proba\n0,1,0.5\n1,0,0.25\n7,1,0.75\n8,0,1e-17\n", {}),
        (
            "y_true,y_proba\n1,0.5\n0,0.25\n1,0.75\n0,1e-17\n".encode("utf-16"),
            {"encoding": "utf-16"},
        ),
    ],
)
def test_dialects_are_options(text: str | bytes, query: dict[str, str]) -> None:
    assert csv(text, **query) == answer("log-loss", as_json(CLICKS), JSON, {})


def test_blanks_are_no_part_of_a_label_where_its_column_has_some_in_the_header() -> None:
    padded = "y_proba, y_true\n0.5, dog\n0.25,cat\n"
    plain = "y_proba,y_true\n0.5,dog\n0.25,cat\n"
    assert csv(padded, pos_label="dog") == csv(plain, pos_label="dog")
    assert read("y_true\n dog\ncat\n")["y_true"] == [" dog", "cat"]


def test_words_for_true_are_what_labels_name() -> None:
    text = "y_true,y_proba\nTrue,0.5\nFalse,0.25\n"
    expected = json.loads(csv(text))["value"]
    assert json.loads(csv(text, pos_label="True"))["value"] == expected
    assert json.loads(csv(text, labels=["False", "True"]))["value"] == expected


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("y_true,y_proba\n1,0.5\n1,x\n", "/y_proba/1", "holds no number in row 2"),
        ("y_true,y_proba\n1,0.5\n1,True\n", "/y_proba/1", "holds no number in row 2"),
        ("y_true,y_proba,z\n1,0.5,1\n", "/z", "there is no such column"),
        ("y_true;y_proba\n1;0.5\n", "/y_true;y_proba", "looks separated by ';'"),
        ("y_true,y_true\n1,0.5\n", "/y_true", "twice"),
        ("y_true, y_true\n1,0.5\n", "/y_true", "twice"),
    ],
)
def test_wrong_cells_and_columns_are_named(text: str, place: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        csv(text)
    assert refused.value.offences[0].pointer == place


@pytest.mark.parametrize("query", [{"delimiter": "ab"}, {"decimal": "5"}, {"encoding": "zip"}])
def test_dialects_that_there_are_not_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        csv("y_true,y_proba\n1,0.5\n", **query)
    assert refused.value.offences[0].pointer == f"/{next(iter(query))}"


@pytest.mark.parametrize("name", ["delimiter", "decimal", "encoding"])
def test_dialects_are_of_csv_alone(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        answer("log-loss", as_arrow(pa.table(CLICKS)), ARROW, {name: ";"})
    assert refused.value.offences[0].pointer == f"/{name}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("y_true,y_proba\n1\n", "row 1 of the table has 1 cells"),
        ("y_true,y_proba\n1,2,3\n", "row 1 of the table has 3 cells"),
        (b"y_true,y_proba\n1,\xff\n", "not utf-8"),
        (b"\xff\xfe\x00", "not utf-8"),
        ('"y_true,y_proba\n' + "1,2\n" * 40_000, "not closed"),
        ("y_true,y_proba\n1,0.5\n1," + "9" * (9 << 20), "longer than"),
        ("x" * (MAX_HEADER + 1), "header is longer"),
    ],
)
def test_what_is_no_table_is_malformed(text: str | bytes, said: str) -> None:
    with pytest.raises(MalformedBody, match=said):
        read(text)


def test_what_is_sent_is_not_repeated() -> None:
    with pytest.raises(MalformedBody) as refused:
        read("y_true,y_proba\n1,secret,2\n")
    assert "secret" not in refused.value.message


def test_tables_of_text_are_small() -> None:
    with pytest.raises(BodyTooLarge, match="16 MiB"):
        read(b"y_true\n" + b"1\n" * (MAX_CSV // 2))
    with pytest.raises(BodyTooLarge, match="8 for each entry"):
        read("y_true,y_proba\n" + "1,1\n" * (CAP // 8))
    with pytest.raises(InvalidInput, match="columns"):
        read("," * MAX_COLUMNS + "\n")


def test_many_columns_cost_no_more_than_they_are() -> None:
    names = ",".join(f"y_proba.{i}" for i in range(30_000))
    found = read(f"{names}\n" + ",".join(["0.5"] * 30_000))
    assert (len(found["y_proba"]), len(found["y_proba"].names)) == (1, 30_000)


def test_mutants_of_tables_are_refused_or_read_but_break_nothing() -> None:
    outcomes = in_child(survived, 3000)
    assert isinstance(outcomes, dict)
    assert outcomes.keys() <= {"read", *(each.__name__ for each in kinds())}
    assert min(outcomes["read"], outcomes["MalformedBody"]) > 50


def kinds() -> list[type[Exception]]:
    return [InvalidInput, BodyError, *BodyError.__subclasses__()]


@pytest.mark.parametrize(
    "word", ["", "NA", "NaN", "nan", "null", "NULL", "N/A", "n/a", "#N/A", "<NA>"]
)
@pytest.mark.parametrize("blank", ["", " "])
def test_every_word_for_what_is_missing_is_missing_also_with_blanks_around(
    word: str, blank: str
) -> None:
    cell = f"{blank}{word}{blank}"
    fields = {"y_true": [1, None, 0, 1], "y_proba": [0.5, 0.5, None, 0.25]}
    expected = answer("log-loss", as_json(fields | {"missing": "drop"}), JSON, {})
    text = f"y_true,y_proba\n1,0.5\n{cell},0.5\n0,{cell}\n1,.25\n"
    assert csv(text, missing="drop") == expected
    assert json.loads(expected)["diagnostics"]["dropped_rows"] == [1, 2]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("y_pred", "did you mean y_proba?"),
        ("weight", "did you mean sample_weight?"),
        ("p_0", "those of rows [n][k] are named as y_proba.0"),
        ("y_proba_1", "those of rows [n][k] are named as y_proba.0"),
        ("p_cat", "that of a label in rows [n][k] is named as y_proba.cat"),
        ("colour", "options are query parameters"),
    ],
)
def test_a_column_of_no_field_is_told_of_the_field_that_was_meant(name: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as of_text:
        csv(f"y_true,{name}\n1,0.5\n")
    with pytest.raises(InvalidInput) as of_arrow:
        answer("log-loss", as_arrow(pa.table({"y_true": [1], name: [0.5]})), ARROW, {})
    assert remedy in of_text.value.message == of_arrow.value.message


def test_the_index_that_pandas_wrote_and_read_is_passed_over() -> None:
    once = pd.DataFrame(CLICKS).to_csv()
    twice = pd.read_csv(io.StringIO(once)).to_csv(index=False)
    assert twice.startswith("Unnamed: 0,")
    assert csv(twice) == csv(once) == answer("log-loss", as_json(CLICKS), JSON, {})


def test_fields_of_the_same_columns_have_them_in_the_same_order() -> None:
    rows = {"p.a": [0.5], "p.b": [0.5], "q.a": [0.25], "q.b": [0.75]}
    swapped = {name: rows[name] for name in ("p.a", "p.b", "q.b", "q.a")}
    assert json.loads(answer("kl-divergence", as_arrow(pa.table(rows)), ARROW, {}))["value"] > 0
    for write, kind in ((as_arrow, ARROW), (as_parquet, PARQUET)):
        with pytest.raises(InvalidInput, match="the columns of p have another order"):
            answer("kl-divergence", write(pa.table(swapped)), kind, {})
    with pytest.raises(InvalidInput, match="the columns of p have another order"):
        csv(pd.DataFrame(swapped).to_csv(index=False), "kl-divergence")


@pytest.mark.parametrize(
    ("metric", "option", "text", "value"),
    [
        ("recommender", "at", "1,2", [1, 2]),
        ("recommender", "at", "2", [2]),
        ("recommender", "labels", "0,1", [0, 1]),
        ("log-loss", "class_weight", "1, 2.5", [1, 2.5]),
        ("focal-loss", "alpha", "0.25,0.75", [0.25, 0.75]),
        ("calibration", "bins", "0,0.5,1", [0, 0.5, 1]),
    ],
)
def test_an_option_may_be_a_list_without_its_brackets(
    metric: str, option: str, text: str, value: list[float]
) -> None:
    fields = CLICKS | ({"group": ["a", "a", "b", "b"]} if option == "at" else {})
    expected = answer(metric, as_json(fields | {option: value}), JSON, {})
    assert answer(metric, as_arrow(pa.table(fields)), ARROW, {option: text}) == expected
