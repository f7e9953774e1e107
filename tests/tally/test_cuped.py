"""CUPED: unbiased, and as much narrower as the correlation says."""

import math

import numpy as np
import pytest

from kullback.numerics.types import Array, Flags, Indices
from kullback.tally.contrast import ArmInfluences, arm_influences
from kullback.tally.cuped import CovariateAdjustment, adjusted_influences
from kullback.tally.measure_functionals import measure_mean
from kullback.tally.relative_effect import RelativeEffect, relative_effect
from kullback.tally.tally import Layout, Tally
from kullback.tally.units import BUCKETS
from kullback.tally.unpredicted import UnpredictedTerms

LAYOUT = Layout("binary", 2, "sklearn", clustered=True)
ROWS = 5000


def tallies(measures: Array, units: Indices, treated: Flags) -> tuple[Tally, Tally]:
    """Those of treatment and control."""
    treatment, control = (
        UnpredictedTerms(LAYOUT, units[at], measures[:, at]).tally() for at in (treated, ~treated)
    )
    return treatment, control


def both(treatment: Tally, control: Tally) -> tuple[ArmInfluences, ArmInfluences]:
    """What buckets add to the means of the first measure, and to those of the second."""
    metric, covariate = (
        arm_influences(measure_mean(number), treatment, control) for number in (0, 1)
    )
    assert isinstance(metric, ArmInfluences)
    assert isinstance(covariate, ArmInfluences)
    return metric, covariate


def adjusted(treatment: Tally, control: Tally) -> CovariateAdjustment:
    """The difference of the first measure, adjusted by the second."""
    found = adjusted_influences(*both(treatment, control))
    assert isinstance(found, CovariateAdjustment)
    return found


def world(rng: np.random.Generator, rho: float, n: int, effect: float = 0.0) -> tuple[Tally, Tally]:
    """Units of one row whose outcome and covariate correlate by ρ."""
    covariate = np.exp(0.7 * rng.normal(size=n))
    standard = (covariate - covariate.mean()) / covariate.std()
    treated = rng.random(n) < 0.5
    outcome = rho * standard + math.sqrt(1 - rho**2) * rng.normal(size=n) + effect * treated
    return tallies(np.stack([outcome, covariate]), rng.integers(0, BUCKETS, n), treated)


@pytest.mark.parametrize("rho", [0.0, 0.3, -0.6, 0.8, 0.95])
def test_the_error_falls_as_the_correlation_says(rho: float) -> None:
    rng = np.random.default_rng(11)
    ratios = []
    for _ in range(120):
        found = adjusted(*world(rng, rho, ROWS))
        ratios.append(found.effect.standard_error / found.unadjusted.standard_error)
        assert found.correlation == pytest.approx(rho, abs=0.25)
        assert found.reduction == pytest.approx(1 - ratios[-1] ** 2)
    assert np.mean(ratios) == pytest.approx(math.sqrt(1 - rho**2), rel=0.02)


def test_it_is_the_regression_on_what_buckets_add() -> None:
    treatment, control = world(np.random.default_rng(12), 0.7, 5000, 0.3)
    found = adjusted(treatment, control)
    shift = found.unadjusted.effect - found.effect.effect
    assert shift == pytest.approx(found.coefficient * found.covariate.effect)
    slope = found.correlation * found.unadjusted.standard_error / found.covariate.standard_error
    assert found.coefficient == pytest.approx(slope)
    narrower = math.sqrt(1 - found.correlation**2)
    clusters = found.effect.clusters
    spent = math.sqrt((clusters - 1) / (clusters - 2))
    expected = spent * narrower * found.unadjusted.standard_error
    assert found.effect.standard_error == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [250, 3000])
def test_the_adjusted_interval_covers_as_often_as_it_says(n: int) -> None:
    rng = np.random.default_rng(13)
    runs, truth = 1500, 0.25
    covered = wrong = 0
    for _ in range(runs):
        found = adjusted(*world(rng, 0.7, n, truth))
        low, high = found.effect.interval(0.05)
        covered += low <= truth <= high
        low, high = found.effect.interval(0.5)
        wrong += not low <= truth <= high
    assert 0.94 <= covered / runs <= 0.96
    assert 0.46 <= wrong / runs <= 0.54


def test_a_covariate_that_says_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(14)
    treated, units = rng.random(900) < 0.5, rng.integers(0, BUCKETS, 900)
    found = adjusted(*tallies(np.stack([rng.normal(size=900), np.full(900, 7.0)]), units, treated))
    assert found.effect.effect == pytest.approx(found.unadjusted.effect)
    assert found.effect.standard_error == pytest.approx(found.unadjusted.standard_error, rel=2e-3)


def test_an_outcome_that_is_its_covariate_has_no_error_left() -> None:
    rng = np.random.default_rng(15)
    treated, units, before = rng.random(900) < 0.5, rng.integers(0, BUCKETS, 900), rng.random(900)
    found = adjusted(*tallies(np.stack([2 * before + treated, before]), units, treated))
    assert found.effect.effect == pytest.approx(1.0)
    assert found.effect.standard_error == pytest.approx(0.0, abs=1e-9)


def test_relative_effects_are_in_terms_of_the_control_as_it_is() -> None:
    rng = np.random.default_rng(16)
    n, truth = 60_000, 0.1
    units, treated = rng.integers(0, BUCKETS, n), rng.random(n) < 0.5
    before = rng.normal(size=n)
    outcome = 2.0 + 0.8 * before + 0.6 * rng.normal(size=n)
    outcome *= 1.0 + truth * treated
    treatment, control = tallies(np.stack([outcome, before]), units, treated)
    found = adjusted(treatment, control)
    relative = relative_effect(found.arms, 0.05, None, is_paired=False)
    assert isinstance(relative, RelativeEffect)
    assert relative.effect == found.effect.effect / outcome[~treated].mean()
    # θ₂' − ρθ₁ adds u₂ − βk₂ − (ρu₁ − βk₁) by bucket
    metric, covariate = both(treatment, control)
    ratio = 1.0 + relative.effect
    spent = math.sqrt((BUCKETS - 1) / (BUCKETS - 2))
    parts = [u - found.coefficient * k for u, k in zip(metric.arms, covariate.arms, strict=True)]
    scale = math.sqrt(BUCKETS / (BUCKETS - 1))
    u = spent * (parts[0] - parts[1]) + (1.0 - ratio) * metric.arms[1]
    assert relative.standard_error == pytest.approx(
        scale * math.hypot(*u) / abs(metric.control), rel=1e-9
    )
