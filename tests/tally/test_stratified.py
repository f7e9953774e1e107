"""Arms that are compared within strata: what time does to both of them cancels."""

import math
from dataclasses import replace

import numpy as np
import pytest

from kullback.numerics.reasons import Reason
from kullback.numerics.types import Array, Flags, Undefined
from kullback.tally.binary import binary_terms
from kullback.tally.contrast import Contrast, difference
from kullback.tally.functionals import FUNCTIONALS
from kullback.tally.measure_functionals import measure_mean, measure_ratio
from kullback.tally.stratified import StandardizedArms, Stratum, stratified_influences
from kullback.tally.tally import Layout, Tally, total
from kullback.tally.unpredicted import UnpredictedTerms
from tests.statistics.ramps import RAMPS, Ramp, Requests, drawn, stratified

LAYOUT = Layout("binary", 2, "exact", clustered=True)
SMALL = replace(RAMPS["1 → 10 → 50 %, rate 5 → 40 %"], requests=3000, users=600)


def tally(rows: Requests, p: Array, which: Flags, w: Array | None = None) -> Tally:
    weight = None if w is None else w[which]
    return binary_terms(LAYOUT, rows.y[which], p[which], weight, rows.buckets[which]).tally()


def strata_of(rows: Requests, p: Array, w: Array | None = None) -> list[Stratum]:
    return [
        Stratum(
            *(
                tally(rows, p, arm & (rows.stratum == each), w)
                for arm in (rows.treated, ~rows.treated)
            )
        )
        for each in np.unique(rows.stratum)
    ]


def requests(ramp: Ramp = SMALL, seed: int = 5) -> tuple[Requests, Array]:
    """Requests of a ramp, with the forecasts that their losses are of."""
    rows = drawn(np.random.default_rng(seed), ramp)
    p = np.where(rows.y == 1, np.exp(-rows.losses), -np.expm1(-rows.losses))
    return rows, p


def compared(functional: str, strata: list[Stratum]) -> Contrast | Undefined:
    arms = stratified_influences(FUNCTIONALS[functional], StandardizedArms.of(strata))
    return arms if isinstance(arms, Undefined) else arms.contrast(is_paired=False)


def answered(functional: str, strata: list[Stratum]) -> Contrast:
    found = compared(functional, strata)
    assert isinstance(found, Contrast)
    return found


def numbers(found: Contrast) -> list[float]:
    return [
        found.effect,
        found.standard_error,
        found.degrees_of_freedom,
        found.clusters,
        found.largest_share,
        found.skewness,
    ]


@pytest.mark.parametrize("name", RAMPS)
def test_means_are_those_of_rows_by_stratum(name: str) -> None:
    rows, p = requests(replace(RAMPS[name], requests=3000, users=600))
    strata = strata_of(rows, p)
    for functional, values in (
        ("log_loss", rows.losses),
        ("base_rate", rows.y),
        ("brier", (rows.y - p) ** 2),
    ):
        truth = numbers(stratified(rows, values))
        assert numbers(answered(functional, strata)) == pytest.approx(truth, rel=1e-9, abs=1e-15)


def measured_strata(rows: Requests, measures: Array) -> list[Stratum]:
    """Strata of rows that bring measures (m, n), and no forecasts."""

    def arm(which: Flags) -> Tally:
        terms = UnpredictedTerms(LAYOUT, rows.buckets[which], measures[:, which], None, None)
        return terms.tally()

    return [
        Stratum(*(arm(some & (rows.stratum == each)) for some in (rows.treated, ~rows.treated)))
        for each in np.unique(rows.stratum)
    ]


@pytest.mark.parametrize("name", RAMPS)
def test_a_mean_of_a_measure_is_that_of_rows_by_stratum(name: str) -> None:
    rows, _ = requests(replace(RAMPS[name], requests=3000, users=600))
    spent = np.stack([rows.losses - 0.5, 3.0 * rows.y + rows.losses])
    arms = StandardizedArms.of(measured_strata(rows, spent))
    for number, values in enumerate(spent):
        influences = stratified_influences(measure_mean(number), arms)
        assert not isinstance(influences, Undefined)
        found = influences.contrast(is_paired=False)
        assert isinstance(found, Contrast)
        truth = numbers(stratified(rows, values))
        assert numbers(found) == pytest.approx(truth, rel=1e-9, abs=1e-15)


