"""Relative effects: Fieller's sets, by what they hold, by their ends and by the delta method."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Undefined
from kullback.tally.confidence_sequence import confidence_sequence
from kullback.tally.contrast import ArmInfluences, Contrast
from kullback.tally.relative_effect import RelativeEffect, relative_effect

ALPHA, MINIMUM = 0.05, 0.02
DESIGNS = [pytest.param(True, id="paired"), pytest.param(False, id="split")]


def arms(
    treatment: float = 0.38, control: float = 0.4, error: float = 0.01, seed: int = 1
) -> ArmInfluences:
    """Two values whose errors have something in common, and heavy tails."""
    rng = np.random.default_rng(seed)
    common, own, theirs = rng.standard_t(6, (3, 1024)) * error / 32
    ours = common + own / 2
    everywhere = np.ones(1024, np.bool_)
    centred = (ours - ours.mean(), common + theirs - (common + theirs).mean())
    return ArmInfluences(treatment - control, control, centred, (everywhere, everywhere))


def at(ratio: float, pair: ArmInfluences, *, is_paired: bool) -> Contrast:
    found = pair.of_ratio(ratio).contrast(is_paired=is_paired)
    assert not isinstance(found, Undefined)
    return found


def relative(pair: ArmInfluences, *, is_paired: bool) -> RelativeEffect:
    found = relative_effect(pair, ALPHA, MINIMUM, is_paired=is_paired)
    assert not isinstance(found, Undefined)
    return found


def bounds(interval: tuple[float, float] | Undefined | None) -> tuple[float, float]:
    assert isinstance(interval, tuple)
    return interval


@pytest.mark.parametrize("is_paired", DESIGNS)
@pytest.mark.parametrize("control", [0.4, -0.4])
@pytest.mark.parametrize("error", [0.001, 0.02, 0.03])
def test_each_end_is_the_ratio_whose_interval_ends_at_0(
    control: float, error: float, *, is_paired: bool
) -> None:
    pair = arms(0.38, control, error)
    found = relative(pair, is_paired=is_paired)

    def fixed(rho: float, side: int) -> float:
        return at(rho, pair, is_paired=is_paired).interval(ALPHA)[side]

    def sure(rho: float, side: int) -> float:
        now = confidence_sequence(at(rho, pair, is_paired=is_paired), MINIMUM, ALPHA)
        return (now.low, now.high)[side]

    upper = 1 if control > 0 else 0  # which bound comes to 0 at a larger ratio
    for interval, bound in ((found.fixed_interval, fixed), (found.confidence_sequence, sure)):
        low, high = bounds(interval)
        near = (high - low) / 100
        for end, side in ((low, 1 - upper), (high, upper)):
            exact = brentq(bound, 1 + end - near, 1 + end + near, (side,))
            assert end == pytest.approx(exact - 1, rel=1e-6)
        for rho in np.linspace(1 + low, 1 + high, 9)[1:-1].tolist():
            assert bound(rho, 0) < 0 < bound(rho, 1)


@pytest.mark.parametrize("is_paired", DESIGNS)
def test_the_set_holds_0_exactly_where_that_of_the_effect_does(*, is_paired: bool) -> None:
    beyond = set()
    for seed in range(60):
        pair = arms(0.4 + 0.03 * math.sin(seed), 0.4, 0.01, seed)
        found = relative(pair, is_paired=is_paired)
        effect = at(1.0, pair, is_paired=is_paired)
        sequence = confidence_sequence(effect, MINIMUM, ALPHA)
        for relatively, (low, high) in (
            (found.fixed_interval, effect.interval(ALPHA)),
            (found.confidence_sequence, (sequence.low, sequence.high)),
        ):
            least, most = bounds(relatively)
            assert (least <= 0 <= most) == (low <= 0 <= high)
            beyond.add(least <= 0 <= most)
    assert beyond == {True, False}


@pytest.mark.parametrize("is_paired", DESIGNS)
def test_with_a_sure_control_it_is_the_delta_method(*, is_paired: bool) -> None:
    pair = arms(error=1e-5)
    found, effect = relative(pair, is_paired=is_paired), at(0.95, pair, is_paired=is_paired)
    assert found.effect == pytest.approx(-0.05)
    treatment, control = pair.arms
    deviation = np.hypot.reduce(treatment - 0.95 * control) * math.sqrt(1024 / 1023)
    assert found.standard_error == pytest.approx(deviation / 0.4)
    low, high = effect.interval(ALPHA)
    assert bounds(found.fixed_interval) == pytest.approx((-0.05 + low / 0.4, -0.05 + high / 0.4))


def test_a_control_that_may_be_0_leaves_no_bounds() -> None:
    found = relative(arms(0.3, 0.02, 0.02), is_paired=False)
    assert found.fixed_interval == found.confidence_sequence == Undefined(Reason.CONTROL_NEAR_ZERO)
    zero = relative_effect(arms(0.3, 0.0), ALPHA, None, is_paired=False)
    assert zero == Undefined(Reason.CONTROL_IS_ZERO)


def test_equal_arms_differ_by_nothing() -> None:
    pair = arms()
    same = ArmInfluences(0.0, 0.4, (pair.arms[1], pair.arms[1]), pair.occupied)
    assert relative(same, is_paired=True) == RelativeEffect(0.0, 0.0, (0.0, 0.0), (0.0, 0.0))


def test_one_bucket_of_units_tells_nothing() -> None:
    pair, occupied = arms(), np.arange(1024) == 7
    lonely = ArmInfluences(0.1, 0.4, pair.arms, (occupied, occupied))
    found = relative_effect(lonely, ALPHA, MINIMUM, is_paired=True)
    assert found == Undefined(Reason.TOO_FEW_UNITS)


def test_nine_in_ten_and_a_half_hold_the_truth_of_a_ratio_of_skewed_means() -> None:
    """2,000 experiments of 200 units in each arm, whose ratio is 1.25: noise 0.5 %."""
    rng, held = np.random.default_rng(5), 0
    runs, units = 2000, 200
    inside = np.arange(1024) < units
    for _ in range(runs):
        control, treatment = (mean * rng.exponential(1.0, units) for mean in (1.0, 1.25))
        u = np.zeros((2, 1024))
        u[0, inside] = (treatment - treatment.mean()) / units
        u[1, inside] = (control - control.mean()) / units
        effect = float(treatment.mean() - control.mean())
        pair = ArmInfluences(effect, float(control.mean()), (u[0], u[1]), (inside, inside))
        found = relative_effect(pair, ALPHA, None, is_paired=False)
        assert not isinstance(found, Undefined)
        low, high = bounds(found.fixed_interval)
        held += low <= 0.25 <= high
    assert 0.935 <= held / runs <= 0.965
