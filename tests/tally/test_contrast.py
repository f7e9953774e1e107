"""Differences of arms and their errors: by hand, by the jackknife, and by other programs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Undefined
from kullback.tally.contrast import Contrast, contrast, contrast_of_arms, difference
from kullback.tally.functionals import FUNCTIONALS, Functional
from kullback.tally.tally import Layout, Tally, total
from kullback.tally.units import BUCKETS
from tests import strategies as draw
from tests.tally.arms import BINARY, arms, columns, halves, jackknife, losses, sure
from tests.tally.strategies import Batch

pytestmark = pytest.mark.untraced

every_functional = pytest.mark.parametrize("functional", FUNCTIONALS.values(), ids=FUNCTIONALS)
OF_LABELS = FUNCTIONALS["base_rate"]


def test_four_buckets_by_hand() -> None:
    found = sure(contrast(0.3, np.array([0.1, 0.0, -0.1, 0.2, -0.2]), 4))
    assert found.effect == 0.3
    assert found.standard_error == pytest.approx(math.sqrt(4 / 3 * 0.1), rel=1e-14)
    assert (found.degrees_of_freedom, found.clusters) == (3.0, 4)
    assert found.largest_share == pytest.approx(0.4, rel=1e-14)
    assert found.statistic == pytest.approx(0.3 / math.sqrt(4 / 30), rel=1e-14)


def test_one_bucket_with_most_of_the_variance_leaves_few_degrees_of_freedom() -> None:
    u = np.append(np.full(100, -0.01), 1.0)
    found = sure(contrast(0.0, u, 101))
    square, fourth = np.square(u).sum(), (u**4).sum()
    expected = 2 * square**2 / (fourth - square**2 / 101)
    assert found.degrees_of_freedom == pytest.approx(expected, rel=1e-12)
    assert 2.0 < expected < 2.1
    assert found.largest_share == pytest.approx(1 / 1.01, rel=1e-12)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_degrees_of_freedom_do_not_know_the_scale(scale: float) -> None:
    u = np.array([3.0, -1.0, -2.0, 4.0, -4.0])
    found, scaled = sure(contrast(1.0, u, 5)), sure(contrast(scale, u * scale, 5))
    assert scaled.degrees_of_freedom == pytest.approx(found.degrees_of_freedom, rel=0.2)
    assert scaled.largest_share == pytest.approx(found.largest_share, rel=0.2)
    assert scaled.standard_error == pytest.approx(
        found.standard_error * scale, rel=1e-9, abs=1e-322
    )


@given(st.integers(3, 30).flatmap(lambda n: draw.columns_of(n, st.floats(-1e3, 1e3))))
def test_degrees_of_freedom_are_two_or_more_and_fewer_than_clusters(u: Array) -> None:
    found = sure(contrast(1.0, u - u.mean(), u.size))
    assert min(2.0, u.size - 1) <= found.degrees_of_freedom <= u.size - 1
    assert 0 <= found.largest_share <= 1


@pytest.mark.parametrize("freedom", [2.0, 7.5, 400.0])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-6])
def test_intervals_and_p_values_are_those_of_student(freedom: float, alpha: float) -> None:
    found = Contrast(0.25, 0.1, freedom, 500, 0.01)
    low, high = stats.t.interval(1 - alpha, freedom, 0.25, 0.1)
    assert found.interval(alpha) == pytest.approx((low, high), rel=1e-8)
    assert found.p_value() == pytest.approx(2 * stats.t.sf(2.5, freedom), rel=1e-12)


def test_without_spread_only_no_effect_is_likely() -> None:
    none, some = (sure(contrast(effect, np.zeros(9), 9)) for effect in (0.0, -0.2))
    assert (none.standard_error, none.degrees_of_freedom, none.largest_share) == (0.0, 8.0, 0.0)
    assert (none.statistic, none.p_value(), none.interval(0.05)) == (0.0, 1.0, (0.0, 0.0))
    assert (some.statistic, some.p_value()) == (-math.inf, 0.0)
    assert some.interval(0.05) == (-0.2, -0.2)


@pytest.mark.parametrize(
    ("effect", "u", "count", "reason"),
    [
        (0.0, [], 0, "too_few_units"),
        (1.0, [0.0], 1, "too_few_units"),
        (math.inf, [1.0, -1.0], 2, "beyond_doubles"),
        (1.0, [math.inf, -1.0], 2, "beyond_doubles"),
        (1.0, [math.nan, -1.0], 2, "beyond_doubles"),
        (1.0, [1.7e308, -1.7e308], 2, "beyond_doubles"),
    ],
)
def test_what_has_no_error_says_why(
    effect: float, u: Sequence[float], count: int, reason: str
) -> None:
    assert contrast(effect, np.array(u), count) == Undefined(Reason(reason))


def test_a_paired_difference_of_log_loss_is_by_the_formula() -> None:
    control, treatment = arms()
    w, units = columns(control)
    gap = losses(treatment) - losses(control)
    mean = float((w * gap).sum() / w.sum())
    u = np.bincount(units, w * (gap - mean), BUCKETS) / w.sum()
    met = np.unique(units).size
    found = sure(
        difference(FUNCTIONALS["log_loss"], treatment.tally(), control.tally(), is_paired=True)
    )
    assert found.effect == pytest.approx(mean, rel=1e-12)
    assert found.clusters == met
    error = math.sqrt(met / (met - 1) * np.square(u).sum())
    assert found.standard_error == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("is_paired", [True, False])
def test_a_difference_of_log_loss_is_that_of_a_clustered_regression(*, is_paired: bool) -> None:
    control, treatment = arms() if is_paired else halves(arms())
    both, is_ours = control + treatment, np.repeat([0.0, 1.0], [control.p.size, treatment.p.size])
    w, units = columns(both)
    model = sm.WLS(losses(both), np.column_stack((np.ones_like(is_ours), is_ours)), weights=w)
    met = np.unique(units).size
    fitted = model.fit(
        cov_type="cluster", cov_kwds={"groups": units, "use_correction": False}, use_t=False
    )
    found = sure(
        difference(FUNCTIONALS["log_loss"], treatment.tally(), control.tally(), is_paired=is_paired)
    )
    assert found.effect == pytest.approx(fitted.params[1], rel=1e-9)
    expected = fitted.bse[1] * math.sqrt(met / (met - 1))
    # arms with rows of their own have a correction each
    assert found.standard_error == pytest.approx(expected, rel=1e-9 if is_paired else 2e-3)


@pytest.mark.parametrize("is_paired", [True, False])
@pytest.mark.parametrize("name", ["normalized_entropy", "brier", "log_calibration_ratio"])
def test_the_jackknife_over_buckets_agrees(name: str, *, is_paired: bool) -> None:
    batches = arms(1000)
    narrow = [replace(batch, units=columns(batch)[1] % 80) for batch in batches]
    control, treatment = narrow if is_paired else halves((narrow[0], narrow[1]))
    found = sure(
        difference(FUNCTIONALS[name], treatment.tally(), control.tally(), is_paired=is_paired)
    )
    pieces = [dict(arm.terms().groups(columns(arm)[1])) for arm in (treatment, control)]
    effects = []
    for place in range(80):
        rest = [total([one for at, one in some.items() if at != place]) for some in pieces]
        effects.append(
            sure(difference(FUNCTIONALS[name], rest[0], rest[1], is_paired=is_paired)).effect
        )
    assert found.clusters == 80
    assert found.standard_error == pytest.approx(jackknife(np.array(effects)), rel=0.02)


EXACT = Layout("binary", 2, "exact")
SOME = Batch(EXACT, np.array([0.5, 0.25]), np.array([1.0, 0.0]), units=np.arange(2)).tally()
LOST = Batch(EXACT, np.array([0.0, 0.25]), np.array([1.0, 0.0]), units=np.arange(2)).tally()
SURE = Batch(EXACT, np.array([0.5, 0.25]), np.zeros(2), units=np.arange(2)).tally()


@pytest.mark.parametrize(
    ("name", "other", "reason"),
    [
        ("log_loss", Tally(EXACT), "empty"),
        ("log_loss", LOST, "infinite"),
        ("normalized_entropy", LOST, "infinite"),
        ("normalized_entropy", SURE, "one_class"),
        ("log_calibration_ratio", SURE, "no_positives"),
    ],
)
def test_a_difference_to_nothing_says_why(name: str, other: Tally, reason: str) -> None:
    functional = FUNCTIONALS[name]
    assert difference(functional, SOME, other, is_paired=True) == Undefined(Reason(reason))
    assert difference(functional, other, SOME, is_paired=True) == Undefined(Reason(reason))
    assert difference(functional, other, other, is_paired=True) == Undefined(Reason(reason))
    assert isinstance(difference(functional, SOME, SOME, is_paired=True), Contrast)


def test_arms_with_rows_of_their_own_have_an_error_and_degrees_of_freedom_each() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 3, 8), rng.normal(0, 1, 200)
    arms = np.zeros((2, 300))
    arms[0, :8], arms[1, 50:250] = first - first.mean(), second - second.mean()
    arms /= [[8], [200]]
    occupied = np.zeros((2, 300), np.bool_)
    occupied[0, :8] = occupied[1, 50:250] = True
    found = sure(contrast_of_arms(0.7, (arms[0], arms[1]), (occupied[0], occupied[1])))
    welch = stats.ttest_ind(first, second, equal_var=False)
    parts = np.array([first.var(ddof=1) / 8, second.var(ddof=1) / 200])
    assert found.standard_error == pytest.approx(math.sqrt(parts.sum()), rel=1e-12)
    assert 1 < found.degrees_of_freedom <= welch.df
    assert found.clusters == 208


def test_one_unit_is_no_arm() -> None:
    control, treatment = (arm.tally() for arm in halves(arms(400)))
    alone = replace(arms(400)[0], units=np.zeros(400, np.int64)).tally()
    for pair in ((alone, control), (control, alone)):
        found = difference(FUNCTIONALS["log_loss"], *pair, is_paired=False)
        assert found == Undefined(Reason.TOO_FEW_UNITS)
    few = replace(arms(400)[0], units=np.arange(400) % 2).tally()
    assert isinstance(
        difference(FUNCTIONALS["log_loss"], few, treatment, is_paired=False), Contrast
    )


@st.composite
def scored_twice(draws: st.DrawFn) -> tuple[Batch, Batch]:
    """Rows of a few units with both labels, scored by two arms."""
    n = draws(st.integers(3, 12))
    y = draws(draw.columns_of(n, draw.share))
    y[:2] = 0.0, 1.0
    units = draws(draw.indices(n, 6))
    units[:2] = 0, 1
    scores = draw.columns_of(n, draw.inner_probability)
    w = draws(st.one_of(st.none(), draw.columns_of(n, st.floats(0.1, 10.0))))
    first = Batch(BINARY, draws(scores), y, w=w, units=units)
    return first, replace(first, p=draws(scores))


@every_functional
@settings(max_examples=25)
@given(arms=scored_twice())
def test_the_other_way_round_the_sign_is_the_other(
    functional: Callable[[Tally], Functional], arms: tuple[Batch, Batch]
) -> None:
    control, treatment = (arm.tally() for arm in arms)
    found = sure(difference(functional, treatment, control, is_paired=True))
    assert sure(difference(functional, control, treatment, is_paired=True)) == replace(
        found, effect=-found.effect, skewness=-found.skewness
    )


@every_functional
@settings(max_examples=25)
@given(arms=scored_twice())
def test_an_arm_does_not_differ_from_itself(
    functional: Callable[[Tally], Functional], arms: tuple[Batch, Batch]
) -> None:
    tally = arms[0].tally()
    found = sure(difference(functional, tally, tally, is_paired=True))
    assert (found.effect, found.standard_error, found.p_value()) == (0.0, 0.0, 1.0)


@every_functional
@settings(max_examples=25)
@given(arms=scored_twice(), power=st.integers(-60, 60))
def test_the_scale_of_weights_does_not_matter(
    functional: Callable[[Tally], Functional], arms: tuple[Batch, Batch], power: int
) -> None:
    w = np.ones_like(arms[0].p) if arms[0].w is None else arms[0].w
    control, treatment = (replace(arm, w=w).tally() for arm in arms)
    found = sure(difference(functional, treatment, control, is_paired=True))
    scaled = sure(
        difference(
            functional,
            *(replace(arm, w=w * 2.0**power).tally() for arm in arms[::-1]),
            is_paired=True,
        )
    )
    assert scaled.effect == pytest.approx(found.effect, rel=1e-9, abs=1e-12)
    assert scaled.standard_error == pytest.approx(found.standard_error, rel=1e-9, abs=1e-12)


@every_functional
def test_rows_that_come_twice_within_units_tell_nothing_new(
    functional: Callable[[Tally], Functional],
) -> None:
    control, treatment = arms(800)
    once = sure(difference(functional, treatment.tally(), control.tally(), is_paired=True))
    twice = sure(
        difference(
            functional, (treatment + treatment).tally(), (control + control).tally(), is_paired=True
        )
    )
    assert twice.effect == pytest.approx(once.effect, rel=1e-12)
    assert twice.standard_error == pytest.approx(once.standard_error, rel=1e-10)


def test_labels_of_the_same_rows_do_not_differ() -> None:
    control, treatment = (arm.tally() for arm in arms(100))
    found = sure(difference(OF_LABELS, treatment, control, is_paired=True))
    assert (found.effect, found.standard_error) == (0.0, 0.0)
