"""Arrival times: random, more by day than by night."""

import numpy as np
import numpy.typing as npt

from kullback.demo.columns import Numbers

SWING = 0.3  # how far the busiest hour is above the mean, and the quietest below


def arrivals(rng: np.random.Generator, start: float, stop: float, per_hour: float) -> Numbers:
    """The hours, in order, at which rows come from `start` until before `stop`.

    They are a Poisson process of `per_hour` rows in the mean of a day.
    """
    most = per_hour * (1 + SWING)
    times = rng.uniform(start, stop, rng.poisson(most * (stop - start)))
    stays = rng.random(times.size) * (1 + SWING) < 1 + SWING * rhythm(times)
    return np.sort(times[stays])


def rhythm(hours: Numbers) -> Numbers:
    """The time of day from −1 to 1, at its mean when the history begins."""
    rate: npt.NDArray[np.float64] = np.sin(2 * np.pi * hours / 24)
    return rate
