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


def advanced(last: Array, log_e: Array, log_weights: Array, log_threshold: float) -> Array:
    """Ln wMₜ of each alternative, (a,), of weight w, from ln wMₜ₋₁ and ln eₜ, (a,).

    None is further above the threshold than CAP.
    """
    log_e = log_e + log_weights + np.logaddexp(0.0, last - log_weights)
    logs: Array = np.minimum(log_e, log_threshold + CAP)
    return logs


def start(log_weights: Array) -> Array:
    """Ln wM₀, (a,)."""
    return np.full(log_weights.size, -np.inf)


def log_mean(logs: Array) -> float:
    """Ln of the weighted mean over alternatives of their processes (a,)."""
    return float(np.logaddexp.reduce(logs))


def since(log_e: Array, logs: Array, log_threshold: float) -> int:
    """The first block of the change that processes (a,) tell of, whose steps were ln eₜ (t, a).

    There the sum of the steps of the largest begins to rise.
    """
    return rise(log_e[:, int(np.argmax(logs))], log_threshold)


def rise(log_e: Array, log_threshold: float) -> int:
    """Where the sum of steps (t,) began to rise: the last time that it was not above 0.

    Like a process it is capped, so that a change that was and has ended is none of this one.
    """
    total, first = 0.0, 0
    for at, step in enumerate(log_e.tolist()):
        if total <= 0:
            total, first = 0.0, at
        total = min(total + step, log_threshold + CAP)
    return first


def dispersion(z: Array) -> float:
    """How many times the variance of standardised residuals of blocks (t,) is what it should be.

    The median of squared differences of neighbours, which a change of level does not move; at
    least 1. Rows that come together, such as those of one user, make it larger.
    """
    if z.size < 24:
        return 1.0
    return max(float(np.median(np.square(np.diff(z)))) / (2 * 0.45494), 1.0)
