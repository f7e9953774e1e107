"""Sample-ratio test: did units go to the arms in the planned shares?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypedDict

import numpy as np

from kullback.numerics.logspace import phi
from kullback.numerics.special import chi_square_tail, stirling_remainder
from kullback.numerics.types import Array

CONCENTRATIONS = {1e2: 0.1, 1e3: 0.1, 1e4: 0.7, 1e5: 0.1}
ALARM = 1000.0
_LARGEST = float(np.finfo(np.float64).max)
Trials = Literal["units", "requests"]


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """How far units are from the planned shares, and how surely.

    Attributes:
        units: how many units each arm has.
        expected: Nθₖ, how many it should have of all of them.
        log_e_value: nats; infinite where an arm without a share has units.
        e_value: the evidence against the planned shares; at most the largest double.
        p_value: min(1, 1/e), valid however often one looks.
        alarm: whether e is ALARM or more, which at most one right experiment in ALARM ever sees.
        chi_square_p_value: of Pearson's test, valid for one look that was planned for.
        design_effect: of requests, how many of their rows count as one; 1 of units.
        trials: what was split.
    """

    units: tuple[float, ...]
    expected: tuple[float, ...]
    log_e_value: float
    e_value: float
    p_value: float
    alarm: bool
    chi_square_p_value: float
    design_effect: float = 1.0
    trials: Trials = "units"


def sample_ratio(
    units: Sequence[float], shares: Sequence[float], *, design_effect: float | None = None
) -> SampleRatio:
    """Units per arm against the shares of a plan, by a test that may be looked at again and again.

    Args:
        units: how many each arm has, (k,), at least 0: of units, never of rows, as what an arm
            does may change how active its units are. Where requests are split, of their rows.
        shares: planned part of each arm, (k,), in proportion; 0 for an arm that should have none.
        design_effect: D, where requests are split: N rows count as N/D that are independent.

    Returns:
        No evidence (e = 1) where there are no units, or all are of the one arm with a share.
    """
    counts, planned = np.array(units, np.float64), np.array(shares, np.float64)
    planned /= planned.sum()
    expected: Array = counts.sum() * planned
    together = 1.0 if design_effect is None else design_effect
    log_e = float(log_e_values(counts / together, planned))
    return SampleRatio(
        units=tuple(counts.tolist()),
        expected=tuple(expected.tolist()),
        chi_square_p_value=_chi_square(counts / together, expected / together),
        design_effect=together,
        trials="units" if design_effect is None else "requests",
        **_evidence(log_e),
    )


def pooled_ratio(periods: Sequence[SampleRatio]) -> SampleRatio:
    """One answer of several periods, each against shares of its own.

        e = mean of the e-values

    whatever ties the periods, such as units that are in several. It comes to ALARM only where one
    of the e-values does: of K periods at most K in ALARM right experiments ever see that.

    Args:
        periods: one or more.

    Source: Vovk & Wang, Annals of Statistics 49 (2021), §3, for the mean; the p-value of one look
        is that of Bonferroni.
    """
    first, *others = periods
    if not others:
        return first
    log_e = np.array([each.log_e_value for each in periods])
    highest = log_e.max()
    mean = highest + math.log(np.exp(log_e - highest).mean()) if math.isfinite(highest) else highest
    return replace(
        first,
        units=tuple(map(sum, zip(*(each.units for each in periods), strict=True))),
        expected=tuple(map(sum, zip(*(each.expected for each in periods), strict=True))),
        chi_square_p_value=min(
            1.0, len(periods) * min(each.chi_square_p_value for each in periods)
        ),
        design_effect=max(each.design_effect for each in periods),
        **_evidence(float(mean)),
    )


class _Evidence(TypedDict):
    log_e_value: float
    e_value: float
    p_value: float
    alarm: bool


def _evidence(log_e: float) -> _Evidence:
    return _Evidence(
        log_e_value=log_e,
        e_value=math.exp(log_e) if log_e < math.log(_LARGEST) else _LARGEST,
        p_value=math.exp(min(0.0, -log_e)),
        alarm=log_e >= math.log(ALARM),
    )


def log_e_values(units: Array, shares: Array) -> Array:
    """Evidence against shares θ: Dirichlet mixtures of all others, averaged, over them.

        e = Σ_c π_c e_c        c = 100, 1,000, 10⁴, 10⁵; π_c = 0.1, 0.1, 0.7, 0.1

    A mixture of concentration c looks for shares that are off by about 1/√c of their spread: what
    is far off after a thousand units, or hardly off after a million, is missed for long by any c
    that soon finds the other. Each e_c is a martingale under θ that begins at 1, and so is their
    average: the chance that it ever comes to 1/α is at most α. By simulation most weight is on
    10⁴: 50.5 : 49.5 is found 3% later than by it alone (9% with equal weights). The ends find
    55 : 45 in half of the units that it needs, and one of ten arms without 2% in seven tenths.

    Args:
        units: n, shape (..., k), at least 0; each row is a look.
        shares: θ, shape (k,), sum 1; where θₖ = 0 units are impossible.

    Returns:
        nats, shape (...); 0 without units, infinite after the impossible.

    Source: Lindon & Malek, Anytime-Valid Inference for Multinomial Count Data (2020), §3.
    """
    possible = shares > 0
    n, theta = units[..., possible], shares[possible]
    logs = np.stack([_mixture(n, theta, c) for c in CONCENTRATIONS])
    weights, highest = np.array(list(CONCENTRATIONS.values())), logs.max(axis=0)
    mean = np.tensordot(weights, np.exp(logs - highest), 1) / weights.sum()
    return np.where((units[..., ~possible] > 0).any(axis=-1), np.inf, highest + np.log(mean))


def _mixture(n: Array, theta: Array, concentration: float) -> Array:
    """Ln e of the Dirichlet mixture of concentration c.

        ln e = ln Γ(c) − ln Γ(c + N) + Σₖ [ln Γ(cθₖ + nₖ) − ln Γ(cθₖ)] − Σₖ nₖ ln θₖ
             = (c + N) KL(b/(c + N) ‖ θ) + Σₖ [g(bₖ) − g(cθₖ)] − [g(c + N) − g(c)]

    with b = cθ + n and g(z) = ln Γ(z) − z ln z + z. The second form is the one computed: the first
    loses as many digits as N has.
    """
    whole = n.sum(axis=-1, keepdims=True)
    total = concentration + whole
    before, after = concentration * theta, concentration * theta + n
    # KL = Σ m φ(θ/m − 1), where no term cancels another; φ would see only rounding near −1
    gap = (whole * theta - n) / after
    direct = gap - np.log(total * theta / after)
    divergence = (after * np.where(gap > -0.5, phi(gap), direct)).sum(axis=-1)
    prior = np.array([concentration])
    gain = (_remainder(after) - _remainder(before)).sum(axis=-1)
    evidence: Array = divergence + gain - (_remainder(total) - _remainder(prior)).sum(axis=-1)
    return evidence


def _remainder(z: Array) -> Array:
    """G(z), but for a constant; by Γ(z) = Γ(z + 1)/z below 1."""
    low = z < 1.0
    up = z + low
    climbed: Array = low * (up * (np.log(up) - np.log(z)) - 1.0)
    return climbed + stirling_remainder(up) - 0.5 * np.log(up)


def _chi_square(units: Array, expected: Array) -> float:
    """P(χ² ≥ Σ (nₖ − Nθₖ)²/(Nθₖ)), one degree of freedom less than there are arms with a share."""
    possible = expected > 0
    if (units[~possible] > 0).any():
        return 0.0
    with np.errstate(over="ignore"):  # beyond a double there is no chance left
        statistic = np.square(units - expected)[possible] / expected[possible]
    return chi_square_tail(float(statistic.sum()), int(possible.sum()) - 1)
