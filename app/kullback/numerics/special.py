"""Special functions that NumPy lacks."""

import math

import numpy as np

from kullback.numerics.logspace import phi
from kullback.numerics.types import Array

_SERIES_FROM = 20.0


def stirling_remainder(n: Array) -> Array:
    """r(n) = ln n! − (n ln n − n + ½ ln 2πn), for n ≥ ½.

    1/(12n) − 1/(360n³) + 1/(1260n⁵) − 1/(1680n⁷) + 1/(1188n⁹) beyond 20, by lgamma below.
    """
    square = 1.0 / (n * n)
    series = (
        1 / 12 + square * (-1 / 360 + square * (1 / 1260 + square * (-1 / 1680 + square / 1188)))
    ) / n
    small = n <= _SERIES_FROM
    if small.any():
        values, inverse = np.unique(n[small], return_inverse=True)
        direct = [
            math.lgamma(v + 1) - (v * math.log(v) - v + 0.5 * math.log(2 * math.pi * v))
            for v in values.tolist()
        ]
        series[small] = np.array(direct)[inverse]
    return series


def chi_square_tail(statistic: float, degrees: int) -> float:
    """P(χ² ≥ statistic) with `degrees` degrees of freedom.

    Q(a, x) = e⁻ˣ Σ_{j<a} xʲ/j! for whole a = degrees/2, x = statistic/2, and erfc √x with the
    terms of half-integer order for odd degrees. A term is e^{−jφ((x − j)/j) − r(j)}/√(2πj), as
    j ln x − x − ln j! cancels.

    Source: Abramowitz & Stegun (1964), 26.4.4 and 26.4.5; Loader, Fast and Accurate Computation
        of Binomial Probabilities (2000), for the terms.
    """
    x = statistic / 2.0
    if degrees < 1 or x <= 0:
        return 1.0
    if math.isinf(x):
        return 0.0
    odd = degrees % 2
    orders = np.arange(0.5 if odd else 1.0, degrees / 2)
    near = orders * phi((x - orders) / orders)
    far = orders * (np.log(orders) - math.log(x)) - (orders - x)
    deviance = np.where(orders > 2 * x, far, near) + stirling_remainder(orders)
    terms = np.exp(-deviance) / np.sqrt(2 * math.pi * orders)
    head = math.erfc(math.sqrt(x)) if odd else math.exp(-x)
    return min(1.0, math.fsum([head, *terms.tolist()]))


def log_erfc(x: float) -> float:
    """Ln erfc(x): by its asymptotic series beyond 20, where erfc itself underflows.

    Source: Abramowitz & Stegun (1964), 7.1.23.
    """
    if x <= 20:
        return math.log(math.erfc(x))
    t = 1.0 / (2.0 * x * x)
    series = 1.0 - t * (1.0 - 3.0 * t * (1.0 - 5.0 * t * (1.0 - 7.0 * t)))
    return -x * x - math.log(x * math.sqrt(math.pi)) + math.log(series)
