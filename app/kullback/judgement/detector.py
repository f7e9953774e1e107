"""Detectors: evidence of a change, hour after hour, that holds at every look.

Where e-values of blocks each have an expectation of at most 1 before a change, whatever came
earlier,

    M₀ = 0,  Mₜ = eₜ (1 + Mₜ₋₁)

grows by at most 1 a block on average: until M first passes a threshold A there are A blocks or
more on average, whoever looks how often. The mean of several such processes is one too, so that
many alternatives, checks, slices and features share one rate of false alarms. After a change M
grows by as much as the evidence does.

Source: Shin, Ramdas & Rinaldo, E-detectors, New England Journal of Statistics in Data Science 2
(2024); Shiryaev, Theory of Probability and its Applications 8 (1963); Roberts, Technometrics 8
(1966).
"""

import numpy as np

from kullback.numerics.types import Array

CAP = 4.0  # above the threshold: so much evidence against a change is soon outweighed


def log_processes(log_e: Array, log_weights: Array, log_threshold: float) -> Array:
    """Ln wMₜ of each alternative, (t, a), of weight w, (a,), from ln eₜ (t, a).

    None is further above the threshold than CAP.
    """
    most = log_threshold + CAP - log_weights
    logs = np.full_like(log_e, -np.inf)
    last: Array = np.full(log_e.shape[1], -np.inf)
    for at, each in enumerate(log_e):
        last = np.minimum(each + np.logaddexp(0.0, last), most)
        logs[at] = last
    return logs + log_weights


def log_mean(logs: Array) -> Array:
    """Ln of the weighted mean over alternatives, (t,), of their processes (t, a)."""
    mean: Array = np.logaddexp.reduce(logs, axis=1)
    return mean


def since(log_e: Array, logs: Array) -> int:
    """The first block of the change that the process tells of: where its sum begins to rise."""
    alternative = int(np.argmax(logs[-1]))
    tail = np.cumsum(log_e[::-1, alternative])[::-1]
    return int(np.argmax(tail))


def dispersion(z: Array) -> float:
    """How many times the variance of standardised residuals of blocks (t,) is what it should be.

    The median of squared differences of neighbours, which a change of level does not move; at
    least 1. Rows that come together, such as those of one user, make it larger.
    """
    if z.size < 24:
        return 1.0
    return max(float(np.median(np.square(np.diff(z)))) / (2 * 0.45494), 1.0)
