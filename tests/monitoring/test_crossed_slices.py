"""Values of crossed slices are distinct where those of their parts are, and read back as them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.errors import InvalidInput
from kullback.monitoring.crossed_slices import (
    LONGEST_VALUE,
    Columns,
    counted_columns,
    crossed_value,
    declared,
    slice_values,
    value_parts,
)

words = st.text("×\\a(", min_size=1, max_size=4) | st.text(min_size=1, max_size=8)
several = st.lists(words, min_size=2, max_size=4)


@given(several, several)
def test_distinct_parts_have_distinct_values(first: list[str], second: list[str]) -> None:
    assert (crossed_value(first) == crossed_value(second)) == (first == second)


@given(several)
def test_a_value_reads_back_as_its_parts(parts: list[str]) -> None:
    assert value_parts(crossed_value(parts), len(parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (("DE", "mobile"), "DE×mobile"),
        (("a×b", "c"), "a\\×b×c"),
        (("a", "b×c"), "a×b\\×c"),
        (("a\\", "b"), "a\\\\×b"),
        (("a×b",), "a×b"),
        (("(other)", "(other)"), "(other)"),
    ],
)
def test_values_of_parts(parts: tuple[str, ...], value: str) -> None:
    assert crossed_value(parts) == value
    assert value_parts(value, len(parts)) == parts


@pytest.mark.parametrize("value", ["DE", "a×b×c", "a\\×b"])
def test_a_value_of_another_number_of_parts_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="2 values"):
        value_parts(value, 2)


def test_a_slice_has_the_values_of_its_parts() -> None:
    assert slice_values("") == {}
    assert slice_values("country=a=b×c") == {"country": "a=b×c"}
    expected = {"country": "DE", "device": "a=b"}
    assert slice_values("country×device=DE×a=b") == expected


def test_a_crossed_slice_is_named_by_its_parts_in_any_order() -> None:
    slices = ("country", "country×device")
    assert declared("device*country", slices) == "country×device"
    assert declared("country", slices) == "country"
    assert declared("device", slices) is None
    assert declared("country×country", slices) is None


def test_rows_are_counted_by_declared_and_crossed_slices_and_by_no_part_alone() -> None:
    sent: Columns = {"country": ["DE", "FR"], "device": ["tv", None]}
    assert counted_columns(("country", "country×device", "os×tier"), sent) == {
        "country": ["DE", "FR"],
        "country×device": ["DE×tv", "FR×(none)"],
    }
    assert counted_columns(("a×b",), {"b": ["x"]}) == {"a×b": ["(none)×x"]}


def test_a_crossed_value_that_is_too_long_is_refused_at_its_row() -> None:
    long = "x" * (LONGEST_VALUE // 2)
    sent = {"a": ["x", long], "b": ["x", long]}
    with pytest.raises(InvalidInput) as refusal:
        counted_columns(("a×b",), sent)
    assert refusal.value.offences[0].pointer == "/slice/a×b/1"
    sent["a"][1] = long[1:]
    assert len(counted_columns(("a×b",), sent)["a×b"][1] or "") == LONGEST_VALUE
