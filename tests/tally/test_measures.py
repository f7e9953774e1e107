"""Measures: real numbers of rows, summed exactly by bucket of units."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Indices, Undefined
from kullback.tally.binary import binary_terms
from kullback.tally.contrast import contrast, difference
from kullback.tally.functionals import FUNCTIONALS, base_rate
from kullback.tally.measure_functionals import measure_mean, measure_ratio
from kullback.tally.measures import sums_by_unit
from kullback.tally.merge import merge
from kullback.tally.metrics import TallyMetrics
from kullback.tally.sum_names import ABSENT, MEASURES, MOST_MEASURES, VECTORS
from kullback.tally.tally import Layout, Tally, total
from kullback.tally.units import BUCKETS
from kullback.tally.unpredicted import UnpredictedTerms
from tests import strategies as draw
from tests.tally.arms import sure

pytestmark = pytest.mark.untraced

LAYOUT = Layout("binary", 2, "sklearn", clustered=True)
MOST = 3
number = st.one_of(
    st.floats(-1e3, 1e3),
    st.sampled_from((0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e100, -1e100, 0.1, -0.1)),
)


def measured(
    measures: Array, units: Indices, y: Array | None = None, w: Array | None = None
) -> UnpredictedTerms:
    """Rows without predictions."""
    return UnpredictedTerms(LAYOUT, units, measures, y, w)


@st.composite
def rows(draws: st.DrawFn) -> UnpredictedTerms:
    """No rows or some, with labels or without, weighted or not."""
    n = draws(st.integers(0, 6))
    columns = [draws(draw.columns_of(n, number)) for _ in range(MOST)]
    return measured(
        np.stack(columns),
        draws(draw.indices(n, BUCKETS)),
        draws(st.one_of(st.none(), draw.columns_of(n, draw.share))),
        draws(st.one_of(st.none(), draw.columns_of(n, st.floats(0.0, 1e100)))),
    )


def same(tally: Tally, expected: Tally) -> bool:
    """Whether two are equal in what they say, and in their bytes."""
    return tally == expected and tally.encoded() == expected.encoded()


@given(rows(), rows(), rows())
def test_tallies_of_measures_are_a_monoid_with_subtraction(
    first: UnpredictedTerms, second: UnpredictedTerms, third: UnpredictedTerms
) -> None:
    a, b, c = first.tally(), second.tally(), third.tally()
    assert same((a + b) + c, a + (b + c))
    assert same(a + b, b + a)
    assert same(a + Tally(LAYOUT), a)
    assert same((a + b) - b, a)
    assert same(Tally.decoded((a + b).encoded()), a + b)
    assert merge([a.encoded(), b.encoded(), c.encoded()]) == total([c, b, a]).encoded()


@given(rows(), st.data())
def test_any_split_of_rows_has_the_same_bytes(terms: UnpredictedTerms, data: st.DataObject) -> None:
    index = data.draw(draw.indices(terms.units.size, 3))
    parts = [tally for _, tally in terms.groups(index)]
    assert same(total([Tally(LAYOUT), *parts]), terms.tally())
    order = np.array(data.draw(st.permutations(range(terms.units.size))), np.int64)
    assert same(terms.taken(order).tally(), terms.tally())


def test_sums_are_those_of_exact_arithmetic() -> None:
    x = np.array([[1e100, 1.0, -1e100, 3.0, -0.1], [0.1, 0.2, 0.3, -0.6, 0.0]])
    tally = measured(x, np.zeros(5, np.int64)).tally()
    # 1e100 + 1 − 1e100 is 1 in no sum of doubles; gains and losses are exact each
    assert sums_by_unit(tally, 0)[0] == 0.0
    rest = tally - measured(x[:, [0, 2]], np.zeros(2, np.int64)).tally()
    assert sums_by_unit(rest, 0)[0] == math.fsum([1.0, 3.0]) - 0.1
    assert sums_by_unit(tally, 1)[0] == pytest.approx(0.0, abs=1e-16)


def test_rows_with_predictions_bring_measures_too() -> None:
    rng = np.random.default_rng(0)
    n = 500
    p, y, units = rng.random(n), np.where(rng.random(n) < 0.3, 1.0, 0.0), rng.integers(0, 90, n)
    plain = binary_terms(LAYOUT, y, p, None, units)
    measures = rng.normal(size=(2, n))
    terms = type(plain)(
        LAYOUT, plain.p, plain.bins, None, units, outcomes=plain.outcomes, measures=measures
    )
    alone = measured(measures, units, y).tally()
    for name in VECTORS:
        expected = alone if name in MEASURES else plain.tally()
        assert terms.tally().vector(name) == expected.vector(name), name
    assert terms.tally().scalars == plain.tally().scalars
    parts = [tally for _, tally in terms.groups(rng.integers(0, 3, n))]
    assert same(total(parts), terms.tally())


def test_tallies_of_the_release_before_add_up_with_those_that_have_measures() -> None:
    rng = np.random.default_rng(1)
    p, units = rng.random(9), rng.integers(0, 9, 9)
    before = binary_terms(LAYOUT, np.ones(9), p, None, units).tally()
    numbers = [VECTORS.index(name) + 1 for name in (*MEASURES, *ABSENT)]
    kept = before.encoded()
    assert max(kept[10 : 10 + kept[9]]) < min(numbers)  # the bytes that it always had
    now = measured(np.ones((MOST_MEASURES, 2)), np.arange(2)).tally()
    assert same((before + now) - now, before)


def test_a_mean_is_weighted_and_its_error_is_of_units() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    x, w, units = rng.normal(-5, 3, n), rng.gamma(2.0, 1.0, n), rng.integers(0, BUCKETS, n)
    half = rng.random(n) < 0.5
    arms = [measured(x[None, at], units[at], None, w[at]).tally() for at in (half, ~half)]
    found = sure(difference(measure_mean(0), *arms, is_paired=False))
    means, u = [], np.zeros(BUCKETS)
    for at, sign in ((half, 1), (~half, -1)):
        mean = np.average(x[at], weights=w[at])
        parts = np.bincount(units[at], w[at] * (x[at] - mean), BUCKETS) / w[at].sum()
        count = np.unique(units[at]).size
        means.append(mean)
        u += sign * math.sqrt(count / (count - 1)) * parts
    assert found.effect == pytest.approx(means[0] - means[1], rel=1e-12)
    assert found.standard_error == pytest.approx(math.hypot(*u), rel=1e-10)


def test_means_far_from_zero_keep_their_variance() -> None:
    rng = np.random.default_rng(3)
    x, units = rng.normal(size=3000), rng.integers(0, BUCKETS, 3000)
    errors = []
    for offset in (0.0, 1e8):
        tally = measured((x + offset)[None], units).tally()
        u = measure_mean(0)(tally)
        assert isinstance(u.value, float)
        errors.append(sure(difference(measure_mean(0), tally, tally, is_paired=False)))
    assert errors[1].standard_error == pytest.approx(errors[0].standard_error, abs=1e-6)


def test_a_ratio_without_a_denominator_is_none() -> None:
    tally = measured(np.array([[1.0, 2.0], [0.0, 0.0]]), np.arange(2)).tally()
    assert measure_ratio(0, 1)(tally).value == Undefined(Reason.ZERO_DENOMINATOR)
    assert measure_ratio(0, 0)(tally).value == 1.0
    assert measure_mean(0)(Tally(LAYOUT)).value == Undefined(Reason.EMPTY)
    weightless = measured(np.ones((1, 2)), np.arange(2), None, np.zeros(2)).tally()
    assert measure_mean(0)(weightless).value == Undefined(Reason.ZERO_WEIGHT)


def test_what_rows_came_without_is_undefined_and_never_zero() -> None:
    units, x = np.arange(4), np.ones((1, 4))
    bare, labelled = measured(x, units).tally(), measured(x, units, np.ones(4)).tally()
    assert base_rate(bare).value == Undefined(Reason.MISSING_LABELS)
    assert base_rate(labelled).value == 1.0
    predicted = binary_terms(LAYOUT, np.ones(4), np.full(4, 0.5), None, units).tally()
    for tally in (bare, labelled, labelled + predicted):
        for name in FUNCTIONALS.keys() - {"base_rate"}:
            assert FUNCTIONALS[name](tally).value == Undefined(Reason.MISSING_PREDICTIONS)
        for name, metric in TallyMetrics(tally).metrics().items():
            if name != "base_rate":
                assert metric.value == Undefined(Reason.MISSING_PREDICTIONS), name
    assert base_rate(bare + predicted).value == Undefined(Reason.MISSING_LABELS)
    without = (bare + predicted) - bare
    assert FUNCTIONALS["log_loss"](without).value == pytest.approx(math.log(2))


def test_a_paired_difference_cancels_what_is_common() -> None:
    rng = np.random.default_rng(4)
    x, units = rng.normal(size=900), rng.integers(0, BUCKETS, 900)
    first, second = (measured((x + shift)[None], units).tally() for shift in (0.0, 0.25))
    found = sure(difference(measure_mean(0), second, first, is_paired=True))
    assert found.effect == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)
    assert contrast(0.0, np.zeros(BUCKETS), 1) == Undefined(Reason.TOO_FEW_UNITS)
