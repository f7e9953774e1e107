"""Counts of features: exact, merging in any order to equal bytes, and read in a reference's cells.

NumPy and SciPy say what the shares and the statistics of the same rows are.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from kullback.errors import DamagedTally, TallyMismatch
from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.feature_bins import OUTERMOST, feature_bins, lower_edge
from kullback.tally.feature_counts import FeatureCells, FeatureCounts
from kullback.tally.feature_drift import FeatureDrift, feature_drifts
from kullback.tally.feature_groups import FeatureColumn, tables_by_window
from kullback.tally.feature_table import FeatureTable
from kullback.tally.merge import merge
from kullback.tally.tally import Layout, Tally
from kullback.tally.unit_set import UnitSet

MOST = 5

numbers = st.lists(st.floats(width=64) | st.sampled_from([0.0, 1.0, -1.0, 30.0]), max_size=30)
texts = st.lists(st.sampled_from(["a", "b", "ä", "(other)", "x y"]) | st.none(), max_size=30)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, FeatureColumn]:
    """Rows that came with some of three features."""
    age, device, score = draw(numbers), draw(texts), draw(numbers)
    n = min(len(age), len(device), len(score))
    some: dict[str, FeatureColumn] = {
        "age": np.array(age[:n], np.float64),
        "device": device[:n],
        "score": np.array(score[:n], np.float64),
    }
    return {name: some[name] for name in draw(st.sets(st.sampled_from(sorted(some))))}


def table(some: Mapping[str, FeatureColumn]) -> FeatureTable:
    n = len(next(iter(some.values()), ()))
    return FeatureTable.total(tables_by_window(some, np.zeros(n, np.int64), 100).values())


tables = columns().map(table)


@given(tables, tables, tables)
def test_tables_merge_in_any_order_to_equal_bytes(
    a: FeatureTable, b: FeatureTable, c: FeatureTable
) -> None:
    whole = FeatureTable.total([a, b, c]).encoded()
    first, second, third = (each.encoded() for each in (a, b, c))
    assert merge([first, second, third]) == whole
    assert merge([third, merge([second, first])]) == whole
    assert merge([merge([first, third]), second]) == whole
    assert merge([whole, FeatureTable().encoded()]) == whole
    assert FeatureTable.decoded(whole).encoded() == whole


@given(columns(), st.lists(st.integers(-3, 3), min_size=30, max_size=30))
def test_the_rows_of_windows_are_counted_as_those_of_each_alone(
    some: dict[str, FeatureColumn], window: list[int]
) -> None:
    n = len(next(iter(some.values()), ()))
    at = np.array(window[:n], np.int64)
    counted = tables_by_window(some, at, 100)
    assert list(counted) == sorted(set(at.tolist()))
    for place, here in counted.items():
        rows = np.flatnonzero(at == place)
        alone = {
            name: values[rows]
            if isinstance(values, np.ndarray)
            else [values[row] for row in rows.tolist()]
            for name, values in some.items()
        }
        assert here.encoded() == table(alone).encoded()
    assert FeatureTable.total(counted.values()).encoded() == table(some).encoded()


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_higher_number_is_never_in_a_lower_bin(a: float, b: float) -> None:
    low, high = sorted((a, b))
    first, second = feature_bins(np.array([low, high])).tolist()
    assert -OUTERMOST <= first <= second <= OUTERMOST


@given(st.floats(2.0**-127, 2.0**127), st.sampled_from([1, -1]))
def test_a_bin_holds_its_number_and_is_a_128th_of_its_edge_wide(size: float, sign: int) -> None:
    value = sign * size
    place = int(feature_bins(np.array([value]))[0])
    low, high = lower_edge(place), lower_edge(place + 1)
    assert low <= value <= high
    assert high - low <= min(abs(low), abs(high)) / 128


def test_whole_numbers_to_255_have_bins_of_their_own_and_0_has() -> None:
    whole = np.arange(-255.0, 256.0)
    assert np.unique(feature_bins(whole)).size == whole.size
    tiny = feature_bins(np.array([-5e-324, -0.0, 0.0, 5e-324]))
    assert tiny.tolist() == [-1, 0, 0, 1]
    beyond = feature_bins(np.array([-np.inf, -1e300, 1e300, np.inf]))
    assert beyond.tolist() == [-OUTERMOST, -OUTERMOST, OUTERMOST, OUTERMOST]


def test_numbers_are_counted_with_those_that_are_missing() -> None:
    counts = FeatureCounts.of_numbers(np.array([np.nan, 3.0, 3.0, -1.0, np.inf, np.nan]))
    assert (counts.missing, counts.rows) == (2, 6)
    assert counts.missing_share == pytest.approx(1 / 3)
    assert counts.counts.tolist() == [1, 2, 1]
    assert FeatureCounts.of_numbers(np.zeros(0)).missing_share is None


def test_categories_beyond_the_most_are_others_by_their_rows_in_all_windows() -> None:
    values = [
        letter for letter, n in zip("abcdefgh", range(8, 0, -1), strict=True) for _ in range(n)
    ]
    window = np.arange(len(values)) % 2
    one = tables_by_window({"f": values}, np.zeros(len(values), np.int64), MOST)[0].counts["f"]
    two = tables_by_window({"f": values}, window, MOST)
    assert dict(one.pairs()) == {"a": 8, "b": 7, "c": 6, "d": 5, "e": 4, "(other)": 6}
    whole = FeatureTable.total(two.values()).counts["f"]
    assert list(whole.pairs()) == list(one.pairs())


def test_large_counts_are_kept_to_the_last_row() -> None:
    for rows in (1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**62):
        counts = FeatureCounts("categorical", rows, ["a"], np.array([rows]))
        kept = FeatureTable.decoded(FeatureTable({"f": counts}).encoded()).counts["f"]
        assert (kept.missing, kept.counts.tolist()) == (rows, [rows])


def drawn(seed: int, n: int, shift: float = 0.0) -> Array:
    return np.random.default_rng(seed).normal(shift, 1, n)


def test_cells_are_tenths_of_the_reference_as_numpy_cuts_it() -> None:
    past, now = drawn(1, 20_000), drawn(2, 5_000, 0.3)
    reference = FeatureCounts.of_numbers(past)
    cells = FeatureCells.of(reference)
    edges = [low for low, _ in cells.edges() if low is not None]
    assert np.abs(np.array(edges) - np.quantile(past, np.arange(1, 10) / 10)).max() < 0.02
    for counts, rows in ((reference, past), (FeatureCounts.of_numbers(now), now)):
        expected = np.histogram(rows, [-np.inf, *edges, np.inf])[0]
        shares = counts.shares_like(reference)
        assert shares.mass.tolist() == [*expected.tolist(), 0]
        assert shares.rows == rows.size


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0])
def test_drift_of_numbers_is_what_scipy_says_of_the_same_cells(shift: float) -> None:
    past, now = drawn(1, 20_000), drawn(2, 5_000, shift)
    past[:100], now[:500] = np.nan, np.nan
    reference, current = FeatureCounts.of_numbers(past), FeatureCounts.of_numbers(now)
    table = np.array([each.shares_like(reference).mass for each in (current, reference)])
    expected = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    drift = FeatureDrift.of(current, reference)
    assert drift.drift.g_statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert drift.drift.degrees_of_freedom == expected.dof == 10
    assert drift.drift.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-300)
    p, r = (row / row.sum() for row in table)
    assert drift.drift.psi == pytest.approx(((p - r) * np.log(p / r)).sum(), rel=1e-12)
    assert (drift.missing_share, drift.reference_missing_share) == (0.1, 0.005)
    assert sum(part.share or 0 for part in drift.bins) == pytest.approx(1)
    assert len(drift.bins) == 11


def test_drift_of_categories_is_what_scipy_says_of_their_counts() -> None:
    random = np.random.default_rng(5)
    past = random.choice(list("abcd"), 3_000, p=[0.4, 0.3, 0.2, 0.1]).tolist()
    now = random.choice(list("abcd"), 700, p=[0.3, 0.3, 0.3, 0.1]).tolist()
    counted = [Counter(rows) for rows in (now, past)]
    expected = chi2_contingency(
        [[each[letter] for letter in "abcd"] for each in counted],
        correction=False,
        lambda_="log-likelihood",
    )
    current, reference = (FeatureCounts.of_categories(each.items()) for each in counted)
    drift = FeatureDrift.of(current, reference).drift
    assert drift.g_statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert drift.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_a_new_category_and_rare_ones_are_one_cell_and_bins_of_their_own() -> None:
    reference = FeatureCounts.of_categories([("DE", 900), ("FR", 97), ("AT", 3), (None, 0)])
    assert FeatureCells.of(reference).values == ("DE", "FR")
    current = FeatureCounts.of_categories([("DE", 60), ("XX", 30), (None, 10)])
    assert current.shares_like(reference).mass.tolist() == [60, 0, 30, 10]
    drift = FeatureDrift.of(current, reference)
    shown = {part.value: (part.share, part.reference_share) for part in drift.bins}
    assert shown == {
        "DE": (0.6, 0.9),
        "XX": (0.3, 0.0),
        "FR": (0.0, 0.097),
        "AT": (0.0, 0.003),
        None: (0.1, 0.0),
    }
    assert drift.drift.kl == float("inf")
    assert drift.bins[-1].is_missing


def test_of_many_categories_the_largest_are_shown_and_the_rest_together() -> None:
    reference = FeatureCounts.of_categories((f"v{at}", 100 - at) for at in range(40))
    drift = FeatureDrift.of(reference, reference)
    assert len(drift.bins) == 12
    assert drift.bins[-2].value == "(other)"
    assert sum(part.share or 0 for part in drift.bins) == pytest.approx(1)
    assert drift.drift.psi == 0


@pytest.mark.parametrize("past", [[7.0], [7.0, np.nan], [np.nan], [np.inf, np.inf], [-1e300]])
def test_a_reference_of_one_number_has_cells_below_it_and_above_it(past: list[float]) -> None:
    reference = FeatureCounts.of_numbers(np.array(past))
    mass = FeatureCounts.of_numbers(np.array([-1.0, 7.0, 7.0, 8.0])).shares_like(reference).mass
    assert mass.sum() == 4
    if past[0] == 7.0:
        assert mass.tolist() == [1, 2, 1, 0]
    inner = [low for low, _ in FeatureCells.of(reference).edges() if low is not None]
    assert np.isfinite(inner).all()
    assert all(low < high for low, high in pairwise(inner))


def test_features_are_ranked_by_the_size_of_what_surely_changed() -> None:
    past = {name: FeatureCounts.of_numbers(drawn(1, 5_000)) for name in "abc"}
    now = {
        "a": FeatureCounts.of_numbers(drawn(2, 5_000)),
        "b": FeatureCounts.of_numbers(drawn(3, 5_000, 0.2)),
        "c": FeatureCounts.of_numbers(drawn(4, 5_000, 2.0)),
        "new": FeatureCounts.of_numbers(drawn(4, 50)),
    }
    drifts = feature_drifts(now, past)
    assert list(drifts) == ["c", "b", "a", "new"]
    assert drifts["new"].drift.psi == Undefined(Reason.NO_REFERENCE)
    assert drifts["new"].bins[0].reference_share is None
    assert drifts["new"].reference_missing_share is None


def test_a_feature_of_numbers_does_not_merge_with_one_of_categories() -> None:
    first, second = table({"f": np.ones(2)}), table({"f": ["a", "b"]})
    with pytest.raises(TallyMismatch, match="the feature f"):
        FeatureTable.total([first, second])
    assert first.of({"f": "categorical"}).counts == {}
    assert list(first.of({"f": "numeric", "g": "numeric"}).counts) == ["f"]


def test_damaged_bytes_are_no_counts() -> None:
    content = table({"f": np.ones(2), "g": ["a", None]}).encoded()
    for at in range(1, len(content)):
        broken = bytearray(content)
        broken[at] ^= 0x10
        with pytest.raises(DamagedTally):
            FeatureTable.decoded(bytes(broken))
    units = UnitSet.of(np.arange(3)).encoded()
    for other in (b"\x55", units[:1], b"\x01", b"\x02"):
        assert (other[0] ^ content[0]).bit_count() > 1
    tally = Tally(Layout("binary", 2, "sklearn")).encoded()
    with pytest.raises(TallyMismatch):
        merge([content, tally])
    with pytest.raises(TallyMismatch):
        merge([tally, content])
