"""Multiple testing: Holm, Benjamini-Hochberg, e-BH."""

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that any false rejection at all is as rare as α.

        p̃₍ᵢ₎ = min(1, maxⱼ≤ᵢ (K − j + 1) p₍ⱼ₎),  p₍₁₎ ≤ … ≤ p₍ₖ₎

    Args:
        p_values: K of them, in [0, 1], however dependent.

    Returns:
        As many, in the same order, in [0, 1]; what is at most α is rejected.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(_ascending(p_values)):
        largest = max(largest, (len(p_values) - rank) * p_values[place])
        adjusted[place] = min(largest, 1.0)
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that the expected share of false ones among the rejected is α.

        p̃₍ᵢ₎ = minⱼ≥ᵢ K p₍ⱼ₎ / j,  p₍₁₎ ≤ … ≤ p₍ₖ₎

    Args:
        p_values: K of them, in [0, 1], independent or positively dependent.

    Returns:
        As many, in the same order, in [0, 1]; what is at most α is rejected.

    Source: Benjamini & Hochberg, JRSS B 57 (1995).
    """
    adjusted = [0.0] * len(p_values)
    smallest = 1.0
    for rank, place in reversed(list(enumerate(_ascending(p_values), start=1))):
        smallest = min(smallest, len(p_values) / rank * p_values[place])
        adjusted[place] = smallest
    return adjusted


def e_bh(log_e_values: Sequence[float], alpha: float) -> list[bool]:
    """Which are rejected so that the expected share of false ones among them is at most α.

        k* = max{k: k e₍ₖ₎ ≥ K/α},  e₍₁₎ ≥ … ≥ e₍ₖ₎;  the k* largest are rejected

    Args:
        log_e_values: ln e, K of them, however dependent; may be infinite.
        alpha: α, above 0, below 1.

    Returns:
        As many, in the same order; equal ones share their fate.

    Source: Wang & Ramdas, JRSS B 84 (2022), §4.
    """
    count = len(log_e_values)
    least = math.inf
    for rank, log_e in enumerate(sorted(log_e_values, reverse=True), start=1):
        # K/k first: e of 1/α suffices exactly where all K have it
        if log_e >= math.log(count / rank / alpha):
            least = log_e
    return [log_e >= least for log_e in log_e_values]


def selected_alpha(rejected: Sequence[bool], alpha: float) -> float:
    """The level of intervals of those rejected, so that the expected share that miss is α.

        α k*/K

    Args:
        rejected: K of them, k* of them true.
        alpha: α, above 0, below 1.

    Returns:
        In (0, α]; α where none is rejected, as then none was selected.

    Source: Benjamini & Yekutieli, JASA 100 (2005), §3; Xu, Wang & Ramdas, Electronic Journal of
        Statistics 18 (2024), for intervals of e-values, however dependent.
    """
    chosen = sum(rejected)
    return alpha * (chosen / len(rejected)) if chosen else alpha


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=p_values.__getitem__)
