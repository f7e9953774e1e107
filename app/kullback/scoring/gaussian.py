"""How well Gaussians around equidistant corners can be told apart."""

import math

import numpy as np

from kullback.numerics.special import log_erfc

_ORDER = 64
_FAR = 60.0  # μ/σ beyond which the error is below every double


def ideal_accuracy(k: int, ratio: float) -> dict[str, object]:
    """The accuracy of nearest-corner decisions if every class followed its target.

        1 − error,  error = ∫ φ(t) [1 − Φ(t + μ/σ)^{k−1}] dt

    Args:
        k: classes.
        ratio: μ/σ, above 0.

    Returns:
        `ideal_accuracy`, and `log10_ideal_error`, which holds where the error is below every
        double: then it is that of the union bound (k − 1) erfc(μ/2σ)/2, which is sharp there.
    """
    if k == 1:
        return {"ideal_accuracy": 1.0, "log10_ideal_error": -math.inf}
    error = _error(k, ratio) if ratio < _FAR else 0.0
    if error > 1e-290:
        return {"ideal_accuracy": 1.0 - error, "log10_ideal_error": math.log10(error)}
    log_error = math.log((k - 1) / 2.0) + log_erfc(ratio / 2.0)
    return {"ideal_accuracy": 1.0, "log10_ideal_error": log_error / math.log(10.0)}


def _error(k: int, ratio: float) -> float:
    """The integral by Gauss and Legendre on panels of one unit, where φ·tail is not nothing."""
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    start, stop = math.floor(-ratio / 2 - 40), 40
    total = []
    for left in range(start, stop):
        t = left + (nodes + 1.0) / 2.0
        tail = np.array([0.5 * math.erfc((x + ratio) / math.sqrt(2.0)) for x in t.tolist()])
        with np.errstate(divide="ignore"):
            miss = -np.expm1((k - 1) * np.log1p(-tail))
        density = np.exp(-0.5 * t * t) / math.sqrt(2.0 * math.pi)
        total.append(float(weights @ (density * miss)) / 2.0)
    return math.fsum(total)
