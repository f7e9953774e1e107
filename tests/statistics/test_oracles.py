"""Effects, errors, intervals and e-values beside those of others, and beside integrals."""

import math

import numpy as np
import pyarrow as pa
import pytest
import statsmodels.api as sm
import tea_tasting as tt  # it ships no types
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.metrics import log_loss

from kullback.numerics.types import Array, Indices
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import Contrast
from kullback.tally.units import bucket_of
from tests.statistics import worlds
from tests.statistics.experiments import paired, split
from tests.statistics.worlds import Shown, World, coins, probability, shown

WHALES = World(400, -1.0, "whales")


@pytest.fixture
def rows() -> Shown:
    return shown(np.random.default_rng(21), WHALES)


@pytest.fixture
def weight(rows: Shown) -> Array:
    return np.random.default_rng(22).gamma(2.0, 1.0, rows.y.size)


def losses(rows: Shown) -> tuple[Array, Array]:
    return worlds.loss(rows.y, rows.first), worlds.loss(rows.y, rows.second)


def apart_buckets(users: int) -> Indices:
    """Ids of users no two of whom share a bucket."""
    ids = np.arange(100_000)
    return ids[np.sort(np.unique(bucket_of(ids), return_index=True)[1])][:users]


def test_the_effect_is_the_difference_of_log_losses_of_scikit_learn(
    rows: Shown, weight: Array
) -> None:
    old, new = (
        log_loss(rows.y, probability(logit), sample_weight=weight)
        for logit in (rows.first, rows.second)
    )
    found = paired(rows).weighted(weight).effect()
    assert found.effect == pytest.approx(new - old, rel=1e-11)


def test_the_paired_error_is_that_of_weighted_least_squares_with_clusters(
    rows: Shown, weight: Array
) -> None:
    old, new = losses(rows)
    fitted = sm.WLS(new - old, np.ones((rows.y.size, 1)), weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": rows.buckets}
    )
    found = paired(rows).weighted(weight).effect()
    assert found.effect == pytest.approx(fitted.params[0], rel=1e-10)
    # both have G/(G − 1), and theirs (n − 1)/(n − 1) too
    assert found.standard_error == pytest.approx(fitted.bse[0], rel=1e-10)


@pytest.mark.parametrize("by_user", [True, False])
def test_the_split_error_is_that_of_least_squares_with_clusters(
    rows: Shown, weight: Array, *, by_user: bool
) -> None:
    rng = np.random.default_rng(23)
    treated = coins(rng, WHALES.users)[rows.user] if by_user else coins(rng, rows.y.size)
    design = sm.add_constant(treated.astype(np.float64))
    fitted = sm.WLS(losses(rows)[0], design, weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": rows.buckets}
    )
    n = rows.y.size
    found = split(rows, treated).weighted(weight).effect()
    assert found.effect == pytest.approx(fitted.params[1], rel=1e-10)
    # theirs has (n − 1)/(n − 2) of two parameters, and G/(G − 1) of all where ours has it of arms
    theirs = fitted.bse[1] * math.sqrt((n - 2) / (n - 1))
    assert found.standard_error == pytest.approx(theirs, rel=3e-3)
    assert found.standard_error > theirs


def test_the_split_error_is_that_of_a_ratio_of_means_of_users() -> None:
    world = World(600)
    drawn = shown(np.random.default_rng(24), world)
    ids = apart_buckets(world.users)
    rows = Shown(ids, drawn.user, drawn.y, drawn.truth, drawn.first, drawn.second)
    arm = np.arange(world.users) % 2 == 0
    users = pa.table(
        {
            "variant": arm.astype(np.int64),
            "lost": np.bincount(rows.user, losses(rows)[0]),
            "shown": np.bincount(rows.user).astype(np.float64),
        }
    )
    metric = tt.RatioOfMeans("lost", "shown", use_t=False, equal_var=False)
    theirs = tt.Experiment(loss=metric).analyze(users)["loss"]
    found = split(rows, arm[rows.user]).effect()
    error = (theirs.effect_size_ci_upper - theirs.effect_size) / stats.norm.ppf(0.975)
    assert found.effect == pytest.approx(theirs.effect_size, rel=1e-10)
    assert found.standard_error == pytest.approx(error, rel=1e-10)


def contrast_of(statistic: float, error: float, freedom: float) -> Contrast:
    return Contrast(statistic * error, error, freedom, 1024, 0.01)


contrasts = st.builds(contrast_of, st.floats(-6.0, 6.0), st.floats(0.01, 10.0), st.floats(1.0, 1e5))


@given(contrasts, st.floats(1e-6, 0.5))
def test_the_interval_is_that_of_students_distribution(found: Contrast, alpha: float) -> None:
    half = stats.t.isf(alpha / 2, found.degrees_of_freedom) * found.standard_error
    theirs = (found.effect - half, found.effect + half)
    assert found.interval(alpha) == pytest.approx(theirs, rel=1e-10, abs=1e-10)


@given(contrasts)
def test_the_p_value_is_that_of_students_distribution(found: Contrast) -> None:
    theirs = 2 * stats.t.sf(abs(found.statistic), found.degrees_of_freedom)
    # theirs has half of the digits where t is next to nothing
    assert found.p_value() == pytest.approx(theirs, rel=1e-7)


@given(st.floats(-6.0, 6.0), st.floats(0.05, 20.0))
def test_the_e_value_is_the_mean_likelihood_ratio(statistic: float, minimum: float) -> None:
    """∫ Σ w N(θ; 0, φ) · N(θ̂; θ, SE²)/N(θ̂; 0, SE²) dθ, in standard errors."""

    def mean_over(phi: float) -> float:
        center, spread = statistic * phi / (1 + phi), math.sqrt(phi / (1 + phi))

        def mass(theta: float) -> float:
            prior = math.exp(-0.5 * theta**2 / phi) / math.sqrt(2 * math.pi * phi)
            return math.exp(statistic * theta - 0.5 * theta**2) * prior

        ends = center - 12 * spread, center + 12 * spread
        return float(integrate.quad(mass, *ends, epsrel=1e-12, points=[center])[0])

    whole = sum(
        w * mean_over(times * minimum**2) for times, w in ((1, 0.5), (10, 0.25), (100, 0.25))
    )
    found = confidence_sequence(Contrast(statistic, 1.0, math.inf, 1024, 0.0), minimum, 0.05)
    assert found.e_value == pytest.approx(whole, rel=1e-10)


@given(contrasts, st.floats(0.01, 10.0), st.floats(1e-4, 0.5))
def test_the_sequence_leaves_0_out_where_the_e_value_says_so(
    found: Contrast, minimum: float, alpha: float
) -> None:
    now = confidence_sequence(found, minimum, alpha)
    gap = now.log_e_value + math.log(alpha)
    if abs(gap) > 1e-9:
        assert (now.low > 0 or now.high < 0) == (gap > 0)
