"""Features that rows are sent with: their values have a day of their own."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from kullback.moments import HOUR
from kullback.numerics.types import Array
from kullback.tally.feature_counts import FeatureKind

Texts = npt.NDArray[np.str_]
Features = Mapping[str, Array | Texts]
KINDS: Mapping[str, FeatureKind] = {"age": "numeric", "price": "numeric", "device": "categorical"}
_DAILY = 0.8  # how much higher prices are in the evening, of their logarithm


def drawn_features(rng: np.random.Generator, hour: int, x: Array) -> Features:
    """The features of rows of an hour, of which the model knows x."""
    n, evening = x.size, _evening(hour)
    age = np.where(rng.random(n) < 0.03, np.nan, 40 + 10 * x)
    price = np.exp(3 + _DAILY * evening + 0.8 * rng.standard_normal(n))
    phones = 0.5 + 0.2 * evening
    shares = np.cumsum([phones, 0.9 - phones])
    place = np.searchsorted(shares, rng.random(n), side="right")
    return {"age": age, "price": price, "device": np.array(["phone", "desktop", "tablet"])[place]}


def of_another_hour(price: Array, time: Array, age: float) -> Array:
    """Prices as they were so many hours ago."""
    if not time.size:
        return price
    hour = int(time[0] // HOUR)
    then: Array = price * math.exp(_DAILY * (_evening(hour - int(age)) - _evening(hour)))
    return then


def _evening(hour: int) -> float:
    return math.cos(2 * math.pi * (hour % 24 - 20) / 24)
