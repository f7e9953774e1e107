"""Planned horizons: what looks claim by chance and find, beside published boundaries."""

import math

import numpy as np
import pytest

from kullback.tally.contrast import Contrast
from kullback.tally.horizon import Horizon, horizon_look
from tests.statistics.group_sequential import claimed

DENSE = 200  # looks, at equal steps
# Jennison & Turnbull (2000), table 2.3: C_B(K, α), O'Brien and Fleming's constants
PUBLISHED = {1: 1.960, 2: 1.977, 3: 2.004, 4: 2.024, 5: 2.040, 10: 2.087}


@pytest.mark.parametrize("looks", PUBLISHED)
def test_the_oracle_knows_published_boundaries(looks: int) -> None:
    fractions = [look / looks for look in range(1, looks + 1)]
    boundaries = [PUBLISHED[looks] / math.sqrt(fraction) for fraction in fractions]
    if looks == 4:
        assert boundaries == pytest.approx([4.048, 2.862, 2.337, 2.024], abs=0.002)
    assert claimed(fractions, boundaries) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.01])
@pytest.mark.parametrize("last", [1.0, 1.02, 1.1, 1.5, 4.0])
@pytest.mark.parametrize("looks", [1, 5, DENSE])
def test_no_looks_claim_more_than_alpha_and_dense_ones_spend_it(
    alpha: float, last: float, looks: int
) -> None:
    horizon = Horizon(alpha, 0.9)
    fractions = [*np.linspace(0, 1, looks + 1)[1:-1].tolist(), last]
    claims = claimed(fractions, [horizon.boundary(fraction) for fraction in fractions])
    assert claims <= alpha * 1.001
    assert looks < DENSE or claims > 0.87 * alpha


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("last", [1.0, 1.1])
def test_the_planned_effect_is_found_as_often_as_planned(power: float, last: float) -> None:
    horizon = Horizon(0.05, power)
    fractions = [*np.linspace(0, 1, DENSE + 1)[1:-1].tolist(), last]
    boundaries = [horizon.boundary(fraction) for fraction in fractions]
    assert power - 0.005 <= claimed(fractions, boundaries, horizon.drift) <= power + 0.04


def test_twice_the_rows_of_one_look_find_more_than_19_of_20() -> None:
    fixed = 1.95996 + 0.84162
    horizon = Horizon(0.05, 0.95)
    assert (horizon.drift / fixed) ** 2 == pytest.approx(1.78, abs=0.01)
    assert (Horizon(0.05, 0.8).drift / fixed) ** 2 == pytest.approx(1.09, abs=0.01)


def test_a_look_is_by_information_and_its_interval_is_what_is_not_ruled_out() -> None:
    horizon = Horizon(0.05, 0.9)
    effect = Contrast(-0.03, 0.01, 1023.0, 1024, 0.01)
    look = horizon_look(horizon, effect, 0.02)
    assert look.fraction == pytest.approx(4 / horizon.drift**2)
    assert look.boundary == pytest.approx(horizon.barrier / math.sqrt(look.fraction))
    assert look.statistic == pytest.approx(-2.99, abs=0.01)
    assert not look.is_last
    assert (look.low <= 0 <= look.high) == (abs(look.statistic) < look.boundary)
    later = horizon_look(horizon, Contrast(-0.03, 0.005, 1023.0, 1024, 0.01), 0.02)
    assert later.is_last
    assert later.high < 0 < later.boundary <= abs(later.statistic)


def test_where_one_bucket_weighs_much_the_boundary_is_that_of_a_500th() -> None:
    one = horizon_look(Horizon(0.05, 0.9), Contrast(-0.03, 0.01, 300.0, 400, 0.11), 0.02)
    other = horizon_look(Horizon(0.05, 0.9), Contrast(-0.03, 0.01, 300.0, 400, 0.09), 0.02)
    assert one.fraction == other.fraction
    assert one.boundary > 1.5 * other.boundary


@pytest.mark.parametrize("effect", [0.0, 0.01])
def test_arms_that_never_differ_in_spread_are_at_the_end(effect: float) -> None:
    look = horizon_look(Horizon(0.05, 0.9), Contrast(effect, 0.0, 400.0, 401, 0.0), 0.02)
    assert look.is_last
    assert (abs(look.statistic) >= look.boundary) == (effect != 0)
    assert (look.low, look.high) == (effect, effect)
