"""A UnitSet knows who was seen, however often, in whatever order and grouping."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kullback.errors import TallyMismatch
from kullback.scoring.conventions import CONVENTIONS
from kullback.scoring.labels import Labels
from kullback.tally.tally import Layout, Tally
from kullback.tally.unit_set import UnitSet
from kullback.tally.units import bucket_of

INTEGERS = [0, 1, 7, -1, 2**63 - 1, -(2**63)]
STRINGS = ["", "7", "user-1", "ünï", "12345678", "123456789", "a" * 64, "a" * 65, "\ud800"]

numbers = st.lists(st.one_of(st.sampled_from(INTEGERS), st.integers(0, 20)), max_size=12)
words = st.lists(st.one_of(st.sampled_from(STRINGS), st.text(max_size=3)), max_size=12)
unit_sets = st.one_of(numbers.map(lambda ids: of_integers(*ids)), words.map(UnitSet.of))


def of_integers(*ids: int) -> UnitSet:
    return UnitSet.of(np.array(ids, np.int64))


def of_range(start: int, stop: int) -> UnitSet:
    return UnitSet.of(np.arange(start, stop))


def named(start: int, stop: int) -> UnitSet:
    return UnitSet.of([f"user-{number}" for number in range(start, stop)])


def spread(n: float) -> float:
    """The standard deviation that the count of n units claims to have."""
    cells = 2.0**32
    t = n / cells
    return math.sqrt(cells * (math.expm1(t) - t))


def test_integers_keep_their_bytes() -> None:
    found = of_integers(*INTEGERS).encoded()
    assert found.hex() == "563ef74b876f56800a62cdf9490255b46d746f8575755a1fd1cfcd48d2"
    assert of_integers(7).encoded().hex() == "56474662e362cdf949"


def test_strings_keep_their_bytes() -> None:
    found = UnitSet.of(STRINGS).encoded()
    assert found.hex() == (
        "5665ced3888a054b154dcf956caa455372f32e0c8111c3b5841a46ea8bd378bd99509fb6bf23eabbc5"
    )
    assert UnitSet.decoded(bytes.fromhex("5523eabbc5")) == UnitSet.of(["user-1"])


@given(unit_sets, unit_sets, unit_sets)
def test_union_is_associative(a: UnitSet, b: UnitSet, c: UnitSet) -> None:
    assert (a | b) | c == a | (b | c) == UnitSet.union([a, b, c])


@given(unit_sets, unit_sets)
def test_union_is_commutative(a: UnitSet, b: UnitSet) -> None:
    assert a | b == b | a
    assert hash(a | b) == hash(b | a)
    assert (a | b).encoded() == (b | a).encoded()


@given(unit_sets, unit_sets)
def test_what_is_merged_twice_is_there_once(a: UnitSet, b: UnitSet) -> None:
    assert a | a == a
    assert a | b | a == a | b


@given(unit_sets)
def test_the_empty_set_changes_nothing(found: UnitSet) -> None:
    assert found | UnitSet() == found == UnitSet() | found


@given(numbers, numbers)
def test_a_union_is_the_set_of_both_batches_of_integers(one: list[int], other: list[int]) -> None:
    assert of_integers(*one) | of_integers(*other) == of_integers(*one, *other)


@given(words, words)
def test_a_union_is_the_set_of_both_batches_of_strings(one: list[str], other: list[str]) -> None:
    assert UnitSet.of(one) | UnitSet.of(other) == UnitSet.of(one + other)


@given(unit_sets)
def test_bytes_hold_all_of_a_set(found: UnitSet) -> None:
    assert UnitSet.decoded(found.encoded()) == found


@given(numbers)
def test_few_units_are_counted_as_they_are(ids: list[int]) -> None:
    assert of_integers(*ids).whole == len(set(ids))


@given(st.lists(numbers, max_size=4))
def test_units_of_more_than_one_set_are_found(several: list[list[int]]) -> None:
    seen = Counter(one for ids in several for one in set(ids))
    shared = [one for one, times in seen.items() if times > 1]
    assert UnitSet.shared([of_integers(*ids) for ids in several]) == of_integers(*shared)


@pytest.mark.parametrize("none", [np.array([], np.int64), []])
def test_no_units_are_the_empty_set(none: Labels) -> None:
    assert UnitSet.of(none) == UnitSet.union([]) == UnitSet()
    assert (UnitSet().whole, str(UnitSet().count)) == (0, "0.0")
    assert UnitSet.shared([UnitSet(), of_integers(7)]) == UnitSet.shared([]) == UnitSet()


def test_a_number_is_not_its_digits() -> None:
    assert (of_integers(7) | UnitSet.of(["7"])).whole == 2


def test_thousands_of_small_sets_are_the_set_of_all() -> None:
    small = [of_range(start, start + 30) for start in range(0, 60_000, 20)]
    assert UnitSet.union(small) == of_range(0, 60_010)


@pytest.mark.parametrize("n", [10, 1000, 30_000, 300_000])
def test_integers_are_counted_to_five_deviations(n: int) -> None:
    ids = np.random.default_rng(n).integers(0, 2 * n, n)
    there = len(set(ids.tolist()))
    assert abs(UnitSet.of(ids).count - there) < 5 * spread(there) + 1e-3


def test_strings_are_counted_to_five_deviations() -> None:
    assert abs((named(0, 60_000) | named(40_000, 100_000)).count - 100_000) < 5 * spread(100_000)


def test_counts_of_a_million_scatter_as_much_as_they_say() -> None:
    assert [round(spread(n), 2) for n in (1e3, 1e6, 1e7)] == [0.01, 10.79, 107.94]
    million = 10**6
    found = [of_range(k * million, (k + 1) * million).count - million for k in range(12)]
    statistic = sum((miss / spread(million)) ** 2 for miss in found)
    # without the logarithm each would be eleven deviations low
    assert 0.001 < stats.chi2.sf(statistic, 12) < 0.999


def test_a_whole_count_is_the_nearest() -> None:
    found = of_range(0, 80_000)
    assert found.count % 1 > 0.5
    assert found.whole == math.ceil(found.count)


@pytest.mark.parametrize("common", [0, 1000, 4000])
def test_units_in_both_arms_are_found(common: int) -> None:
    half = common // 2
    of_numbers = UnitSet.shared([of_range(0, 100_000 + half), of_range(100_000 - half, 200_000)])
    of_names = UnitSet.shared([named(0, 100_000 + half), named(100_000 - half, 200_000)])
    assert [of_numbers.count, of_names.count] == pytest.approx([common, common], abs=10)


@pytest.mark.parametrize("kind", ["integers", "strings"])
def test_fingerprints_have_nothing_to_do_with_buckets(kind: str) -> None:
    each, parts = 64, 32
    ids = np.arange(each * parts * parts)
    names = [f"user-{number}" for number in ids.tolist()]
    counts = np.zeros((parts, parts))
    bucket = bucket_of(ids if kind == "integers" else names) // (1024 // parts)
    for part in range(parts):
        inside = np.flatnonzero(bucket == part)
        found = UnitSet.of(inside if kind == "integers" else [names[at] for at in inside.tolist()])
        prints = np.frombuffer(found.fingerprints, "<u4").astype(np.int64)
        counts[part] = np.bincount(prints * parts >> 32, minlength=parts)
    chi_square = float(np.square(counts - each).sum()) / each
    degrees = parts * parts - 1
    assert abs(chi_square - degrees) < 5 * math.sqrt(2 * degrees)


@pytest.mark.parametrize("content", [b"", b"\x01\x02\x03\x04\x05", b"\x57"])
def test_bytes_of_another_version_are_refused(content: bytes) -> None:
    with pytest.raises(TallyMismatch, match="not known here"):
        UnitSet.decoded(content)


def test_neither_a_set_nor_a_tally_passes_for_the_other() -> None:
    tally = Tally(Layout("binary", 2, min(CONVENTIONS)))
    with pytest.raises(TallyMismatch):
        UnitSet.decoded(tally.encoded())
    with pytest.raises(TallyMismatch):
        Tally.decoded(UnitSet().encoded())
