"""Group-sequential looks by recursive numerical integration, as an oracle.

Source: Armitage, McPherson & Rowe, JRSS A 132 (1969); Jennison & Turnbull, Group Sequential
    Methods with Applications to Clinical Trials (2000), chapter 19.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm


def claimed(
    fractions: Sequence[float], boundaries: Sequence[float], drift: float = 0.0, points: int = 401
) -> float:
    """P(|Z| is at a boundary at any of these looks), for Brownian scores of this drift at t = 1."""
    total, before, grid = 0.0, 0.0, np.zeros(1)
    weight = np.ones(1)
    for fraction, boundary in zip(fractions, boundaries, strict=True):
        spread = np.sqrt(fraction - before)
        mean, edge = grid + drift * (fraction - before), boundary * np.sqrt(fraction)
        beyond = norm.sf((edge - mean) / spread) + norm.cdf((-edge - mean) / spread)
        total += float(weight @ beyond)
        after = np.linspace(-edge, edge, points)
        step = np.full(points, after[1] - after[0])
        step[[0, -1]] /= 2
        kernel = norm.pdf((after[:, None] - mean[None, :]) / spread) / spread
        weight, grid, before = (kernel @ weight) * step, after, fraction
    return total
