"""Rows of experiments say the same in every type of body; what is wrong is named by its place."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kullback.errors import BodyError, InvalidInput, KullbackError
from kullback.experiments.rows import ArmRows
from kullback.payload.media import ARROW, JSON, LINES, PARQUET
from kullback.requests.experiments import ExperimentBatch
from kullback.requests.validation import validated
from kullback.timezones import Timestamps
from tests import strategies as draw
from tests.payload.batch_bodies import NDJSON, Columns, as_lines, bodies, dotted, read, rows_of
from tests.payload.bodies import as_arrow, as_json, as_parquet
from tests.requests.test_batches import epoch, integer, name, of, stamp

pytestmark = pytest.mark.untraced

law = settings(deadline=None, derandomize=True, max_examples=150)
arm_name = st.one_of(
    name, st.sampled_from(["a.b", "a/b", "~", "1", "17", '"', "y_proba", "x" * 64])
)
propensity = st.one_of(st.floats(1e-6, 1), st.just(1.0))

PARALLEL: Columns = {"y_true": [1, 0], "y_proba": [0.5, 0.25], "arm": ["a", "b"], "unit": [7, 8]}
PAIRED: Columns = {
    "y_true": [1, 0],
    "y_proba": {"a": [0.5, 0.25], "b": [0.125, 1]},
    "unit": ["u", "v"],
}


@st.composite
def batches(draws: st.DrawFn) -> Columns:
    """The columns of parallel or of paired rows."""
    n = draws(st.integers(1, 6))
    forecasts = of(n, draw.probability, st.sampled_from([0, 1]))
    columns: Columns = {
        "y_true": draws(of(n, st.integers(0, 1), st.floats(0, 1))),
        "unit": draws(of(n, name, integer)),
    }
    if draws(st.booleans()):
        columns |= {"y_proba": draws(forecasts), "arm": draws(of(n, arm_name, integer))}
    else:
        count = draws(st.sampled_from([1, 2, 3, 20]))
        arms = draws(st.lists(arm_name, min_size=count, max_size=count, unique=True))
        columns["y_proba"] = {arm: draws(forecasts) for arm in arms}
    extra = {
        "sample_weight": of(n, st.floats(0, 1e100), st.integers(0, 9)),
        "timestamp": of(n, epoch, stamp),
        "slice": st.dictionaries(
            st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,5}(\.[a-z])?", fullmatch=True),
            of(n, name, integer, st.booleans()),
            min_size=1,
            max_size=3,
        ),
    }
    for field in sorted(draws(st.sets(st.sampled_from(sorted(extra))))):
        columns[field] = draws(extra[field])
    if draws(st.booleans()):
        columns["propensity"] = draws(of(n, propensity))
        columns["target_propensity"] = draws(of(n, draw.probability))
    return columns


def plainly(value: object) -> object:
    """Rows, or a part of them, without arrays, and with the types of numbers."""
    if isinstance(value, (ArmRows, Timestamps)):
        return {
            field.name: plainly(getattr(value, field.name))
            for field in fields(value)
            if field.name != "screening"
        }
    if isinstance(value, Mapping):
        return {key: plainly(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype.name, value.shape, value.tobytes()
    return value


def rows(columns: Columns) -> ArmRows:
    return read(ExperimentBatch, as_json(columns)).rows()


@law
@given(batches())
def test_rows_are_the_same_in_every_type_of_body(columns: Columns) -> None:
    expected = plainly(rows(columns))
    for media_type, raw in bodies(columns):
        assert plainly(read(ExperimentBatch, raw, media_type).rows()) == expected


def test_parallel_rows_by_hand() -> None:
    columns = PARALLEL | {
        "sample_weight": [1, 2],
        "timestamp": ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02.5Z"],
        "slice": {"country": ["DE", "FR"]},
        "propensity": [0.5, 1],
        "target_propensity": [0.25, 0],
    }
    found = rows(columns)
    assert isinstance(found.y_proba, np.ndarray)
    assert found.y_proba.tolist() == [0.5, 0.25]
    assert (np.asarray(found.y_true).tolist(), np.asarray(found.unit).tolist()) == ([1, 0], [7, 8])
    assert (found.arm, found.slices) == (["a", "b"], {"country": ["DE", "FR"]})
    assert found.weight is not None
    assert found.timestamp is not None
    assert found.importance is not None
    assert found.weight.tolist() == [1, 2]
    assert found.timestamp.seconds.tolist() == [1, 2.5]
    assert found.importance.tolist() == [0.5, 0]


def test_paired_rows_by_hand() -> None:
    found = rows(PAIRED)
    assert isinstance(found.y_proba, dict)
    assert list(found.y_proba) == ["a", "b"]
    assert {arm: values.tolist() for arm, values in found.y_proba.items()} == PAIRED["y_proba"]
    assert found.y_proba["b"].dtype == np.float64
    assert found.unit == ["u", "v"]
    others = (found.arm, found.weight, found.importance, found.timestamp, dict(found.slices))
    assert others == (None, None, None, None, {})


def test_arms_that_are_integers_become_their_decimal_text() -> None:
    assert rows(PARALLEL | {"arm": [1, -2]}).arm == ["1", "-2"]


def test_labels_may_be_flags_where_a_column_has_that_type() -> None:
    table = dotted(PARALLEL | {"y_true": [True, False]})
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        assert plainly(read(ExperimentBatch, write(table), media_type).rows()) == plainly(
            rows(PARALLEL)
        )


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int8(), pa.uint64()])
def test_forecasts_of_any_type_of_number_are_read(kind: Any) -> None:  # noqa: ANN401
    column = pa.array([0, 1], kind)
    struct = pa.StructArray.from_arrays([column, column], ["a", "b"])
    for forecasts in (struct, {"a": column, "b": column}):
        raw = as_arrow(dotted(PAIRED | {"y_proba": forecasts}))
        found = read(ExperimentBatch, raw, ARROW).rows().y_proba
        assert plainly(found) == plainly({arm: np.array([0.0, 1.0]) for arm in ("a", "b")})


@pytest.mark.parametrize("named", [True, False])
def test_a_hundred_thousand_forecasts_are_read_whole(named: bool) -> None:  # noqa: FBT001
    n = 100_000
    values = np.sin(np.arange(n)) ** 2
    columns: Columns = {"y_true": [1] * n, "unit": [*range(n)]}
    if named:
        columns["y_proba"] = {"a": values.tolist(), "b": (1 - values).tolist()}
    else:
        columns |= {"y_proba": values.tolist(), "arm": ["a", "b"] * (n // 2)}
    expected = {"a": values, "b": 1 - values} if named else values
    for media_type, raw in (
        (JSON, as_json(columns)),
        (ARROW, as_arrow(dotted(columns))),
        (NDJSON, as_lines(rows_of(columns))),
    ):
        found = read(ExperimentBatch, raw, media_type).rows().y_proba
        assert plainly(found) == plainly(expected)


def refusal(raw: bytes, media_type: str = JSON) -> KullbackError:
    with pytest.raises(InvalidInput) as refused:
        read(ExperimentBatch, raw, media_type)
    return refused.value


def place(raw: bytes, media_type: str = JSON) -> str:
    return refusal(raw, media_type).offences[0].pointer


TWENTY_ONE = {f"a{i}": [0.5, 0.5] for i in range(21)}
WRONG: list[tuple[Columns, Columns, str]] = [
    (PARALLEL, {"y_proba": [0.5, 1.5]}, "/y_proba/1"),
    (PARALLEL, {"y_proba": [0.5, -1e-5]}, "/y_proba/1"),
    (PARALLEL, {"y_proba": [[0.5, 0.5], [0.5, 0.5]]}, "/y_proba"),
    (PARALLEL, {"y_proba": ["0.5", "0.5"]}, "/y_proba"),
    (PARALLEL, {"y_proba": {"a": [0.5, 0.5], "b": [0.5, 0.5]}}, "/arm"),
    (PARALLEL, {"arm": ["a", ""]}, "/arm/1"),
    (PARALLEL, {"arm": ["a", "b\n"]}, "/arm/1"),
    (PARALLEL, {"arm": ["a", "x" * 257]}, "/arm/1"),
    (PARALLEL, {"arm": [1.5, 2.5]}, "/arm"),
    (PARALLEL, {"arm": [True, False]}, "/arm"),
    (PARALLEL, {"arm": [["a"], ["b"]]}, "/arm"),
    (PARALLEL, {"unit": ["a", "\0"]}, "/unit/1"),
    (PARALLEL, {"y_true": [0.5, 1.5]}, "/y_true/1"),
    (PARALLEL, {"sample_weight": [1, -1]}, "/sample_weight/1"),
    (PARALLEL, {"timestamp": [1, -1]}, "/timestamp/1"),
    (PARALLEL, {"slice": {"1c": ["a", "b"]}}, "/slice/1c"),
    (PARALLEL, {"propensity": [0.5, 0.5]}, "/target_propensity"),
    (PARALLEL, {"target_propensity": [0.5, 0.5]}, "/propensity"),
    (PARALLEL, {"propensity": [0.5, 0], "target_propensity": [0.5, 0.5]}, "/propensity/1"),
    (PARALLEL, {"propensity": [0.5, 1.5], "target_propensity": [0.5, 0.5]}, "/propensity/1"),
    (PARALLEL, {"propensity": [1, 1e-101], "target_propensity": [1, 1]}, "/propensity/1"),
    (PARALLEL, {"propensity": [1, 5e-324], "target_propensity": [1, 1]}, "/propensity/1"),
    (PARALLEL, {"propensity": [1, 1], "target_propensity": [0.5, -1]}, "/target_propensity/1"),
    (PARALLEL, {"propensity": [1, 1], "target_propensity": [0.5, 2]}, "/target_propensity/1"),
    (PAIRED, {"y_proba": [0.5, 0.5]}, "/arm"),
    (PAIRED, {"arm": ["a", "b"]}, "/arm"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": [0.5, 1.5]}}, "/y_proba/b/1"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "17": [0.5, -1]}}, "/y_proba/17/1"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b/~": [0.5, 2]}}, "/y_proba/b~1~0/1"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": ["x", "y"]}}, "/y_proba/b"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b": [[0.5], [0.5]]}}, "/y_proba/b"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "": [0.5, 0.5]}}, "/y_proba/"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "b\n": [0.5, 0.5]}}, "/y_proba/b\n"),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "x" * 65: [0.5, 0.5]}}, "/y_proba/" + "x" * 65),
    (PAIRED, {"y_proba": {"a": [0.5, 0.5], "1" * 65: [0.5, 0.5]}}, "/y_proba/" + "1" * 65),
    (PAIRED, {"y_proba": TWENTY_ONE}, "/y_proba"),
]


@pytest.mark.parametrize(("right", "wrong", "expected"), WRONG)
def test_what_is_wrong_is_named_in_every_type_of_body(
    right: Columns, wrong: Columns, expected: str
) -> None:
    field, *steps = expected[1:].split("/")
    has_row = bool(steps) and steps[-1] == "1"
    for media_type, raw in bodies(right | wrong):
        found = place(raw, media_type)
        if media_type in LINES and has_row:
            assert found == "/" + "/".join(["1", field, *steps[:-1]])
        elif media_type in LINES:
            assert f"/{field}" in found
        else:
            assert found.replace(f"{field}.", f"{field}/").startswith(expected)


def test_places_past_the_first_are_within_their_arm_too() -> None:
    forecasts = {"a": [0.5] * 30, "b": [2.0] * 30}
    columns = {"y_true": [1] * 30, "unit": [1] * 30, "y_proba": forecasts}
    error = refusal(as_json(columns))
    assert [each.pointer for each in error.offences] == [f"/y_proba/b/{i}" for i in range(20)]
    assert (error.message, error.total) == ("y_proba: 2 is not in [0, 1]", 30)
    error = refusal(as_lines(rows_of(columns)), NDJSON)
    assert [each.pointer for each in error.offences] == [f"/{i}/y_proba/b" for i in range(20)]
    assert error.message == "line 1: y_proba: 2 is not in [0, 1]"


@pytest.mark.parametrize("missing", ["unit", "arm"])
def test_a_missing_field_is_named_in_every_type_of_body(missing: str) -> None:
    columns = {field: values for field, values in PARALLEL.items() if field != missing}
    for media_type, raw in bodies(columns):
        assert place(raw, media_type) == f"/{missing}"


FORECASTS = [
    ("0.5", ""),
    ("true", ""),
    ('"0.5"', ""),
    ("NaN", ""),
    ("[]", ""),
    ("[[]]", ""),
    ("[null, 0.5]", "/0"),
    ("[0.5, true]", "/1"),
    ("[0.5, 1e999]", "/1"),
    ('[0.5, "0.5"]', "/1"),
    ("[0.5, {}]", "/1"),
    ('[{"a": 0.5}, {"a": 0.5}]', "/0"),
    ("[0.5, [0.5]]", "/1"),
    ("[[0.5, 0.5]]", ""),
    ("[[[[[0.5]]]]]", ""),
    ("[0.5, 0.5, 0.5]", ""),
    ("{}", ""),
    ('{"a": [0.5, 0.5], "a": [0.5, 0.5]}', "/a"),
    ('{"a": [0.5, 0.5], "\\u0061": [0.5, 0.5]}', "/a"),
    ('{"a": 0.5}', "/a"),
    ('{"a": null}', "/a"),
    ('{"a": "0.5"}', "/a"),
    ('{"a": []}', "/a"),
    ('{"a": [[]]}', "/a"),
    ('{"a": {"b": [0.5, 0.5]}}', "/a"),
    ('{"a": [0.5, 0.5], "b": [0.5, null]}', "/b/1"),
    ('{"a": [0.5, 0.5], "b": [0.5, true]}', "/b/1"),
    ('{"a": [0.5, 0.5], "b": [0.5, 1e999]}', "/b/1"),
    ('{"a": [0.5, 0.5], "b": [0.5, [0.5]]}', "/b/1"),
    ('{"a": [0.5, 0.5], "b": [[0.5], [0.5]]}', "/b"),
    ('{"a": [0.5, 0.5], "b": [[[0.5]], [[0.5]]]}', "/b"),
    ('{"a": [0.5, 0.5], "b": [0.5]}', "/b"),
    ('{"a": [0.5, 0.5], "b": [0.5, 0.5, 0.5]}', "/b"),
]


@pytest.mark.parametrize(("forecasts", "inside"), FORECASTS)
def test_what_only_json_can_say_is_refused_there(forecasts: str, inside: str) -> None:
    arm = "" if forecasts.startswith("{") else '"arm": ["a", "b"], '
    head = f'{{"y_true": [1, 0], "unit": [1, 2], {arm}"y_proba": '
    assert place(f"{head}{forecasts}}}".encode()).startswith(f"/y_proba{inside}")
    long = " " * 70_000  # longer than what is read in one step
    assert place(f"{head}{forecasts}{long}}}".encode()).startswith(f"/y_proba{inside}")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("0.5", '{"a": 0.5}', "/1/y_proba"),
        ('{"a": 0.5}', "0.5", "/1/y_proba"),
        ('{"a": 0.5}', "null", "/1/y_proba"),
        ("0.5", "null", "/1/y_proba"),
        ("0.5", "[0.5]", "/1/y_proba"),
        ("0.5", "true", "/1/y_proba"),
        ("0.5", "1e999", "/1/y_proba"),
        ('{"a": 0.5}', '{"a": null}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": true}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": 1e999}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": [0.5]}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": {"b": 0.5}}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": 0.5, "a": 0.5}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"b": 0.5}', "/1/y_proba/a"),
        ('{"a": 0.5}', '{"a": 0.5, "b": 0.5}', "/1/y_proba/b"),
        ('{"a": 0.5}', "{}", "/1/y_proba/a"),
        ("[0.5]", "[0.5]", "/0/y_proba"),
        ("null", "null", "/0/y_proba"),
        ('{"a": [0.5]}', '{"a": [0.5]}', "/0/y_proba/a"),
        ('{"a": {"b": 0.5}}', '{"a": {"b": 0.5}}', "/0/y_proba/a"),
        ("{}", "{}", "/y_proba"),
    ],
)
def test_every_line_has_forecasts_like_the_first(first: str, second: str, expected: str) -> None:
    raw = "\n".join(f'{{"y_true": 1, "unit": 1, "y_proba": {each}}}' for each in (first, second))
    assert place(raw.encode(), NDJSON) == expected


STRUCTS = {
    "a null": (pa.array([{"a": 0.5}, {"a": None}]), "/y_proba/a/1"),
    "a null struct": (pa.array([{"a": 0.5}, None]), "/y_proba/a/1"),
    "not a number": (pa.array([{"a": 0.5}, {"a": math.nan}]), "/y_proba/a/1"),
    "infinite": (pa.array([{"a": 0.5}, {"a": math.inf}]), "/y_proba/a/1"),
    "lists": (pa.array([{"a": [0.5]}, {"a": [0.5]}]), "/y_proba/a"),
    "nested": (pa.array([{"a": {"b": 0.5}}, {"a": {"b": 0.5}}]), "/y_proba/a"),
    "words": (pa.array([{"a": "x"}, {"a": "y"}]), "/y_proba/a"),
    "twice": (
        pa.StructArray.from_arrays([pa.array([0.5, 0.5])] * 2, names=["a", "a"]),
        "/y_proba/a",
    ),
}


@pytest.mark.parametrize("kind", STRUCTS)
def test_other_structs_are_refused_by_name(kind: str) -> None:
    struct, expected = STRUCTS[kind]
    raw = as_arrow(dotted(PAIRED | {"y_proba": struct}))
    assert place(raw, ARROW) == expected


@pytest.mark.parametrize(
    "columns",
    [
        {"y_proba": [0.5, 0.5], "y_proba.a": [0.5, 0.5]},
        {"y_proba.a": [0.5, 0.5], "y_proba": [0.5, 0.5]},
        {"y_proba": pa.array([{"a": 0.5}, {"a": 0.5}]), "y_proba.a": [0.5, 0.5]},
        {"y_proba.a": [0.5, 0.5], "y_proba": pa.array([{"a": 0.5}, {"a": 0.5}])},
    ],
)
def test_forecasts_come_in_one_form_only(columns: Columns) -> None:
    table = pa.table({"y_true": [1, 0], "unit": [1, 2]} | columns)
    for media_type, write in ((ARROW, as_arrow), (PARQUET, as_parquet)):
        error = refusal(write(table), media_type)
        assert error.offences[0].pointer.startswith("/y_proba")
        assert "twice" in error.message


def test_shapes_that_arms_cannot_have_break_nothing() -> None:
    cells = [0.5, 1, None, True, "a", [0.5], {"a": 0.5}, {"a": {"a": 0.5}}, {}, [], [[0.5]]]
    for first in cells:
        for second in cells:
            for value in ([first, second], {"a": [first, second]}, {"a": first, "b": second}):
                columns = {"y_true": [1, 0], "unit": [1, 2], "y_proba": value}
                try:
                    found = read(ExperimentBatch, as_json(columns)).rows()
                except (InvalidInput, BodyError):
                    continue
                assert isinstance(found.y_proba, dict)
                assert value == {"a": [first, second]}
                assert {type(first), type(second)} <= {int, float}


@pytest.mark.parametrize("field", ["y_proba", "arm", "unit", "propensity", "target_propensity"])
def test_columns_of_another_length_are_refused(field: str) -> None:
    columns = PARALLEL | {"propensity": [1, 1], "target_propensity": [1, 1]}
    assert place(as_json(columns | {field: [1] * 3})) == f"/{field}"


def batch(n: int, **fields: object) -> ExperimentBatch:
    whole = {"y_true": np.ones(n), "unit": np.arange(n), "y_proba": np.full(n, 0.5)}
    return validated(ExperimentBatch, {**whole, "arm": ["a"] * n, **fields})


def test_the_form_of_forecasts_says_whether_rows_name_their_arm() -> None:
    forecasts = np.array([0.5])
    assert batch(1).rows().arm == ["a"]
    assert batch(1, y_proba={"a": forecasts}, arm=None).rows().arm is None
    for form, arm in ((forecasts, None), ({"a": forecasts}, ["a"])):
        with pytest.raises(InvalidInput) as refused:
            batch(1, y_proba=form, arm=arm)
        assert refused.value.offences[0].pointer == "/arm"


def test_importance_is_a_quotient_where_both_propensities_are_there() -> None:
    logged, target = np.array([0.5, 1.0, 1e-100]), np.array([0.25, 0.0, 1.0])
    found = batch(3, propensity=logged, target_propensity=target).importance()
    assert found is not None
    assert found.tolist() == [0.5, 0.0, 1e100]
    assert batch(3).importance() is None


@pytest.mark.parametrize(
    ("propensities", "targets", "expected"),
    [
        ([1.0], None, "/target_propensity"),
        (None, [1.0], "/propensity"),
        ([1.0, 1.0], [1.0], "/target_propensity"),
        ([1.0], [1.0, 1.0], "/target_propensity"),
        ([1.0, 1e-300, 5e-324], [1.0, 1.0, 1.0], "/propensity/1"),
    ],
)
def test_propensities_that_do_not_fit_are_refused(
    propensities: list[float] | None, targets: list[float] | None, expected: str
) -> None:
    columns = [None if each is None else np.array(each) for each in (propensities, targets)]
    n = len(propensities or targets or [])
    with pytest.raises(InvalidInput) as refused:
        batch(n, propensity=columns[0], target_propensity=columns[1])
    assert refused.value.offences[0].pointer == expected


def test_both_forms_of_forecasts_are_described_for_callers() -> None:
    schema = ExperimentBatch.model_json_schema()
    assert schema["required"] == ["unit"]
    one, named, _ = schema["properties"]["y_proba"]["anyOf"]
    assert one == {"type": "array", "items": {"type": "number"}}
    assert named["additionalProperties"] == one
    assert (named["minProperties"], named["maxProperties"]) == (1, 20)
