"""Streams of a model in production: traffic by hour, a model, labels and slices, as one table row.

    logit p = m(hour) + s z        z ~ N(0, 1), s = √2 Φ⁻¹(AUC), E[p] = the rate of the hour
    logit truth = logit p + what the hour has that no model knows + what the user has − its mean

so a model is calibrated as well as a model is: within what an hour and a user are. Predictions are
`bias` times p. Rows come by a Poisson process whose rate has a day and a week.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import NormalDist

import numpy as np

from kullback.moments import HOUR
from kullback.numerics.types import Array
from tests.statistics.monitoring.simulated_features import Texts, drawn_features
from tests.statistics.monitoring.simulated_rows import NEVER, SimulatedRows
from tests.statistics.worlds import probability

ORIGIN = 1_767_571_200  # 5 January 2026, a Monday, 00:00 UTC
WEEK = 7 * 24  # hours
ONSET = 3 * WEEK + 34.0  # a Tuesday, 10:00
COUNTRIES: Mapping[str, float] = {"DE": 0.4, "FR": 0.3, "US": 0.2, "IT": 0.1}
_LEAST, _MOST = 1e-9, 1 - 1e-9

Fault = Callable[[np.random.Generator, SimulatedRows, float], SimulatedRows]


@dataclass(frozen=True, slots=True)
class Delays:
    """How long labels take: medians of positive and of negative ones, seconds.

    Attributes:
        spread: standard deviation of the logarithm of a delay.
        share: the part of labels that ever come.
        positives_only: whether negatives are never told.
    """

    positive: float
    negative: float
    spread: float = 0.2
    share: float = 1.0
    positives_only: bool = False

    def drawn(self, rng: np.random.Generator, y: Array) -> Array:
        """Seconds until each label, (n,)."""
        median = np.where(y > 0, self.positive, self.negative)
        delays: Array = median * np.exp(self.spread * rng.standard_normal(y.size))
        delays[rng.random(y.size) >= self.share] = NEVER
        if self.positives_only:
            delays[y <= 0] = NEVER
        return delays


@dataclass(frozen=True, slots=True)
class Phase:
    """Hours from `start` on, before `stop`, in which some fields of a stream are others."""

    start: float
    fields: Mapping[str, object]
    stop: float = math.inf


@dataclass(frozen=True, slots=True)
class Breakage:
    """What breaks, at which hour.

    Attributes:
        model: what becomes of rows before outcomes are drawn.
        outcome: what becomes of them after.
        phase: fields of the stream that are others from then on.
        start: hours since the origin.
    """

    model: Fault | None = None
    outcome: Fault | None = None
    phase: Mapping[str, object] = field(default_factory=dict)
    start: float = ONSET


@dataclass(frozen=True, slots=True)
class Traffic:
    """A stream of rows.

    Attributes:
        rows: by hour, in the mean.
        daily, weekend: how much more there are at 14:00, and on Saturdays and Sundays.
        asleep: hours of the day without any.
        rate: of positive outcomes, in the mean.
        rate_daily: how much higher it is at 20:00; the model knows.
        rate_weekend: how much higher on Saturdays and Sundays; the model knows.
        trend: by how much the rate grows in a week; the model knows.
        auc: of the model, where outcomes are rare; a little less where they are not.
        noise: standard deviation, in logits, of what an hour has that the model does not know.
        bias: what the model says over what is.
        classes: 2, or how many.
        labels: how many, where a row may have several; 0 where it has one.
        delays: of labels, or None where rows come with them.
        upload: rows come all at once, every so many seconds and two hours later; 0 when they are.
        visits: rows of a user in an hour, in the mean.
        taste: standard deviation, in logits, of what a user has that the model does not know.
        sends_unit: whether users are told.
        sends_features: whether features are.
        weights: standard deviation of the logarithm of weights; 0 for none.
        countries: shares of rows.
        country_rates: how much higher the rate is there; the model knows.
        version: of the model.
        phases: fields that are others for some time, as they are where nothing breaks.
    """

    rows: float = 2000.0
    daily: float = 0.5
    weekend: float = 0.0
    asleep: tuple[int, ...] = ()
    rate: float = 0.08
    rate_daily: float = 0.25
    rate_weekend: float = 0.0
    trend: float = 0.0
    auc: float = 0.65
    noise: float = 0.03
    bias: float = 1.0
    classes: int = 2
    labels: int = 0
    delays: Delays | None = None
    upload: int = 0
    visits: float = 1.0
    taste: float = 0.0
    sends_unit: bool = False
    sends_features: bool = False
    weights: float = 0.0
    countries: Mapping[str, float] = field(default_factory=lambda: COUNTRIES)
    country_rates: Mapping[str, float] = field(default_factory=dict)
    version: str = "v1"
    phases: tuple[Phase, ...] = ()

    def at(self, hour: float) -> "Traffic":
        """The same as it is in one hour."""
        now = self
        for phase in self.phases:
            if phase.start <= hour < phase.stop:
                now = replace(now, **phase.fields)  # type: ignore[arg-type]  # names of fields
        return now


def drawn(
    traffic: Traffic, seed: tuple[int, ...], hour: int, breakage: Breakage | None = None
) -> SimulatedRows:
    """The rows of one hour since the origin; of the same seed they are the same."""
    rng = np.random.default_rng([*seed, hour])
    now = traffic.at(hour)
    broken = breakage is not None and hour >= breakage.start
    if breakage is not None and broken:
        now = replace(now, **breakage.phase)  # type: ignore[arg-type]  # names of fields
    rows = _predicted(rng, now, hour)
    if breakage is not None and broken and breakage.model:
        rows = breakage.model(rng, rows, hour - breakage.start)
    rows = _with_outcomes(rng, now, rows)
    if breakage is not None and broken and breakage.outcome:
        rows = breakage.outcome(rng, rows, hour - breakage.start)
    return rows


def expected_rows(traffic: Traffic, hour: int) -> float:
    """Rows of an hour, in the mean."""
    of_day = hour % 24
    if of_day in traffic.asleep:
        return 0.0
    day = 1 + traffic.daily * math.cos(2 * math.pi * (of_day - 14) / 24)
    return traffic.rows * day * (1 + traffic.weekend * _is_weekend(hour))


def expected_rate(traffic: Traffic, hour: int) -> float:
    """The rate of an hour, as far as the model knows it."""
    day = 1 + traffic.rate_daily * math.cos(2 * math.pi * (hour % 24 - 20) / 24)
    week = 1 + traffic.rate_weekend * _is_weekend(hour)
    return traffic.rate * day * week * math.pow(1 + traffic.trend, hour / WEEK)


def _is_weekend(hour: int) -> bool:
    return hour // 24 % 7 >= 5


def _predicted(rng: np.random.Generator, now: Traffic, hour: int) -> SimulatedRows:
    n = int(rng.poisson(expected_rows(now, hour)))
    time = ORIGIN + HOUR * (hour + np.sort(rng.random(n)))
    names = np.array(list(now.countries))
    shares = np.array(list(now.countries.values()))
    place = np.searchsorted(np.cumsum(shares / shares.sum()), rng.random(n), side="right")
    factor = np.array([now.country_rates.get(name, 1.0) for name in names])[place]
    user = np.arange(n) if now.visits <= 1 else rng.integers(0, max(int(n / now.visits), 1), n)
    taste = now.taste * rng.standard_normal(n)[user] - now.taste**2 / 2
    unknown = now.noise * rng.standard_normal() - now.noise**2 / 2
    x, other = rng.standard_normal((2, n))
    z = np.sqrt(0.5) * (x + other)
    if now.labels:
        eta = _logits(now, hour)[0] + _spread(now.auc) * rng.standard_normal((n, now.labels))
        p = np.minimum(now.bias * probability(eta), _MOST)
        truth = probability(eta + now.noise * rng.standard_normal(now.labels))
    elif now.classes == 2:
        eta = _logits(now, hour)[0] + np.log(factor) + _spread(now.auc) * z
        p = np.minimum(now.bias * probability(eta), _MOST)
        truth = probability(eta + unknown + taste)
    else:
        scores = _spread(now.auc) * rng.standard_normal((n, now.classes))
        scores -= 0.5 * np.arange(now.classes)
        p = _softmax(scores)
        truth = _softmax(scores + now.noise * rng.standard_normal(now.classes))
    weight = np.exp(now.weights * rng.standard_normal(n)) if now.weights else np.ones(n)
    slices: dict[str, Texts] = {"country": names[place], "version": np.full(n, now.version)}
    arrives = time if not now.upload else np.ceil(time / now.upload) * now.upload + 2 * HOUR
    never = np.full(n, NEVER)
    rows = SimulatedRows(time, truth, p, never, arrives, never, x, user, weight, slices)
    return replace(rows, features=drawn_features(rng, hour, x)) if now.sends_features else rows


def _with_outcomes(rng: np.random.Generator, now: Traffic, rows: SimulatedRows) -> SimulatedRows:
    n = len(rows)
    if rows.truth.ndim == 1 or now.labels:
        y = (rng.random(rows.truth.shape) < rows.truth).astype(np.float64)
    else:
        below = rng.random((n, 1)) > np.cumsum(rows.truth[:, :-1], axis=1)
        y = below.sum(axis=1).astype(np.float64)
    labelled = rows.arrives if now.delays is None else rows.time + now.delays.drawn(rng, y)
    return replace(rows, y=y, labelled=np.maximum(labelled, rows.arrives))


def _spread(auc: float) -> float:
    """Standard deviation of logits whose positives rank above negatives so often."""
    return math.sqrt(2) * NormalDist().inv_cdf(auc)


def _logits(now: Traffic, hour: int) -> tuple[float, float]:
    spread = _spread(now.auc)
    return _middle(round(expected_rate(now, hour), 9), spread), spread


@cache
def _middle(rate: float, spread: float) -> float:
    """The m for which E[σ(m + s z)] is the rate, by bisection."""
    nodes, masses = np.polynomial.hermite_e.hermegauss(61)
    masses /= masses.sum()
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        if float(masses @ probability(middle + spread * nodes)) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _softmax(scores: Array) -> Array:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Array = odds / odds.sum(axis=1, keepdims=True)
    return shares