def test_a_ratio_of_measures_is_one_of_sums_that_are_standardized() -> None:
    rows, _ = requests()
    spent = np.stack([rows.losses - 0.5, 1.0 + rows.y])
    sums = np.zeros((2, 2))
    for each in np.unique(rows.stratum):
        arms = [rows.treated & (rows.stratum == each), ~rows.treated & (rows.stratum == each)]
        n = [np.count_nonzero(arm) for arm in arms]
        if min(np.unique(rows.buckets[arm]).size for arm in arms) >= 2:
            overlap = n[0] * n[1] / (n[0] + n[1])
            sums += [overlap * spent[:, arm].mean(axis=1) for arm in arms]
    ratios = sums[:, 0] / sums[:, 1]
    arms_of = StandardizedArms.of(measured_strata(rows, spent))
    found = stratified_influences(measure_ratio(0, 1), arms_of)
    assert not isinstance(found, Undefined)
    assert found.effect == pytest.approx(float(ratios[0] - ratios[1]), rel=1e-9)


def test_normalized_entropy_is_a_ratio_of_sums_that_are_standardized() -> None:
    rows, p = requests()
    sums = np.zeros((2, 3))
    for stratum in strata_of(rows, p):
        arms = [
            np.array([one.scalar(name) / 2**1074 for name in ("w", "wl", "wy")])
            for one in stratum.arms
        ]
        if stratum.is_informative:
            overlap = arms[0][0] * arms[1][0] / (arms[0][0] + arms[1][0])
            sums += [overlap * arm / arm[0] for arm in arms]
    rates, losses = sums[:, 2] / sums[:, 0], sums[:, 1] / sums[:, 0]
    entropies = -rates * np.log(rates) - (1 - rates) * np.log1p(-rates)
    ratios = losses / entropies
    found = answered("normalized_entropy", strata_of(rows, p))
    assert found.effect == pytest.approx(float(ratios[0] - ratios[1]), rel=1e-12)


def test_the_error_of_normalized_entropy_is_that_of_a_jackknife_by_bucket() -> None:
    rows, p = requests(replace(SMALL, requests=12_000, users=900))
    found = answered("normalized_entropy", strata_of(rows, p))
    buckets = np.unique(rows.buckets)
    left = []
    for bucket in buckets[::6]:
        rest = rows.buckets != bucket
        some = rows.taken(rest)
        left.append(answered("normalized_entropy", strata_of(some, p[rest])).effect)
    size = len(left)
    # every sixth bucket: the spread of what each leaves out stands for that of all
    error = math.sqrt(buckets.size / size * np.square(np.array(left) - np.mean(left)).sum())
    assert found.standard_error == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize("name", ["log_loss", "brier", "base_rate", "normalized_entropy"])
def test_one_stratum_is_no_stratum(name: str) -> None:
    rows, p = requests(replace(SMALL, steps=((0.0, 0.3),), rates=(0.2, 0.3)))
    both = [tally(rows, p, arm) for arm in (rows.treated, ~rows.treated)]
    plain = difference(FUNCTIONALS[name], *both, is_paired=False)
    found = answered(name, [Stratum(*both)])
    assert isinstance(plain, Contrast)
    assert numbers(found) == pytest.approx(numbers(plain), rel=1e-9, abs=1e-12)


def test_strata_in_which_an_arm_has_no_rows_or_one_bucket_change_nothing() -> None:
    rows, p = requests()
    strata = [stratum for stratum in strata_of(rows, p) if stratum.is_informative]
    nothing = Tally(LAYOUT)
    lonely = tally(rows, p, rows.buckets == rows.buckets[0])
    everyone = tally(rows, p, rows.y >= 0)
    more = [Stratum(nothing, everyone), Stratum(everyone, nothing), Stratum(lonely, everyone)]
    assert answered("log_loss", strata + more) == answered("log_loss", strata)
    only = compared("log_loss", more)
    assert only == Undefined(Reason.EMPTY)


def test_a_unit_in_several_strata_is_one_cluster() -> None:
    """The same rows in two strata, of the same units: twice the rows, and no more is known."""
    rows, p = requests(replace(SMALL, steps=((0.0, 0.5),), rates=(0.2, 0.2)))
    one = [Stratum(*(tally(rows, p, arm) for arm in (rows.treated, ~rows.treated)))]
    twice = answered("log_loss", one * 2)
    assert numbers(twice) == pytest.approx(numbers(answered("log_loss", one)), rel=1e-9)


def test_no_scaling_of_all_weights_changes_anything() -> None:
    rows, p = requests()
    w = np.random.default_rng(3).uniform(0.5, 2.0, p.size)
    once, scaled = (answered("normalized_entropy", strata_of(rows, p, c * w)) for c in (1.0, 1e6))
    assert numbers(scaled) == pytest.approx(numbers(once), rel=1e-9, abs=1e-15)


def test_a_loss_that_is_infinite_leaves_no_difference() -> None:
    rows, p = requests()
    p[0] = 1.0 - rows.y[0]
    found = compared("log_loss", strata_of(rows, p))
    assert found == Undefined(Reason.INFINITE)


def test_strata_add_up_to_all_rows() -> None:
    rows, p = requests()
    parts = [stratum.treatment for stratum in strata_of(rows, p)]
    assert total(parts) == tally(rows, p, rows.treated)
